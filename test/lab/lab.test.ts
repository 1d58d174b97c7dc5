import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import { eventually } from './lab.ts'
import { processStart } from './namespace.ts'
import { readRecords } from './record.ts'
import { root } from './root.ts'

/** `npm run lab` without its set-up, which `npm test` has done. */
function lab(args: readonly string[]) {
  return execa(process.execPath, [join(root, 'test/lab/main.ts'), ...args], {
    reject: false,
    stdin: 'ignore',
  })
}

describe('the lab', () => {
  it('shows a mesh from nothing to every pair answering, and leaves nothing', async () => {
    const { stdout, stderr, exitCode } = await lab(['--nodes', '3'])
    expect([stderr, exitCode]).toEqual(['', 0])
    expect(stdout).toMatch(/^formed in \d+\.\d\d s/m)
    expect(stdout).toMatch(/6 ordered pairs answer by IPv4, 6 by IPv6/)
    expect(stdout).toMatch(/^n3 +rss +\d+\.\d +pss +\d+\.\d$/m)
    const id = /^lab (\w+):/.exec(stdout)?.[1] as string
    expect(readRecords().map(record => record.id)).not.toContain(id)
  })

  it('can be kept, stepped into, and ended; another goes on beside it', async () => {
    const { stdout, exitCode } = await lab(['--nodes', '2', '--keep'])
    expect(exitCode).toBe(0)
    const id = /^kept: lab (\w+)\./m.exec(stdout)?.[1] as string
    const enter = /^ {2}(\S+\/enter) n2 lnetctl peers$/m.exec(stdout)?.[1] as string
    try {
      const [peers, beside] = await Promise.all([
        execa(enter, ['n2', 'lnetctl', 'peers']),
        lab(['--nodes', '2']),
      ])
      expect(peers.stdout).toMatch(/^n1 /m)
      expect(beside.exitCode).toBe(0)
      expect((await execa(enter, ['n1', 'lnetctl', 'status', '--check'], { reject: false })).exitCode).toBe(0)
      await keepsItsFiles(enter)
    } finally {
      expect(await lab(['--end', id])).toMatchObject({ exitCode: 0, stdout: `lab ${id} ended` })
    }
    expect(existsSync(enter)).toBe(false)
  })

  it('is cleaned up by the next one after a kill -9', async () => {
    const dying = lab(['--nodes', '2'])
    const record = await eventually('the lab is written down', () => {
      const found = readRecords().find(({ owner }) => owner.pid === dying.pid)
      return found !== undefined && found.holders.length === 3 ? found : null
    })
    dying.kill('SIGKILL')
    await dying
    expect(await lab(['--nodes', '2'])).toMatchObject({ exitCode: 0 })
    expect(existsSync(record.directory)).toBe(false)
    for (const { pid, start } of record.holders) expect(processStart(pid)).not.toBe(start)
  })

  it('cleans up when it is interrupted', async () => {
    const interrupted = lab(['--nodes', '2'])
    const record = await eventually(
      'the lab is up',
      () =>
        readRecords().find(({ owner, holders }) => owner.pid === interrupted.pid && holders.length === 3) ??
        null,
    )
    interrupted.kill('SIGINT')
    const ended = await interrupted
    expect([ended.exitCode, ended.signal, ended.stderr]).toEqual([130, undefined, ''])
    expect(existsSync(record.directory)).toBe(false)
  })

  it.each([['--nodes', '1'], ['--nodes', 'x'], ['--wrong']])(
    'refuses wrong usage: %s %s',
    async (...args) => {
      expect(await lab(args.filter(arg => arg !== undefined))).toMatchObject({ exitCode: 2 })
    },
  )
})

/** A node writes neither this machine's files nor those of another node. */
async function keepsItsFiles(enter: string): Promise<void> {
  const places = ['/etc/lnetd', '/etc/default/lnetd', '/var/lib/lnetd', '/var/cache/lnetd']
  const here = () => places.map(place => (existsSync(place) ? statSync(place).mtimeMs : null))
  const before = here()
  const made = await execa(enter, ['n1', 'lnetctl', 'init', '--force'])
  expect(made.stdout).toContain('wrote /etc/lnetd/lnetd.yaml')
  expect(made.stdout).not.toContain('kept ')
  await execa(enter, ['n1', 'sh', '-c', `mkdir ${places.slice(2).join(' ')}; echo >/etc/default/lnetd`])
  expect(
    (await execa(enter, ['n2', 'sh', '-c', `ls -d ${places.join(' ')}`], { reject: false })).stdout,
  ).toBe('')
  expect(here()).toEqual(before)
}
