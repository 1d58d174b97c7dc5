import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { explain } from '../../src/kernel/explain.ts'
import { detach, execute, follow, run } from '../../src/kernel/run.ts'
import { lineSplitter } from '../../src/kernel/watch.ts'

describe('run', () => {
  it('gives what a tool said', async () => {
    expect(await run({ tool: 'echo', arguments: ['a', 'b'] })).toEqual({ ok: true, value: 'a b' })
  })

  it.each(['/dev/stdin', '-'])('hands input over as %s, from its beginning', async path => {
    const input = 'first\nsecond\n'.repeat(10_000)
    expect((await execute({ tool: 'cat', arguments: [path], input })).stdout).toBe(input.trimEnd())
  })

  it('gives the input no name that lasts, and keeps no descriptor', async () => {
    const { stdout } = await execute({ tool: 'readlink', arguments: ['/proc/self/fd/0'], input: 'secret' })
    const [, name] = /^(.*\/lnet-[0-9a-f-]{36}) \(deleted\)$/.exec(stdout) ?? []
    expect(existsSync(name as string)).toBe(false)
    expect(openFiles().filter(target => target.startsWith(name as string))).toEqual([])
  })

  it('fails with command, exit code and first lines, never with the input', async () => {
    const script = 'for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 3'
    const result = await run({ tool: 'sh', arguments: ['-c', script], input: 'secret' })
    expect(result).toEqual({
      ok: false,
      failure: {
        what: 'sh failed with exit code 3',
        why: 'line 1',
        remedy: null,
        command: `sh -c ${script}`,
        exitCode: 3,
        stderr: 'line 1\nline 2\nline 3\nline 4\nline 5',
      },
    })
    expect(JSON.stringify(result)).not.toContain('secret')
  })

  it('names the package of a tool that is missing', async () => {
    expect(await run({ tool: 'no-such-tool', arguments: [] })).toMatchObject({
      ok: false,
      failure: { what: 'no-such-tool is not in PATH', exitCode: null },
    })
  })

  it('speaks English to the tools, whatever the machine does', async () => {
    expect(await run({ tool: 'sh', arguments: ['-c', 'echo $LC_ALL'] })).toEqual({ ok: true, value: 'C' })
  })

  it('says what ended a tool', async () => {
    const result = await run({ tool: 'sh', arguments: ['-c', 'kill -KILL $$'] })
    expect(result).toMatchObject({
      ok: false,
      failure: { what: 'sh was ended by SIGKILL', exitCode: null },
    })
  })
})

describe('follow', () => {
  it('hands text over as it comes, and tells of the end', async () => {
    const heard: string[] = []
    const child = follow({ tool: 'sh', arguments: ['-c', 'echo one; echo two; exit 4'] }, true, text => {
      heard.push(text)
    })
    expect((await child.ended).exitCode).toBe(4)
    expect(heard.join('')).toBe('one\ntwo\n')
  })

  it('tells of a tool that is missing', async () => {
    const child = follow({ tool: 'no-such-tool', arguments: [] }, false, () => {})
    expect((await child.ended).what).toBe('no-such-tool is not in PATH')
  })

  it('can be stopped', async () => {
    const child = follow({ tool: 'sleep', arguments: ['600'] }, true, () => {})
    child.stop()
    expect((await child.ended).what).toBe('sleep was ended by SIGTERM')
  })
})

describe('detach', () => {
  it('starts a session of its own', async () => {
    const child = detach({ tool: 'sleep', arguments: ['600'] })
    const session = await run({ tool: 'ps', arguments: ['-o', 'sid=', '-p', String(child.pid)] })
    expect(session).toEqual({ ok: true, value: expect.stringMatching(new RegExp(`^ *${child.pid}$`)) })
    child.stop()
    expect((await child.ended).what).toBe('sleep was ended by SIGTERM')
  })
})

describe('explain', () => {
  it.each([
    ['RTNETLINK answers: Operation not permitted', 'run lnetd as root or give it CAP_NET_ADMIN'],
    ['Unable to modify interface: Address already in use', 'stop the other program'],
    ['Error: Unknown device type.', 'load the kernel module'],
    ['RTNETLINK answers: Address family not supported by protocol', 'set tunnel.prefix to an IPv4 network'],
    ['Unable to access interface: No such device', 'check whether wireguard-go still runs'],
  ])('knows what helps against %s', (said, remedy) => {
    expect(explain(said)).toEqual({ why: said, remedy: expect.stringContaining(remedy) })
  })

  it('repeats what it does not know, and nothing when nothing was said', () => {
    expect(explain('strange')).toEqual({ why: 'strange', remedy: null })
    expect(explain('')).toEqual({})
  })
})

describe('lines', () => {
  it('come whole out of pieces, and an endless one is cut', () => {
    const lines: string[] = []
    const split = lineSplitter(line => lines.push(line))
    for (const piece of ['a', 'b\nc', '\n\nd', 'x'.repeat(10_000), 'y'.repeat(10_000), '\ne\n']) split(piece)
    expect(lines.map(line => line.slice(0, 3))).toEqual(['ab', 'c', '', 'dxx', 'e'])
    expect(lines[3]?.length).toBeLessThan(15_000)
  })
})

function openFiles(): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap(descriptor => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)]
    } catch {
      // The one the listing itself was read by.
      return []
    }
  })
}
