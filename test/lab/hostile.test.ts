import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { crashExitCode } from '../../src/host/crash.ts'
import { createLab, eventually, type Lab } from './lab.ts'
import type { Outcome } from './namespace.ts'
import type { LabNode } from './node.ts'
import { allUp, membersUp, overlayAddresses, pings } from './overlay.ts'

/** What a machine does to its daemons: they go on, or end with one clear event; the network stays up either way. */
let lab: Lab
let other: LabNode
let node: LabNode

beforeAll(async () => {
  lab = await createLab({ nodes: 2 })
  ;[other, node] = lab.nodes as [LabNode, LabNode]
  for (const each of lab.nodes) each.start()
  await allUp(lab.nodes)
})
afterAll(() => lab.cleanup())

describe('lnetd goes on', () => {
  it('after it was stopped for a while', async () => {
    const pid = Number(node.pid())
    const { ipv4 } = await overlayAddresses(node)
    process.kill(pid, 'SIGSTOP')
    await sleep(15_000)
    expect(await pings(other, ipv4)).toBe(true)
    // nsenter, which waits for it, stops when it stops.
    for (const each of [pid, parentOf(pid)]) process.kill(each, 'SIGCONT')
    await isWhole(pid)
  })

  it('without descriptors, and changes nothing meanwhile', async () => {
    const pid = Number(node.pid())
    const changes = () =>
      node.logs().filter(({ event }) => event === 'plan.applied' || event === 'underlay.changed')
    const before = changes()
    const shown = await node.namespace.must(['ip', 'link', 'show', 'dev', 'vlnet0'])
    const alias = /alias (\S+)/.exec(shown)?.[1] ?? ''
    await limitFiles(pid, readdirSync(`/proc/${pid}/fd`).length - 9)
    // An event that changes nothing: else it is up to a minute until the kernel is looked at as a whole.
    await node.namespace.must(['ip', 'link', 'set', 'dev', 'vlnet0', 'alias', alias])
    await eventually('it cannot look at the kernel', () =>
      node.logs().some(({ event }) => event === 'kernel.not_observed'),
    )
    // Interfaces and routes are looked at every few seconds.
    await sleep(8000)
    await limitFiles(pid, 4096)
    await isWhole(pid)
    expect(changes()).toEqual(before)
  })

  it('while a hundred ask at once, and some of them never listen', async () => {
    const pid = Number(node.pid())
    const deaf = Array.from({ length: 50 }, () => askWithoutListening(node))
    const replies = await Promise.all(Array.from({ length: 100 }, () => node.ask('peers')))
    expect(replies.filter(({ ok }) => !ok)).toEqual([])
    await isWhole(pid)
    for (const socket of deaf) socket.destroy()
  })

  it('while what it must keep cannot be saved, and says so until it can', async () => {
    const pid = Number(node.pid())
    const stateDir = String(node.configuration.state_dir)
    await node.namespace.must(['mount', '-t', 'tmpfs', '-o', 'ro', 'lnet', stateDir])
    const hasProblem = async () => {
      const reply = await node.ask('status')
      return reply.ok && reply.view.problems.some(({ code }) => code === 'state-not-saved')
    }
    try {
      await rename(other, 'renamed')
      await eventually('the problem is shown', hasProblem)
    } finally {
      await node.namespace.must(['umount', stateDir])
    }
    await eventually('the problem is over', async () => !(await hasProblem()))
    await isWhole(pid)
  })
})

