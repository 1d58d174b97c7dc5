import { execFile, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ControlServer, openControlServer } from '../../src/control/server.ts'
import type { ControlSource } from '../../src/control/snapshot.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import { failed, failureOf, ok } from '../../src/model/failure.ts'
import type { NodeId, NodeName } from '../../src/model/node.ts'
import { degraded } from '../../src/model/problem.ts'
import { member, mesh, nodeId, publicKey, snapshot, sourceOf, track } from './snapshots.ts'

const program = join(import.meta.dirname, '../../src/lnetctl.ts')
const two = snapshot([member(2), member(3)], [track(2), track(3, { grewAt: null, handshakeAt: null })])

let directory: string
let socket: string
let server: ControlServer | null = null

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lnetctl-'))
  socket = join(directory, 'lnetd.sock')
})

afterEach(async () => {
  await server?.close()
  server = null
  rmSync(directory, { recursive: true, force: true })
})

async function serve(source: ControlSource = sourceOf(two)): Promise<void> {
  const opened = await openControlServer(socket, source)
  if (!opened.ok) throw new Error(sentenceOf(opened.failure))
  server = opened.value
}

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

function lnetctl(...words: string[]): Promise<Ran> {
  return run(process.execPath, [program, '--socket', socket, ...words])
}

function run(file: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}, input = ''): Promise<Ran> {
  return new Promise(resolve => {
    const options = { env: { PATH: process.env.PATH, ...env }, timeout: 30_000 }
    const child = execFile(file, argv, options, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err })
    })
    child.stdin?.end(input)
  })
}

/** Runs lnetctl on a terminal: what it showed, then the terminal's settings. Types an answer once its question is there. */
function onTerminal(words: string, answers: readonly (readonly [string, string])[]): Promise<string> {
  return new Promise(resolve => {
    const command = `${process.execPath} ${program} ${words}; stty -a`
    const child = spawn('script', ['-qec', command, '/dev/null'], { timeout: 30_000 })
    const waiting = [...answers]
    let shown = ''
    child.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString()
      while (waiting[0] !== undefined && shown.includes(waiting[0][0]))
        child.stdin.write(waiting.shift()?.[1])
    })
    child.once('exit', () => resolve(shown))
  })
}

describe('lnetctl peers', () => {
  it('prints a table', async () => {
    await serve()
    const { code, out, err } = await lnetctl('peers')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.split('\n').map(line => line.split(/ +/).slice(0, 2).join(' '))).toEqual([
      'NAME STATE',
      'node1 up',
      'node2 up',
      'node3 down',
      '',
    ])
  })

  it('leaves the header out', async () => {
    await serve()
    expect((await lnetctl('peers', '--no-header')).out.split('\n')[0]).toMatch(/^node1 /)
  })

  it('prints the view as JSON', async () => {
    await serve()
    const { code, out } = await lnetctl('peers', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      schema: 1,
      mesh,
      self: { name: 'node1', state: 'up', reason: null },
      peers: [
        { name: 'node2', state: 'up', handshake_seconds: 60, segments: [{ vni: 49_371, flood: true }] },
        {
          name: 'node3',
          state: 'down',
          handshake_seconds: null,
          reason: expect.stringContaining('blocked?'),
        },
      ],
    })
  })

  it('ends quietly when its reader does', async () => {
    await serve()
    const script = '{ "$@"; echo "code $?" >&2; } | head -1'
    const argv = [process.execPath, program, '--socket', socket, 'peers', '--watch', '0.1']
    const { out, err } = await run('sh', ['-c', script, 'sh', ...argv])
    expect(out).toMatch(/^NAME .*\n$/)
    expect(err).toBe('code 0\n')
  })
})

