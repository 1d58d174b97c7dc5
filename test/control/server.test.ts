import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ask, order } from '../../src/control/client.ts'
import type { PeersView } from '../../src/control/protocol.ts'
import { type ControlServer, openControlServer } from '../../src/control/server.ts'
import type { ControlSource } from '../../src/control/snapshot.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import { failed, failureOf, ok } from '../../src/model/failure.ts'
import { controlRequestBytesMax } from '../../src/model/limits.ts'
import { kernelState, member, mesh, snapshot, sourceOf, track } from './snapshots.ts'

let directory: string
let path: string
const servers: ControlServer[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lnet-control-'))
  path = join(directory, 'run', 'lnetd.sock')
})

afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => server.close()))
  rmSync(directory, { recursive: true, force: true })
})

const two = snapshot([member(2)], [track(2)])

async function serve(source: ControlSource = sourceOf(two)): Promise<ControlServer> {
  const opened = await openControlServer(path, source)
  if (!opened.ok) throw new Error(sentenceOf(opened.failure))
  servers.push(opened.value)
  return opened.value
}

/** What a raw connection hears after these bytes, until the server ends it. */
function exchange(bytes: Uint8Array | string): Promise<string> {
  return new Promise(resolve => {
    let heard = ''
    const socket = connect(path, () => socket.write(bytes))
    socket.on('data', chunk => {
      heard += chunk.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(heard))
  })
}

/** Root may write to every socket: as root, this asks as somebody else. */
async function asNobody<Value>(act: () => Promise<Value>): Promise<Value> {
  const user = process.geteuid?.() ?? 0
  if (user === 0) process.seteuid?.(65_534)
  try {
    return await act()
  } finally {
    process.seteuid?.(user)
  }
}

function statusOf(answer: string): string | undefined {
  return /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]
}

describe('a server and a client', () => {
  it('carry every view', async () => {
    await serve(sourceOf(two, { plan: async () => ok([{ kind: 'link.up', interface: 'lnet0' as never }]) }))
    expect(await ask(path, 'peers')).toMatchObject({
      ok: true,
      view: { schema: 1, mesh, peers: [{ name: 'node2' }] },
    })
    expect(await ask(path, 'status')).toMatchObject({ ok: true, view: { schema: 1, ready: true } })
    expect(await ask(path, 'plan')).toEqual({
      ok: true,
      view: { schema: 1, steps: [{ kind: 'link.up', sentence: 'bring lnet0 up' }] },
    })
    expect(await ask(path, 'version')).toEqual({ ok: true, view: { schema: 1, version: '0.1.0' } })
  })

  it('carry a mesh of thousands', async () => {
    const names = Array.from({ length: 3000 }, (_, index) => [`${index}`, member(2)] as const)
    await serve(sourceOf({ ...two, membership: new Map(names) as never }))
    const reply = await ask(path, 'peers')
    expect(reply.ok && (reply.view as PeersView).peers.length).toBe(3000)
  })

  it.each(['down', 'leave'] as const)('carry the order %s, once', async action => {
    const orders: string[] = []
    const note = (name: string) => async () => {
      orders.push(name)
      return [
        failureOf('vlnet0 is busy', { why: 'busy', command: 'ip link del', exitCode: 2, stderr: 'busy' }),
      ]
    }
    await serve(sourceOf(two, { down: note('down'), leave: note('leave') }))
    expect(await order(path, action)).toEqual({
      ok: true,
      view: {
        schema: 1,
        action,
        mesh,
        removed: ['lnet0', 'vlnet0'],
        failures: [
          {
            message: 'vlnet0 is busy (busy)',
            what: 'vlnet0 is busy',
            why: 'busy',
            remedy: null,
            command: 'ip link del',
            exit_code: 2,
            stderr: 'busy',
          },
        ],
      },
    })
    expect(orders).toEqual([action])
  })

  it('carry a failure of the daemon with its sentence', async () => {
    await serve(
      sourceOf(two, {
        plan: async () => failed('wg is missing', { remedy: 'apt-get install wireguard-tools' }),
      }),
    )
    expect(await ask(path, 'plan')).toEqual({
      ok: false,
      kind: 'failed',
      message: 'wg is missing: apt-get install wireguard-tools',
    })
  })

  it('survive a bug of the daemon', async () => {
    const snapshots = async () => {
      throw new Error('no such thing')
    }
    await serve(sourceOf(two, { snapshot: snapshots }))
    expect(await ask(path, 'peers')).toMatchObject({
      ok: false,
      message: 'lnetd could not answer (no such thing)',
    })
  })

  it('finish what is under way when the server closes', async () => {
    let release: () => void = () => undefined
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    const server = await serve(
      sourceOf(two, {
        down: async () => {
          await held
          return []
        },
      }),
    )
    const reply = order(path, 'down')
    await sleep(50)
    const closed = server.close()
    release()
    expect(await reply).toMatchObject({ ok: true, view: { action: 'down' } })
    await closed
    expect(existsSync(path)).toBe(false)
  })
})

