import type { Snapshot } from '../../src/control/snapshot.ts'
import { encodeAnnouncement } from '../../src/mesh/codec.ts'
import { tunnelLiveness } from '../../src/mesh/liveness.ts'
import { addressOf } from '../../src/model/address.ts'
import type { Announcement } from '../../src/model/announcement.ts'
import { describeStep } from '../../src/model/describe-step.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import type { KernelState } from '../../src/model/kernel-state.ts'
import { heartbeatSecondsDefault } from '../../src/model/limits.ts'
import { compareSequence, type NodeId } from '../../src/model/node.ts'
import type { Plan } from '../../src/model/step.ts'
import type { Machine } from './machine.ts'
import { pairViolations } from './pair-checks.ts'
import type { Simulator } from './simulator.ts'

/** All that is known of one running node at one moment. */
export interface Sight {
  readonly machine: Machine
  readonly snapshot: Snapshot
  readonly state: KernelState
  readonly plan: Plan | string
  /** Its own word, and what it believes of others, by node. */
  readonly words: ReadonlyMap<NodeId, Announcement>
}

export interface HealedOptions {
  /** Nodes that are gone, or claim what they cannot have: they may lack what a whole node has. */
  readonly except?: readonly string[]
}

/** Looks at running nodes, at all of them unless told otherwise. */
export async function survey(
  sim: Simulator,
  machines: readonly Machine[] = sim.running,
): Promise<readonly Sight[]> {
  return sim.look(() => Promise.all(machines.map(sight)))
}

/** What of a whole mesh is missing, in sentences; nothing when it has healed. Lazy: the first is cheap to have. */
export function* violations(
  sim: Simulator,
  sights: readonly Sight[],
  { except = [] }: HealedOptions = {},
): Generator<string> {
  for (const machine of sim.machines)
    if (machine.refusal !== null) yield `${machine.name} does not start: ${machine.refusal}`
  const whole = sights.filter(({ machine }) => !except.includes(machine.name))
  yield* membershipViolations(whole)
  yield* authorshipViolations(sim, sights)
  yield* planViolations(whole)
  yield* ownerViolations(sights)
  yield* mtuViolations(whole)
  yield* pairViolations(whole)
  yield* tunnelViolations(sim, whole)
}

/** Fails with what is missing. */
export async function expectHealed(sim: Simulator, options: HealedOptions = {}): Promise<void> {
  const missing = [...take(violations(sim, await survey(sim), options), 12)]
  if (missing.length > 0) throw new Error(`the mesh is not whole:\n  ${missing.join('\n  ')}`)
}

async function sight(machine: Machine): Promise<Sight> {
  const { daemon, kernel } = machine
  const snapshot = await daemon.snapshot()
  const plan = await daemon.plan()
  const words = new Map<NodeId, Announcement>()
  if (snapshot.self !== null) words.set(machine.node, snapshot.self)
  for (const [node, member] of snapshot.membership) words.set(node, member.announcement)
  return {
    machine,
    snapshot,
    state: kernel.state,
    plan: plan.ok ? plan.value : sentenceOf(plan.failure),
    words,
  }
}

/** Everybody believes the same of everybody. */
export function* membershipViolations(sights: readonly Sight[]): Generator<string> {
  const [first, ...rest] = sights
  if (first === undefined) return
  for (const { machine } of sights)
    if (!first.words.has(machine.node)) yield `${first.machine.name} does not know ${machine.name}`
  for (const sight of rest) yield* differences(first, sight)
}

function* differences(a: Sight, b: Sight): Generator<string> {
  for (const [node, word] of a.words) {
    const other = b.words.get(node)
    if (other === undefined) yield `${b.machine.name} does not know ${word.name}, ${a.machine.name} does`
    else if (other !== word && !isSameWord(word, other))
      yield `${a.machine.name} and ${b.machine.name} differ about ${word.name}`
  }
  for (const [node, { name }] of b.words)
    if (!a.words.has(node)) yield `${a.machine.name} does not know ${name}, ${b.machine.name} does`
}

/** A heartbeat may be under way: its number may differ, and when the next one is due, nothing else may. */
function isSameWord(a: Announcement, b: Announcement): boolean {
  return compareSequence(a.sequence, b.sequence) === 0 || contentOf(a) === contentOf(b)
}