describe('lnetctl peer', () => {
  it.each([
    ['a name', 'node2', 'node2'],
    ['a name in capitals', 'NODE2', 'node2'],
    ['a node id', nodeId(3), 'node3'],
    ['the beginning of an id', nodeId(3).slice(0, 11), 'node3'],
    ['its own name', 'node1', 'node1'],
  ])('finds by %s', async (_, wanted, name) => {
    await serve()
    const { code, out } = await lnetctl('peer', wanted, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ schema: 1, mesh, peer: { name } })
  })

  it('shows the keys in full', async () => {
    await serve()
    const { out } = await lnetctl('peer', 'node2')
    expect(out).toContain(`${nodeId(2)}\n`)
    expect(out).toContain(`${publicKey(2)}\n`)
  })

  it('means the one that lives of two with one name', async () => {
    const twins = [2, 3].map(number => member(number, { name: 'twin' as NodeName }))
    await serve(sourceOf(snapshot(twins, [track(3)])))
    const { code, out } = await lnetctl('peer', 'twin', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ peer: { node: nodeId(3) } })
  })

  it('refuses what is nobody, or more than one', async () => {
    const name = 'twin' as NodeName
    await serve(sourceOf(snapshot([member(2, { name }), member(3, { name })])))
    expect(await lnetctl('peer', 'nobody')).toMatchObject({
      code: 1,
      err: expect.stringContaining('see lnetctl peers'),
    })
    for (const wanted of ['twin', '12D3KooW']) {
      const { code, err } = await lnetctl('peer', wanted)
      expect(code).toBe(1)
      expect(err).toContain(`${nodeId(2)} ${nodeId(3)}`)
    }
  })
})

describe('lnetctl status', () => {
  it('is 0 unless it is asked to check', async () => {
    await serve(sourceOf({ ...two, warm: false }))
    expect((await lnetctl('status')).code).toBe(0)
    const { code, out } = await lnetctl('status', '--check')
    expect(code).toBe(4)
    expect(out).toContain('not ready: waiting for the first word of the mesh')
  })

  it('is 4 when a problem degrades, and still prints', async () => {
    const problem = degraded('no-neighbour', '', 'nobody answers', { remedy: 'call: louder' })
    await serve(sourceOf({ ...two, problems: [problem] }))
    const { code, out } = await lnetctl('status', '--check', '--json')
    expect(code).toBe(4)
    expect(JSON.parse(out)).toMatchObject({
      schema: 1,
      degraded: true,
      problems: [{ ...problem, message: 'nobody answers: call: louder' }],
    })
  })

  it('is 0 when all is well', async () => {
    await serve(sourceOf(snapshot([member(2)], [track(2)])))
    expect(await lnetctl('status', '--check')).toMatchObject({ code: 0, err: '' })
  })
})

describe('lnetctl plan', () => {
  it('says when there is nothing to change', async () => {
    await serve()
    expect(await lnetctl('plan')).toMatchObject({ code: 0, out: 'nothing to change\n' })
    expect(JSON.parse((await lnetctl('plan', '--json')).out)).toEqual({ schema: 1, steps: [] })
  })

  it('prints a sentence a step', async () => {
    await serve(sourceOf(two, { plan: async () => ok([{ kind: 'link.up', interface: 'lnet0' as never }]) }))
    expect(await lnetctl('plan')).toMatchObject({ code: 0, out: 'bring lnet0 up\n' })
  })

  it('is an error when the daemon cannot tell', async () => {
    await serve(sourceOf(two, { plan: async () => failed('wg is missing') }))
    expect(await lnetctl('plan')).toEqual({ code: 1, out: '', err: 'lnetctl: wg is missing\n' })
  })
})

describe('lnetctl down and leave', () => {
  it('say what they did', async () => {
    await serve()
    expect(await lnetctl('down')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^removed lnet0 and vlnet0/),
    })
    expect(await lnetctl('leave')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^said farewell to mesh/),
    })
  })

  it('fail when something could not be taken away', async () => {
    const failure = failureOf('vlnet0 is busy')
    await serve(sourceOf(two, { down: async () => [failure] }))
    expect(await lnetctl('down')).toEqual({
      code: 1,
      out: '',
      err: 'lnetctl: not all was done: vlnet0 is busy\n',
    })
  })
})