describe('the socket', () => {
  it('is for root and its group alone, in a directory that is made', async () => {
    await serve()
    expect(lstatSync(path).isSocket()).toBe(true)
    expect(statSync(path).mode & 0o777).toBe(0o660)
  })

  it('is refused to a second daemon', async () => {
    await serve()
    const second = await openControlServer(path, sourceOf(two))
    expect(second).toMatchObject({
      ok: false,
      failure: { what: expect.stringContaining('another lnetd is running') },
    })
    expect((await ask(path, 'version')).ok).toBe(true)
  })

  it('replaces one that a dead daemon left', async () => {
    const first = join(directory, 'first.sock')
    path = join(directory, 'left.sock')
    const dead = createServer()
    await new Promise<void>(resolve => dead.listen(first, resolve))
    // close() takes its own name away; a second name stays, as the socket file does after a crash.
    linkSync(first, path)
    await new Promise(resolve => dead.close(resolve))
    expect(lstatSync(path).isSocket()).toBe(true)
    await serve()
    expect((await ask(path, 'version')).ok).toBe(true)
  })

  it('does not replace what is no socket', async () => {
    path = join(directory, 'precious.txt')
    writeFileSync(path, 'precious')
    const opened = await openControlServer(path, sourceOf(two))
    expect(opened).toMatchObject({
      ok: false,
      failure: { what: expect.stringContaining('is not a socket') },
    })
    expect(statSync(path).size).toBe(8)
  })

  it.each([
    ['a path longer than sun_path', (base: string) => join(base, 'x'.repeat(120)), 'set a shorter socket'],
    [
      'a path through a file',
      (base: string) => join(base, 'file', 'lnetd.sock'),
      'a part of its path is a file',
    ],
  ])('refuses %s with a remedy', async (_, make, words) => {
    writeFileSync(join(directory, 'file'), '')
    const opened = await openControlServer(make(directory), sourceOf(two))
    expect(opened).toMatchObject({ ok: false, failure: { remedy: expect.stringContaining(words) } })
  })
})

