import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type FloodKind, floods } from './floods.ts'
import { createLab, type Lab } from './lab.ts'
import { connect, createNamespace, type Namespace } from './namespace.ts'
import type { LabNode } from './node.ts'
import { allUp, overlayAddresses, pings } from './overlay.ts'
import { node24, root } from './root.ts'

/** Whoever has the secret can send whatever it likes, as fast as it can: that costs a node little, and the others nothing. */
let lab: Lab
let victim: LabNode
let intruder: Namespace
const secondsEach = Number(process.env.FLOOD_SECONDS ?? 0.75)
/** Of the event loop: 100 ms, and what a shared machine takes from a process beside it. */
const stallMillisecondsMax = 1000
const growthMebibytesMax = 96

beforeAll(async () => {
  lab = await createLab({ nodes: 3 })
  victim = lab.nodes[0] as LabNode
  process.env.NODE_OPTIONS = `--require=${join(root, 'test/lab/loop-probe.cjs')}`
  process.env.LNET_LOOP_PROBE = join(lab.directory, 'stalls')
  victim.start()
  delete process.env.NODE_OPTIONS
  for (const node of lab.nodes.slice(1)) node.start()
  await allUp(lab.nodes)
  intruder = await createNamespace('intruder')
  await connect(lab.hub, [{ node: intruder, interface: 'eth0', addresses: ['192.0.2.201/24'] }], 60)
})
afterAll(() => {
  intruder.close()
  lab.cleanup()
})

it('a flood of whatever kind costs the others nothing, and a node little', { timeout: 300_000 }, async () => {
  const pids = lab.nodes.map(node => node.pid())
  const rss = usage().rss
  const kinds = (process.env.FLOOD_KINDS?.split(',') ?? Object.keys(floods)) as FloodKind[]
  let kind = ''
  let before = { ...usage(), stalls: stalls().length }
  const end = () => {
    const after = usage()
    const worst = Math.max(0, ...stalls().slice(before.stalls))
    const cpu = Math.round((100 * (after.cpu - before.cpu)) / (after.at - before.at))
    console.info(
      `${kind}: stall ${worst} ms, RSS ${Math.round(before.rss)} -> ${Math.round(after.rss)} MiB, ${cpu} % of a core`,
    )
    expect.soft(worst, kind).toBeLessThan(stallMillisecondsMax)
    expect.soft(after.rss - rss, kind).toBeLessThan(growthMebibytesMax)
  }
  for await (const line of flooding(kinds)) {
    if (kind !== '') end()
    kind = line
    before = { ...usage(), stalls: stalls().length }
  }
  expect(kind).toBe('end')
  expect(lab.nodes.map(node => node.pid())).toEqual(pids)
  for (const node of lab.nodes) {
    const reply = await node.ask('peers')
    const honest = (reply.ok ? reply.view.peers : []).filter(({ name }) => /^n\d$/.test(name))
    expect(honest.map(({ state, gossip }) => `${state} ${gossip}`)).toEqual(['up live', 'up live'])
  }
  const { ipv4 } = await overlayAddresses(victim)
  expect(await pings(lab.nodes[1] as LabNode, ipv4)).toBe(true)
})

/** Each kind when it begins, then `end`. */
function flooding(kinds: readonly FloodKind[]): AsyncIterable<string> {
  const files = [node24, join(root, 'test/lab/flooder.ts'), join(lab.directory, 'mesh.secret')]
  const [command, ...args] = intruder.argv([...files, victim.underlay.ipv4, String(secondsEach), ...kinds])
  const { stdout } = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  return createInterface(stdout)
}

function stalls(): readonly number[] {
  return readFileSync(join(lab.directory, 'stalls'), 'utf8').trim().split('\n').map(Number)
}

/** Processor seconds of the victim, in ticks of 10 ms. */
function usage(): { readonly at: number; readonly cpu: number; readonly rss: number } {
  const fields = readFileSync(`/proc/${victim.pid()}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return {
    at: performance.now(),
    cpu: 10 * (Number(fields[11]) + Number(fields[12])),
    rss: victim.memory().rss,
  }
}