describe('lnetctl forget', () => {
  const twins = [2, 3].map(number => member(number, { name: 'twin' as NodeName }))
  const source = () => {
    const asked: string[] = []
    const forget = async (node: NodeId) => {
      asked.push(node)
      return node === nodeId(2) ? ok({ node, name: 'twin' as NodeName }) : failed('twin lives')
    }
    return { asked, given: sourceOf(snapshot(twins, [track(3)]), { forget }) }
  }

  it('forgets the dead one of two with one name, and says so', async () => {
    const { asked, given } = source()
    await serve(given)
    expect(await lnetctl('forget', 'twin')).toEqual({
      code: 0,
      out: `forgot twin (${nodeId(2)}), here alone\n`,
      err: '',
    })
    expect(asked).toEqual([nodeId(2)])
    expect(JSON.parse((await lnetctl('forget', nodeId(2), '--json')).out)).toEqual({
      ...{ schema: 1, action: 'forget', mesh, node: nodeId(2), name: 'twin' },
    })
  })

  it('fails with the reason where the member lives, and without an argument or a member', async () => {
    await serve(source().given)
    expect(await lnetctl('forget', nodeId(3))).toMatchObject({ code: 1, err: 'lnetctl: twin lives\n' })
    expect((await lnetctl('forget', 'nobody')).err).toContain('no other member is called nobody')
    expect((await lnetctl('forget')).code).toBe(2)
  })
})

describe('lnetctl version', () => {
  it('tells both', async () => {
    await serve(sourceOf({ ...two, software: '9.9.9' }))
    expect((await lnetctl('version')).out).toMatch(/^lnetctl \d+\.\d+\.\d+\nlnetd 9\.9\.9\n$/)
  })

  it('is an option, too, which asks no daemon', async () => {
    expect(await lnetctl('--version')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^lnetctl \d+\.\d+\.\d+\n$/),
    })
  })

  it('is no error without a daemon', async () => {
    const { code, out } = await lnetctl('version', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({ schema: 1, lnetctl: expect.any(String), lnetd: null })
  })
})

describe('exit codes', () => {
  it.each([
    ['peers'],
    ['peer', 'x'],
    ['status'],
    ['status', '--check'],
    ['plan'],
    ['down'],
    ['leave'],
    ['forget', 'x'],
  ])('3 where no daemon is: %s %s', async (...words) => {
    const { code, out, err } = await lnetctl(...words)
    expect({ code, out }).toEqual({ code: 3, out: '' })
    expect(err).toContain('systemctl status lnetd')
  })

  it.each([
    ['nothing at all', []],
    ['an unknown command', ['frobnicate']],
    ['an unknown option', ['peers', '--frobnicate']],
    ['an argument too many', ['peers', 'node2']],
    ['an argument too few', ['peer']],
    ['a watch of no time', ['peers', '--watch', '0']],
    ['a check that never ends', ['status', '--check', '--watch']],
  ])('2 for %s', async (_, words) => {
    const { code, out, err } = await lnetctl(...words)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).not.toBe('')
  })

  it.each([[['--help']], [['help', 'peers']], [['status', '--help']]])('0 for %s', async words => {
    expect(await lnetctl(...words)).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining('Usage:'),
    })
  })
})

describe('--watch', () => {
  it('prints a JSON document a line, and outlives a restart of the daemon', async () => {
    let asked = 0
    let askedTwice: () => void = () => undefined
    const twice = new Promise<void>(resolve => {
      askedTwice = resolve
    })
    const plan = async () => {
      asked += 1
      if (asked === 2) askedTwice()
      return ok([])
    }
    await serve(sourceOf(two, { plan }))
    const argv = [process.execPath, program, '--socket', socket, 'plan', '--json', '--watch', '0.1']
    const ran = run('sh', ['-c', '"$@" | head -4', 'sh', ...argv])
    await twice
    await server?.close()
    await new Promise(resolve => setTimeout(resolve, 300))
    await serve(sourceOf(two, { plan }))
    const { out, code } = await ran
    expect(code).toBe(0)
    expect(out).toBe('{"schema":1,"steps":[]}\n'.repeat(4))
  })
})

