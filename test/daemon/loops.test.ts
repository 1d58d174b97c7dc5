import { beforeEach, describe, expect, it } from 'vitest'
import { bridgeProblems } from '../../src/daemon/bridge-problems.ts'
import { createLoopKeeper, type LoopKeeper } from '../../src/daemon/loops.ts'
import type { DaemonParts } from '../../src/daemon/parts.ts'
import type { State } from '../../src/daemon/state.ts'
import type { HeardProbe } from '../../src/kernel/port.ts'
import { loopRisks } from '../../src/mesh/bridge.ts'
import { newTrack } from '../../src/mesh/liveness.ts'
import { keptOut } from '../../src/mesh/loop.ts'
import type { InterfaceName } from '../../src/model/address.ts'
import { emptyKernelState, type SegmentState } from '../../src/model/kernel-state.ts'
import { loopDeafSeconds, loopQuietSecondsMin } from '../../src/model/limits.ts'
import type { LinkPlace } from '../../src/model/loop-watch.ts'
import type { NodeId } from '../../src/model/node.ts'
import {
  bridgeFacts,
  configuration,
  facts,
  member,
  membership,
  nodeId,
  observation,
  publicKey,
  segmentConfiguration,
} from '../mesh/world.ts'

const bridge = bridgeFacts().interface
const ports = ['eth1', 'eth2'] as InterfaceName[]
const numbers = nodeId(1) < nodeId(2) ? ([1, 2] as const) : ([2, 1] as const)
const place = 'fe80::1%br0' as LinkPlace
const allowed = { name: bridge, create: false, allowLoopRisk: true }

/** A node whose segment follows at once. */
interface Machine {
  readonly node: NodeId
  readonly state: State
  readonly keeper: LoopKeeper
  hear: ((heard: HeardProbe) => void) | null
  isIn(): boolean
}

let now: number
let timers: { readonly at: number; readonly run: () => void }[]
let machines: readonly [Machine, Machine]
/** Whether both are on one LAN; whether a machine hears itself. */
let cable: boolean
let echo: boolean

beforeEach(() => {
  now = 0
  timers = []
  cable = false
  echo = true
  machines = [machine(numbers[0]), machine(numbers[1])]
})

describe('two nodes on one LAN', () => {
  it('are a loop, which the one with the higher id breaks within a second', () => {
    pass(10)
    expect(machines.map(({ isIn }) => isIn())).toEqual([true, true])
    cable = true
    pass(1)
    expect(machines.map(({ isIn }) => isIn())).toEqual([true, false])
    const [notice] = problems(machines[0])
    expect(notice).toMatchObject({ code: 'bridge-loop', severity: 'notice' })
    const [problem] = problems(machines[1])
    expect(problem).toMatchObject({ code: 'bridge-loop', severity: 'degraded', subject: 'vlnet0' })
    expect(problem?.what).toContain(`eth2 of br0 leads to node${numbers[0]} (${machines[0].node})`)
    cable = false
    pass(loopQuietSecondsMin + 2)
    expect(machines.map(({ isIn }) => isIn())).toEqual([true, true])
    expect(machines.flatMap(problems)).toEqual([])
  })

  it('that both start there never are one', () => {
    cable = true
    let both = false
    for (let step = 0; step < 200; step += 1) {
      pass(0.2)
      both ||= machines.every(({ isIn }) => isIn())
    }
    expect(both).toBe(false)
    expect(machines.map(({ isIn }) => isIn())).toEqual([true, false])
  })
})

describe('a node whose lnetd ended', () => {
  it('is still in its bridge: the other one stays out until the cable is gone', async () => {
    await inALoop()
    machines[0].keeper.stop()
    await passSlowly(3 * loopQuietSecondsMin)
    expect(machines[1].isIn()).toBe(false)
    cable = false
    await passSlowly(loopQuietSecondsMin + 4)
    expect(machines[1].isIn()).toBe(true)
  })

  it('makes no loop without a tunnel', async () => {
    await inALoop()
    machines[0].keeper.stop()
    machines[1].state.tracks = new Map()
    await passSlowly(loopQuietSecondsMin + 2)
    expect(machines[1].isIn()).toBe(true)
  })

  it('is not in it any more when it said so', async () => {
    await inALoop()
    machines[0].keeper.leave()
    machines[0].keeper.stop()
    await passSlowly(loopQuietSecondsMin + 2)
    expect(machines[1].isIn()).toBe(true)
  })

  async function inALoop(): Promise<void> {
    cable = true
    await passSlowly(5)
    expect(machines.map(({ isIn }) => isIn())).toEqual([true, false])
  }

  /** With time for answers to arrive. */
  async function passSlowly(seconds: number): Promise<void> {
    for (let passed = 0; passed < seconds; passed += 0.4) {
      pass(0.4)
      await Promise.resolve()
    }
  }
})

