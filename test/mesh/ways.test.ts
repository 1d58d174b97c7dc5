import { describe, expect, it } from 'vitest'
import { decide, type Situation } from '../../src/mesh/decide.ts'
import { diff } from '../../src/mesh/diff.ts'
import { isGatewayGone, noteAnswer } from '../../src/mesh/ways.ts'
import type { InterfaceName, Prefix } from '../../src/model/address.ts'
import type { GatewayAnswers, GatewayOffer } from '../../src/model/gateway.ts'
import { emptyKernelState, type KernelState } from '../../src/model/kernel-state.ts'
import type { Member } from '../../src/model/member.ts'
import type { NodeName } from '../../src/model/node.ts'
import { settled } from './settled.ts'
import {
  configuration,
  facts,
  member,
  nodeId,
  observation,
  overlayAddress,
  reading,
  situation,
  sure,
  underlayAddress,
  vni,
} from './world.ts'

const offer: GatewayOffer = { everywhere: true, segments: [0], routes: [] }

function gateway(number: number, changes: Partial<GatewayOffer> = {}): Member {
  return member(number, { gateway: { ...offer, ...changes } })
}

/** Node 1, which leaves by `defaultVia`, before gateways that answered so. */
function ways(
  members: readonly Member[],
  changes: Partial<Situation> = {},
  answers: readonly (readonly [number, GatewayAnswers])[] = [],
) {
  const readings = members.map((_, index) => reading(index + 2))
  const base = situation(1, members, {
    configuration: configuration(1, { defaultVia: 'auto', acceptRoutes: true }),
    claims: {
      vtep: null,
      overlay: [{ vni, address: overlayAddress(1), since: 1, pinned: true }],
    },
    observation: observation(emptyKernelState, readings),
    answers: new Map(answers.map(([number, each]) => [nodeId(number), each])),
    ...changes,
  })
  return decide(base)
}

function defaultOf(state: KernelState | null): string | undefined {
  return state?.detours.find(({ prefix }) => prefix === '0.0.0.0/0')?.via
}

const quick = { milliseconds: 5, misses: 0 }
const slow = { milliseconds: 80, misses: 0 }

describe('the way to everywhere', () => {
  it('is none unless it is asked for', () => {
    const { desired } = ways([gateway(2)], { configuration: configuration(1) }, [[2, quick]])
    expect(desired?.detours).toEqual([])
    expect(desired?.rules).toEqual([])
  })

  it('is the gateway that answers fastest, or the one that is named', () => {
    const two = [gateway(2), gateway(3)]
    const answers = [[2, slow] as const, [3, quick] as const]
    expect(defaultOf(ways(two, {}, answers).desired)).toBe('192.168.102.3')
    const named = configuration(1, { defaultVia: 'node2' as NodeName })
    expect(defaultOf(ways(two, { configuration: named }, answers).desired)).toBe('192.168.102.2')
    const gone = [[2, { ...slow, misses: 3 }] as const, [3, quick] as const]
    expect(defaultOf(ways(two, { configuration: named }, gone).desired)).toBeUndefined()
  })

  it('stays with the gateway in use while that answers and is not much slower', () => {
    const two = [gateway(2), gateway(3)]
    const current: KernelState = {
      ...emptyKernelState,
      detours: [
        {
          prefix: '0.0.0.0/0' as Prefix,
          via: sure(overlayAddress(2).split('/')[0]) as never,
          device: 'vlnet0' as InterfaceName,
        },
      ],
    }
    const used = { observation: observation(current, [reading(2), reading(3)]) }
    const similar = [[2, { milliseconds: 12, misses: 0 }] as const, [3, quick] as const]
    expect(defaultOf(ways(two, used, similar).desired)).toBe('192.168.102.2')
    expect(
      defaultOf(
        ways(two, used, [
          [2, slow],
          [3, quick],
        ]).desired,
      ),
    ).toBe('192.168.102.3')
    expect(
      defaultOf(
        ways(two, used, [
          [2, { milliseconds: 1, misses: 3 }],
          [3, slow],
        ]).desired,
      ),
    ).toBe('192.168.102.3')
  })

  it.each<[string, GatewayAnswers, GatewayAnswers, string]>([
    ['one that answers takes over', { milliseconds: null, misses: 3 }, slow, '192.168.102.2'],
    ['it has its time', { milliseconds: null, misses: 2 }, quick, '192.168.102.3'],
    ['none answers', { milliseconds: null, misses: 9 }, { milliseconds: null, misses: 9 }, '192.168.102.3'],
  ])('after a gateway in use that never answered: %s', (_, used, other, expected) => {
    const current = sure(ways([gateway(3)], {}, [[3, quick]]).desired)
    const changes = { observation: observation(current, [reading(2), reading(3)]) }
    const answers = [[2, other] as const, [3, used] as const]
    expect(defaultOf(ways([gateway(2), gateway(3)], changes, answers).desired)).toBe(expected)
  })

  it('spares what carries the mesh and what answers to own addresses, before it takes anything', () => {
    const { rules } = sure(ways([gateway(2)], {}, [[2, quick]]).desired)
    const exempt = rules.filter(({ priority }) => priority === 20_101)
    expect(exempt).toContainEqual(
      expect.objectContaining({ protocol: 'udp', sourcePort: 51_820, table: 'main' }),
    )
    expect(exempt).toContainEqual(expect.objectContaining({ from: underlayAddress(1), table: 'main' }))
    expect(rules.slice(-2).map(({ table, withoutDefault }) => [table, withoutDefault])).toEqual([
      ['main', true],
      ['detours', false],
    ])
  })

  it('ends when no gateway is left, so that the own default route holds', () => {
    const before = sure(ways([gateway(2)], {}, [[2, quick]]).desired)
    const { desired } = ways([gateway(2)], {}, [[2, { milliseconds: 5, misses: 3 }]])
    expect(desired?.detours).toEqual([])
    expect(diff(sure(desired), before).map(({ kind }) => kind)).toContain('detour.remove')
  })
})