describe('the log', () => {
  beforeAll(stopNode)

  it('is not waited for: neither a reader that stops reading, nor one that goes away', async () => {
    // The pipe is nearly full before the first event.
    const reader = join(lab.directory, 'reads')
    writeFileSync(reader, '')
    const script = `{ head -c 65000 /dev/zero; exec "$@"; } | { while [ -e ${reader} ]; do sleep 0.2; done; }`
    const ended = node.lnetd({ through: ['sh', '-c', script, 'sh'], milliseconds: 100_000 })
    await eventually('it is up while nobody reads', async () => (await membersUp(node)) === 1)
    rmSync(reader)
    await sleep(500)
    await rename(other, 'again')
    await eventually('it hears while there is no reader', async () => {
      const reply = await node.ask('peers')
      return reply.ok && reply.view.peers.some(({ name }) => name === 'again')
    })
    await node.lnetctl(['down'])
    await ended
  })

  it('goes on when its disk has room again', async () => {
    const disk = join(lab.directory, 'log')
    await node.namespace.must(['mkdir', disk])
    await node.namespace.must(['mount', '-t', 'tmpfs', '-o', 'size=16k', 'lnet', disk])
    await node.namespace.run(['dd', 'if=/dev/zero', `of=${disk}/filler`, 'bs=4k'])
    const script = `exec "$@" >${disk}/lnetd.log`
    const ended = node.lnetd({ through: ['sh', '-c', script, 'sh'], milliseconds: 100_000 })
    await eventually('it is up while nothing can be logged', async () => (await membersUp(node)) === 1)
    await node.namespace.must(['rm', `${disk}/filler`])
    await eventually('it logs', async () =>
      /daemon\.ready/.test((await node.namespace.run(['cat', `${disk}/lnetd.log`])).stdout),
    )
    await node.lnetctl(['down'])
    await ended
  })
})

describe('an error nobody caught', () => {
  beforeAll(stopNode)

  it.each([
    ['thrown', 'throw new Error("injected")'],
    ['rejected', 'void Promise.reject(new Error("injected"))'],
  ])(
    'and that was %s ends lnetd with one event; the network stays, and the next start takes it over',
    async (_, fault) => {
      const outcome = await crash(fault)
      expect(outcome.exitCode).toBe(crashExitCode)
      expect(outcome.stderr).toBe('')
      const events = outcome.stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Record<string, unknown>)
      const stack = expect.stringMatching(/injected[\s\S]*at .*fault\.cjs/)
      expect(events.at(-1)).toMatchObject({
        level: 'error',
        event: 'daemon.crashed',
        reason: 'injected',
        stack,
      })
      const { ipv4 } = await overlayAddresses(other)
      expect(await pings(node, ipv4)).toBe(true)
      const plans = node.logs().filter(({ event }) => event === 'plan.applied').length
      node.start()
      await isWhole()
      expect(node.logs().filter(({ event }) => event === 'plan.applied')).toHaveLength(plans)
      await node.stop()
    },
  )
})

/** Everybody sees everybody, by the same process as before. */
async function isWhole(pid?: number): Promise<void> {
  await eventually('the two see each other', async () => {
    const replies = await Promise.all([other, node].map(each => each.ask('peers')))
    return replies.every(reply => {
      const [peer] = reply.ok ? reply.view.peers : []
      return peer?.state === 'up' && peer.gossip === 'live'
    })
  })
  if (pid !== undefined) expect(node.pid()).toBe(pid)
}

function askWithoutListening({ namespace }: LabNode): Socket {
  const socket = connect(`/proc/${namespace.pid}/root/run/lnetd/lnetd.sock`)
  socket.on('error', () => undefined)
  socket.pause()
  socket.write('GET /v1/peers HTTP/1.1\r\nhost: lnetd\r\n\r\n')
  return socket
}

async function stopNode(): Promise<void> {
  if (node.pid() !== null) await node.stop()
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

async function limitFiles(pid: number, files: number): Promise<void> {
  await execa('prlimit', ['--pid', String(pid), `--nofile=${files}:4096`])
}

/** Something new about a node, which the others save. */
async function rename(renamed: LabNode, name: string): Promise<void> {
  await renamed.stop()
  renamed.configuration = { ...renamed.configuration, name }
  renamed.start()
  await renamed.listening()
}

/** Runs lnetd until it is up, then has code of a library run that nobody expects to fail. */
async function crash(fault: string): Promise<Outcome> {
  const now = join(lab.directory, 'now')
  const file = join(lab.directory, 'fault.cjs')
  writeFileSync(
    file,
    `setInterval(() => { if (require('node:fs').existsSync('${now}')) { ${fault} } }, 50)\n`,
  )
  rmSync(now, { force: true })
  const ended = node.lnetd({ through: ['env', `NODE_OPTIONS=--require=${file}`], milliseconds: 60_000 })
  await isWhole()
  writeFileSync(now, '')
  return ended
}