describe('colour', () => {
  const onTerminal = (env: NodeJS.ProcessEnv) =>
    run('script', ['-qec', `'${process.execPath}' '${program}' --socket '${socket}' peers`, '/dev/null'], env)

  it('is on a terminal', async () => {
    await serve()
    expect((await onTerminal({})).out).toContain('\u001b[31mdown\u001b[0m')
  })

  it('is not on a terminal with NO_COLOR, nor in a pipe', async () => {
    await serve()
    expect((await onTerminal({ NO_COLOR: '1' })).out).not.toContain('\u001b[')
    expect((await lnetctl('peers')).out).not.toContain('\u001b[')
  })
})

describe('lnetctl events', () => {
  const at = Date.UTC(2026, 10, 22, 10, 30)
  const past = [1, 2, 3].map(number => ({
    ...{ number, at, kind: 'joined' as const, node: nodeId(2), name: 'gauss' as NodeName },
    text: `gauss joined ${number}`,
  }))
  const eventful = sourceOf(two, { events: async after => past.filter(({ number }) => number > after) })

  it('tells them a line each', async () => {
    await serve(eventful)
    const { code, out } = await lnetctl('events', '-n', '2')
    expect(code).toBe(0)
    expect(out).toMatch(/^2026-11-22 \d\d:30:00 {2}joined {5}gauss joined 2\n.*gauss joined 3\n$/)
  })

  it('tells them as JSON, and those to come', async () => {
    // One more with each question: the one after the last that is read tells lnetctl that nobody reads any more.
    const all = [...past]
    const events = async (after: number) => {
      const told = all.filter(({ number }) => number > after)
      all.push({ ...(past[0] as (typeof past)[0]), number: all.length + 1, text: 'gauss is back' })
      return told
    }
    await serve(sourceOf(two, { events }))
    const script = '"$@" | head -2'
    const argv = [process.execPath, program, '--socket', socket, 'events', '--json', '-f', '-n', '1']
    const { out } = await run('sh', ['-c', script, 'sh', ...argv])
    expect(
      out
        .trim()
        .split('\n')
        .map(line => JSON.parse(line)),
    ).toMatchObject([
      { schema: 1, number: 3, time: '2026-11-22T10:30:00.000Z', kind: 'joined', name: 'gauss' },
      { number: 4, text: 'gauss is back' },
    ])
  })
})