describe('an offered route', () => {
  it.each([
    ['10.20.0.0/16', null],
    ['192.168.102.0/25', 'overlaps 192.168.102.0/24 of vlnet0'],
    ['203.0.0.0/24', 'node2 is reached at 203.0.0.2'],
    ['198.51.0.0/16', 'overlaps 198.51.100.0/24 of eth1'],
    ['10.0.0.0/7', 'too large'],
    ['224.0.0.0/8', 'not for routes'],
  ])('%s is refused because it %s', (route, reason) => {
    const lan = {
      address: '198.51.100.9' as never,
      network: '198.51.100.0/24' as Prefix,
      interface: 'eth1' as InterfaceName,
      kind: 'physical' as const,
    }
    const own = facts(1, { addresses: [lan] })
    const decision = ways([gateway(2, { everywhere: false, routes: [route as Prefix] })], { facts: own }, [
      [2, quick],
    ])
    const taken = decision.desired?.detours.map(({ prefix }) => prefix)
    expect(taken).toEqual(reason === null ? [route] : [])
    expect(decision.refusedRoutes.map(each => each.reason).join()).toMatch(reason ?? /^$/)
  })
})

describe('a gateway', () => {
  it('borrows the forwarding that was off, and no other', () => {
    const wanted = {
      interface: 'eth0' as InterfaceName,
      segments: ['vlnet0' as InterfaceName],
      nat: true,
      everywhere: true,
      routes: [],
    }
    const config = configuration(1, { gateway: wanted })
    const off = settled(situation(1, [], { configuration: config }))
    expect(off.observation.state.gateway).toMatchObject({
      sources: [{ device: 'vlnet0', network: '192.168.102.0/24' }],
      borrowed: ['eth0', 'vlnet0'],
    })
    const on = { ...observation(), forwarding: ['eth0' as InterfaceName] }
    const half = settled(situation(1, [], { configuration: config, observation: on }))
    expect(half.observation.state.gateway?.borrowed).toEqual(['vlnet0'])
  })
})

describe('answers', () => {
  it('tell of a gateway that answered before, and of no other', () => {
    const miss = (known: GatewayAnswers | undefined) => noteAnswer(known, null)
    expect(isGatewayGone(miss(miss(miss(undefined))))).toBe(false)
    const known = noteAnswer(undefined, 10)
    expect(isGatewayGone(miss(miss(known)))).toBe(false)
    expect(isGatewayGone(miss(miss(miss(known))))).toBe(true)
    expect(noteAnswer(miss(miss(miss(known))), 20)).toEqual({ milliseconds: 12, misses: 0 })
  })
})