const contents = new WeakMap<Announcement, string>()

function contentOf(announcement: Announcement): string {
  const known = contents.get(announcement)
  if (known !== undefined) return known
  const bytes = encodeAnnouncement({
    ...announcement,
    sequence: { incarnation: 0, counter: 0 },
    heartbeatSeconds: heartbeatSecondsDefault,
  })
  const content = Buffer.from(bytes).toString('latin1')
  contents.set(announcement, content)
  return content
}

/** Whatever is held anywhere was said by its author, byte for byte. */
function* authorshipViolations(sim: Simulator, sights: readonly Sight[]): Generator<string> {
  const proven = new Set<Uint8Array>()
  for (const { machine, snapshot } of sights)
    for (const [node, { envelope, announcement }] of snapshot.membership) {
      if (proven.has(envelope)) continue
      const said = sim.sealed.get(node)
      // Those who are not simulated daemons are not bound to any record.
      if (said === undefined && !sim.machines.some(other => other.node === node)) continue
      const isSaid = said?.some(word => word === envelope || Buffer.compare(word, envelope) === 0) === true
      if (isSaid) proven.add(envelope)
      else yield `${machine.name} holds words of ${announcement.name} that it never said`
    }
}

function* planViolations(sights: readonly Sight[]): Generator<string> {
  for (const { machine, plan } of sights) {
    if (typeof plan === 'string') yield `${machine.name} cannot plan: ${plan}`
    else if (plan.length > 0)
      yield `${machine.name} still wants to ${plan.slice(0, 3).map(describeStep).join('; ')}`
  }
}

/** What is really on the devices: no address is there twice. */
function* ownerViolations(sights: readonly Sight[]): Generator<string> {
  const owners = new Map<string, string>()
  for (const { machine, state } of sights)
    for (const device of [state.tunnel, ...state.segments])
      for (const address of device?.addresses ?? []) {
        const owner = owners.get(addressOf(address))
        if (owner !== undefined) yield `${address} is up on ${owner} and on ${machine.name}`
        owners.set(addressOf(address), machine.name)
      }
}

function* mtuViolations(sights: readonly Sight[]): Generator<string> {
  const announced = sights.flatMap(({ snapshot }) => (snapshot.self === null ? [] : [snapshot.self.mtu]))
  const agreed = Math.min(...announced)
  for (const { machine, state } of sights)
    if (state.tunnel?.mtu !== agreed)
      yield `${machine.name} has MTU ${state.tunnel?.mtu}, the least of the mesh is ${agreed}`
}

/** Packets pass between every two, and both know it. */
function* tunnelViolations({ wires }: Simulator, sights: readonly Sight[]): Generator<string> {
  for (const { machine, snapshot } of sights)
    for (const { machine: other } of sights) {
      if (other === machine) continue
      const track = snapshot.tracks.get(other.publicKey)
      const liveness = track === undefined ? 'unknown' : tunnelLiveness(track, snapshot.now)
      if (liveness !== 'up')
        yield `${machine.name} finds the tunnel to ${other.name} ${liveness} (${track?.endpoint})`
      if (!wires.passes(machine, other)) yield `nothing passes from ${machine.name} to ${other.name}`
    }
}

/** All say the same of how long ago a member spoke that runs no more, whoever told them. */
export async function expectSameAges(sim: Simulator): Promise<void> {
  const ages = new Map<string, number[]>()
  const running = new Set(sim.running.map(({ node }) => node))
  for (const { snapshot } of await survey(sim))
    for (const { announcement, heardAt } of snapshot.membership.values()) {
      const { node, name, sequence } = announcement
      if (running.has(node)) continue
      const key = `${name} ${sequence.incarnation} ${sequence.counter}`
      ages.set(key, [...(ages.get(key) ?? []), (snapshot.now - heardAt) / 1000])
    }
  for (const [key, seconds] of ages) {
    const spread = Math.max(...seconds) - Math.min(...seconds)
    if (spread > ageSpreadSecondsMax) throw new Error(`the age of ${key} differs by ${spread} s`)
  }
}

/** What a word may be under way. */
const ageSpreadSecondsMax = 10

export function* take<Item>(items: Iterable<Item>, count: number): Generator<Item> {
  let left = count
  if (left > 0)
    for (const item of items) {
      yield item
      left -= 1
      if (left === 0) return
    }
}