describe('lnetctl init, token and join', () => {
  const paths = (name: string) => {
    const config = join(directory, name, 'lnetd.yaml')
    return { config, secret: join(directory, name, 'mesh.secret') }
  }

  async function initialised(): Promise<string> {
    const { config } = paths('first')
    expect(await lnetctl('init', '--config', config, '--name', 'gauss')).toMatchObject({ code: 0, err: '' })
    const { code, out } = await lnetctl('token', '--config', config, '--bootstrap', '203.0.113.7')
    expect(code).toBe(0)
    return out
  }

  it('make a mesh and a second node of it, by argument, file or standard input', async () => {
    const token = await initialised()
    const secret = readFileSync(paths('first').secret, 'utf8')
    const file = join(directory, 'token')
    writeFileSync(file, token)
    const ways = [[token.trim()], ['--token-file', file], ['-'], ['--token-file', '-'], []]
    for (const [index, way] of ways.entries()) {
      const node = paths(`node${index}`)
      const argv = [program, 'join', ...way, '--config', node.config]
      const { code, out } = await run(
        process.execPath,
        argv,
        {},
        way.includes('-') || way.length === 0 ? `${token} \n` : '',
      )
      expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(`wrote ${node.config}\n`) })
      expect(readFileSync(node.secret, 'utf8')).toBe(secret)
      expect(statSync(node.secret).mode & 0o777).toBe(0o600)
      expect(readFileSync(node.config, 'utf8')).toContain('203.0.113.7')
    }
  })

  it('say what to do next, and never show the secret', async () => {
    const { config, secret } = paths('first')
    const { out } = await lnetctl('init', '--config', config, '--secret-file', secret)
    expect(out).toContain('lnetctl token')
    expect(out).not.toContain(readFileSync(secret, 'utf8').trim())
  })

  it('warn of a token in the command line, and of no other', async () => {
    const token = (await initialised()).trim()
    const given = await lnetctl('join', token, '--config', paths('given').config)
    expect(given).toMatchObject({ code: 0, err: expect.stringMatching(/^warning: .*shell history.*sudo/) })
    expect(given.err).not.toContain(token)
    const argv = [program, 'join', '--config', paths('asked').config]
    expect(await run(process.execPath, argv, {}, token)).toMatchObject({ code: 0, err: '' })
  })

  it('print what to run elsewhere beside the token, which stands alone', async () => {
    const { config } = paths('first')
    await lnetctl('init', '--config', config)
    const { out, err } = await lnetctl('token', '--config', config)
    expect(out).toMatch(/^lnet1-[\w-]+\n$/)
    expect(err).toMatch(/^ {2}sudo lnetctl join --start$/m)
  })

  it('read a token from a terminal without showing it, and leave the terminal as it was', async () => {
    const token = (await initialised()).trim()
    const { config } = paths('asked')
    const shown = await onTerminal(`join --config ${config}`, [
      ['press Enter: ', `\u001b[200~${token.slice(0, 50)}\r${token.slice(50)}  \u001b[201~`],
      ['', '\r'],
    ])
    expect(shown).toContain(`wrote ${config}`)
    expect(shown).not.toContain(token.slice(10, 40))
    expect(shown).toMatch(/ icanon .* echo /s)
    expect(existsSync(config)).toBe(true)
  })

  it('say why a token from a terminal is none, and end at Ctrl-C', async () => {
    await initialised()
    const { config } = paths('asked')
    const wrong = await onTerminal(`join --config ${config}`, [['press Enter: ', 'lnet1-hunter2\n']])
    expect(wrong).toContain('cut short or mistyped')
    expect(wrong).not.toContain('hunter2')
    const left = await onTerminal(`join --config ${config}`, [['press Enter: ', 'lnet1-hunter2\u0003']])
    expect(left).toContain('no token was given')
    expect(left).not.toContain('hunter2')
    expect(left).toMatch(/ icanon .* echo /s)
    expect(existsSync(config)).toBe(false)
  })

  it('overwrite nothing', async () => {
    const token = await initialised()
    const { config, secret } = paths('first')
    const before = [config, secret].map(path => readFileSync(path, 'utf8'))
    for (const words of [['init'], ['join', token.trim()]]) {
      const { code, err } = await lnetctl(...words, '--config', config)
      expect(code).toBe(1)
      expect(err).toContain('is there already')
    }
    expect([config, secret].map(path => readFileSync(path, 'utf8'))).toEqual(before)
  })

  it('replace what is there with --force, and tell where the old one is', async () => {
    await initialised()
    const { config } = paths('first')
    const { code, out } = await lnetctl('init', '--config', config, '--force')
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining(`kept ${config}.backup-1\n`) })
    expect(readFileSync(`${config}.backup-1`, 'utf8')).toContain('gauss')
  })

  it('start no service for a configuration it would not read', async () => {
    const { config } = paths('elsewhere')
    const { code, err } = await lnetctl('init', '--config', config, '--start')
    expect(code).toBe(1)
    expect(err).toContain(`lnetd --config ${config}`)
  })

  it.each([
    ['no token at all', [], 1],
    ['a token as a file', ['--token-file', 'lnet1-hunter2'], 1],
    ['two tokens', ['lnet1-hunter2', 'lnet1-hunter2'], 2],
    ['a token with a wrong option', ['lnet1-hunter2', '--lnet1-hunter2'], 2],
    ['both', ['token', '--token-file', 'file'], 2],
    ['a file that is not there', ['--token-file', '/nonexistent/token'], 1],
    ['an endless one', ['--token-file', '/dev/zero'], 1],
    ['what is no token', ['hello'], 1],
  ])('refuse %s', async (_, words, expected) => {
    const { config } = paths('refused')
    const { code, out, err } = await lnetctl('join', ...words, '--config', config)
    expect({ code, out }).toEqual({ code: expected, out: '' })
    expect(err).not.toBe('')
    expect(err).not.toContain('hunter2')
    expect(existsSync(config)).toBe(false)
  })
})