describe('a node alone', () => {
  it('says when it would not hear a loop, and joins all the same', () => {
    echo = false
    pass(loopDeafSeconds + 1)
    expect(machines[0].isIn()).toBe(true)
    expect(problems(machines[0])).toMatchObject([{ code: 'bridge-unwatched', severity: 'notice' }])
    Object.assign(machines[0].state, {
      observation: { ...machines[0].state.observation, watchesLoops: false },
    })
    expect(problems(machines[0])[0]?.why).toContain('no nftables of family bridge')
  })

  it('has no timer and says nothing without a risk, and after its end', () => {
    const [{ state, keeper }, other] = machines
    pass(1)
    const { observation } = state
    Object.assign(state, { observation: { ...observation, bridges: [bridgeFacts()] } })
    keeper.looked()
    other.keeper.stop()
    expect([state.loops.size, timers.length, machines[0].hear, other.hear]).toEqual([0, 0, null, null])
  })
})

function machine(number: number): Machine {
  const node = nodeId(number)
  const other = publicKey(3 - number)
  const state = {
    configuration: configuration(number, { segments: [segmentConfiguration({ bridge: allowed })] }),
    membership: membership(member(3 - number)),
    sequence: { incarnation: 1, counter: 1 },
    facts: facts(number),
    loops: new Map(),
    // Heard from all the time.
    tracks: new Map([[other, { ...newTrack(other, 0), grewAt: Number.MAX_SAFE_INTEGER }]]),
    observation: null,
  } as Partial<State> as State
  const kernel = { probes: (hear: Machine['hear']) => wire(made, hear) }
  const clock = { now: () => now, setTimer }
  const keeper = createLoopKeeper({ node, clock, kernel } as unknown as DaemonParts, state, () => look(made))
  const isIn = () => state.observation?.state.segments[0]?.bridge === bridge
  const made: Machine = { node, state, keeper, hear: null, isIn }
  look(made)
  return made
}

/** The kernel as it is once the plan was applied. */
function look({ state, keeper }: Machine): void {
  const present = [bridgeFacts({ physicalPorts: ports })]
  const risks = loopRisks(state.configuration.segments, present, [])
  const out = keptOut(risks, state.loops, state.observation ?? observation(), now)
  const segment = { interface: 'vlnet0', bridge: out.size === 0 ? bridge : null } as Partial<SegmentState>
  const loopWatches = [{ interface: 'vlnet0' as InterfaceName, ports }]
  state.observation = observation(
    { ...emptyKernelState, segments: [segment as SegmentState], loopWatches },
    [],
    present,
  )
  keeper?.looked()
}

function wire(own: Machine, hear: Machine['hear']): ReturnType<DaemonParts['kernel']['probes']> {
  own.hear = hear
  return {
    say(onto, probe) {
      for (const each of machines) {
        if (each === own && echo) each.hear?.({ probe, bridge: onto, port: null, place })
        if (each !== own && cable) each.hear?.({ probe, bridge: onto, port: 1, place })
      }
    },
    ask: () => Promise.resolve(cable),
    close() {
      own.hear = null
    },
  }
}

function setTimer(milliseconds: number, run: () => void) {
  const timer = { at: now + milliseconds, run }
  timers.push(timer)
  return () => {
    timers = timers.filter(each => each !== timer)
  }
}

function pass(seconds: number): void {
  const end = now + seconds * 1000
  for (;;) {
    const [next] = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
    if (next === undefined) break
    timers = timers.filter(each => each !== next)
    now = next.at
    next.run()
  }
  now = end
}

function problems({ state }: Machine) {
  return bridgeProblems({ clock: { now: () => now } } as unknown as DaemonParts, state)
}