describe('what is no question', () => {
  it.each([
    ['an unknown path', 'GET /v1/secrets HTTP/1.1\r\nhost: x\r\n\r\n', '404'],
    ['a later version', 'GET /v2/peers HTTP/1.1\r\nhost: x\r\n\r\n', '404'],
    ['an inherited name', 'GET /v1/__proto__ HTTP/1.1\r\nhost: x\r\n\r\n', '404'],
    ['an order by GET', 'GET /v1/down HTTP/1.1\r\nhost: x\r\n\r\n', '405'],
    ['a question by POST', 'POST /v1/peers HTTP/1.1\r\nhost: x\r\n\r\n', '405'],
    ['a body', 'POST /v1/down HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nabcd', '413'],
    [
      'a chunked body',
      'POST /v1/down HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      '413',
    ],
    ['huge headers', `GET /v1/peers HTTP/1.1\r\nx: ${'y'.repeat(controlRequestBytesMax)}\r\n\r\n`, '400'],
    ['no HTTP', '\u0016\u0003\u0001 hello\r\n\r\n', '400'],
  ])('%s gets its status and changes nothing', async (_, bytes, status) => {
    const orders: string[] = []
    const note = async () => {
      orders.push('done')
      return []
    }
    await serve(sourceOf(two, { down: note, leave: note }))
    expect(statusOf(await exchange(bytes))).toBe(status)
    expect(orders).toEqual([])
    expect((await ask(path, 'version')).ok).toBe(true)
  })

  it('any bytes at all leave the server standing', async () => {
    await serve()
    const verb = fc.constantFrom('GET', 'POST', 'PUT', 'BREW', '')
    const target = fc.oneof(
      fc.constantFrom('/v1/peers', '/v1/status', '*', '//', '/v1/peers?x'),
      fc.webPath(),
    )
    const line = fc.tuple(verb, target, fc.string()).map(parts => `${parts.join(' ')}\r\n\r\n`)
    const bytes = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 6000 }), line)
    await fc.assert(
      fc.asyncProperty(bytes, async sent => {
        const socket = connect(path)
        socket.on('error', () => undefined)
        await new Promise<void>(resolve => socket.end(sent, resolve))
        socket.destroy()
        expect((await ask(path, 'version')).ok).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  it('a request that never ends is cut off, and others are answered meanwhile', async () => {
    await serve()
    const slow = exchange('GET /v1/peers HTTP/1.1\r\nhost: ')
    expect((await ask(path, 'version')).ok).toBe(true)
    expect(statusOf(await slow)).toBe('400')
  }, 20_000)
})

describe('a client', () => {
  it('says what to do when there is no socket, or none that answers', async () => {
    const file = join(directory, 'file')
    writeFileSync(file, '')
    for (const nobody of [path, file, join(file, 'under'), `/${'x'.repeat(200)}`])
      expect(await ask(nobody, 'peers')).toMatchObject({
        ok: false,
        kind: 'unreachable',
        message: expect.stringContaining(nobody),
      })
    expect(await ask(path, 'peers')).toMatchObject({
      message: expect.stringContaining('systemctl status lnetd'),
    })
  })

  it.each([
    ['nonsense', 'nonsense', 8],
    ['another schema', '{"schema":2}', 12],
    ['a list', '[]', 2],
    ['null', 'null', 4],
    ['half an answer', '{"schema":1', 100],
  ])('is not led astray by a server that answers with %s', async (_, body, length) => {
    path = join(directory, 'other.sock')
    const server = createServer(socket => {
      socket.on('error', () => undefined)
      socket.resume()
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${body}`)
    })
    await new Promise<void>(resolve => server.listen(path, resolve))
    expect(await ask(path, 'peers')).toMatchObject({ ok: false, kind: 'failed' })
    await new Promise(resolve => server.close(resolve))
  })

  it('shows no escape sequences that came in a failure', async () => {
    await serve(sourceOf(two, { plan: async () => failed('\u001b[2Jgone') }))
    expect(await ask(path, 'plan')).toMatchObject({ ok: false, message: '?[2Jgone' })
  })

  it('suggests sudo where permission is missing', async () => {
    await serve()
    chmodSync(path, 0)
    const reply = await asNobody(() => ask(path, 'peers'))
    expect(reply).toMatchObject({ ok: false, kind: 'unreachable', message: expect.stringContaining('sudo') })
  })
})

describe('a snapshot', () => {
  it('is asked for anew by every question', async () => {
    let asked = 0
    await serve(
      sourceOf(two, {
        snapshot: async () => {
          asked += 1
          return { ...two, state: asked === 1 ? null : kernelState([]) }
        },
      }),
    )
    expect(await ask(path, 'status')).toMatchObject({ view: { tunnel: null } })
    expect(await ask(path, 'status')).toMatchObject({ view: { tunnel: { interface: 'lnet0' } } })
  })
})
