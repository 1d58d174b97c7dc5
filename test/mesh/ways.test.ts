import { describe, expect, it } from 'vitest'
import { decide, type Situation } from '../../src/mesh/decide.ts'
import { diff } from '../../src/mesh/diff.ts'
import { isGatewayGone, noteAnswer } from '../../src/mesh/ways.ts'
import type { Endpoint, InterfaceName, Prefix } from '../../src/model/address.ts'
import type { Announcement } from '../../src/model/announcement.ts'
import type { RouteAcceptance } from '../../src/model/configuration.ts'
import type { GatewayAnswers, GatewayOffer } from '../../src/model/gateway.ts'
import { emptyKernelState, type KernelState, type WireguardReading } from '../../src/model/kernel-state.ts'
import { gatewaysAskedMax } from '../../src/model/limits.ts'
import type { Member } from '../../src/model/member.ts'
import type { NodeName } from '../../src/model/node.ts'
import { settled } from './settled.ts'
import {
  candidate,
  configuration,
  facts,
  member,
  nodeId,
  observation,
  overlayAddress,
  proofs,
  publicKey,
  reading,
  situation,
  sure,
  underlayAddress,
  vni,
  wallSeconds,
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
  const readings = members.map(({ announcement }) => reading(2, { publicKey: announcement.publicKey }))
  const base = situation(1, members, {
    configuration: configuration(1, { defaultVia: 'auto', acceptRoutes: 'private' }),
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
    const named = configuration(1, { defaultVia: { name: 'node2' as NodeName, node: null } })
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

describe('what counts of an offered route', () => {
  const route = '10.20.0.0/16' as Prefix
  const offering = (number: number, routes: readonly string[], changes: Partial<Announcement> = {}) =>
    member(number, { gateway: { ...offer, everywhere: false, routes: routes as Prefix[] }, ...changes })
  const takenOf = (
    members: readonly Member[],
    acceptRoutes: RouteAcceptance,
    mute: readonly number[] = [],
  ) => {
    const readings = members.map(({ announcement: { publicKey: key } }) => {
      const isMute = mute.some(number => publicKey(number) === key)
      return reading(2, { publicKey: key, ...(isMute ? { handshakeAt: null, receivedBytes: 0 } : {}) })
    })
    const heard = members.filter(({ announcement }) =>
      mute.every(number => publicKey(number) !== announcement.publicKey),
    )
    const { desired, refusedRoutes } = ways(members, {
      proofs: proofs(...heard),
      configuration: configuration(1, { acceptRoutes }),
      observation: observation(emptyKernelState, readings),
    })
    return { taken: desired?.detours.map(({ prefix, via }) => `${prefix} ${via}`), refusedRoutes }
  }

  it('is no endpoint that a member only announces', () => {
    const liar = member(3, { endpoints: [candidate('10.20.0.9:51820')] })
    expect(takenOf([offering(2, [route]), liar], 'private')).toEqual({
      taken: [`${route} 192.168.102.2`],
      refusedRoutes: [],
    })
  })

  it('is no endpoint that never answered, though WireGuard sends there', () => {
    const liar = member(3, { endpoints: [candidate('10.20.0.9:51820')] })
    const unheard = { endpoint: '10.20.0.9:51820' as Endpoint, handshakeAt: null, receivedBytes: 0 }
    const { desired } = ways([offering(2, [route]), liar], {
      proofs: proofs(member(2)),
      observation: observation(emptyKernelState, [reading(2), reading(3, unheard)]),
    })
    expect(desired?.detours.map(({ prefix }) => prefix)).toEqual([route])
  })

  it('is nothing of a gateway without a handshake, whichever id it has', () => {
    expect(takenOf([offering(2, ['10.0.0.0/8', route])], 'private', [2]).taken).toEqual([])
    expect(takenOf([offering(2, [route]), offering(3, [route])], 'private', [2]).taken).toEqual([
      `${route} 192.168.102.3`,
    ])
    const everywhere = [gateway(2)]
    const readings = [reading(2, { handshakeAt: null, receivedBytes: 0 })]
    const mute = { proofs: proofs(), observation: observation(emptyKernelState, readings) }
    expect(defaultOf(ways(everywhere, mute).desired)).toBeUndefined()
  })

  it('leaves the places of those who are asked to gateways with a handshake', () => {
    const fakes = Array.from({ length: gatewaysAskedMax }, (_, index) => offering(index + 2, [route]))
    const honest = offering(99, [route])
    const mute = fakes.map((_, index) => index + 2)
    expect(takenOf([...fakes, honest], 'private', mute).taken).toEqual([`${route} 192.168.102.99`])
  })

  it.each<[string, RouteAcceptance, readonly string[], readonly string[]]>([
    [
      'private networks',
      'private',
      ['10.20.0.0/16', '172.16.0.0/12', '192.168.7.0/24'],
      ['8.0.0.0/8', '100.64.0.0/10', '172.0.0.0/8'],
    ],
    ['those within a list', { networks: ['8.8.0.0/16' as Prefix], members: [] }, ['8.8.8.0/24'], []],
    [
      'all of a member',
      { networks: [], members: [{ name: 'node2' as NodeName, node: null }] },
      ['10.20.0.0/16', '8.0.0.0/8'],
      [],
    ],
    [
      'all of a member with its id',
      { networks: [], members: [{ name: 'node2' as NodeName, node: nodeId(2) }] },
      ['8.0.0.0/8'],
      [],
    ],
    [
      'none of another id',
      { networks: [], members: [{ name: 'node2' as NodeName, node: nodeId(3) }] },
      [],
      [],
    ],
    ['none', 'none', [], []],
  ])('is what the configuration takes: %s', (_, acceptance, expected, public_) => {
    const routes = [
      '8.0.0.0/8',
      '8.8.8.0/24',
      '10.20.0.0/16',
      '100.64.0.0/10',
      '172.0.0.0/8',
      '172.16.0.0/12',
      '192.168.7.0/24',
    ]
    const { taken, refusedRoutes } = takenOf([offering(2, routes)], acceptance)
    const prefixes = taken?.map(text => text.split(' ')[0])
    for (const prefix of expected) expect(prefixes).toContain(prefix)
    if (acceptance === 'private') expect(prefixes).toEqual(expected)
    const notPrivate = refusedRoutes.filter(({ reason }) => reason.includes('accept_routes'))
    for (const prefix of public_) expect(notPrivate.map(each => each.prefix)).toContain(prefix)
    if (expected.length === 0) expect(prefixes).toEqual([])
  })
})

describe('a name that two members bear', () => {
  const reference = { name: 'gauss' as NodeName, node: null }
  const named = configuration(1, { defaultVia: reference })
  const gauss = (number: number) => member(number, { name: reference.name, gateway: offer })

  it('leads nowhere while both live, but with its id it does', () => {
    const answers = [[2, quick] as const, [3, quick] as const]
    expect(defaultOf(ways([gauss(2), gauss(3)], { configuration: named }, answers).desired)).toBeUndefined()
    const exact = configuration(1, { defaultVia: { ...reference, node: nodeId(3) } })
    const both = [gauss(2), gauss(3)]
    expect(defaultOf(ways(both, { configuration: exact }, answers).desired)).toBe('192.168.102.3')
  })

  it.each<[string, Partial<WireguardReading>, number]>([
    ['never had a handshake', { handshakeAt: null, receivedBytes: 0 }, 4],
    ['is dead, however seldom it promises to speak', { handshakeAt: wallSeconds - 4000 }, 4000],
  ])('is that of the other one where one %s', (_, changes, seenSeconds) => {
    const other = member(3, { name: reference.name, gateway: offer, heartbeatSeconds: 86_400 }, seenSeconds)
    const readings = [reading(2), reading(3, changes)]
    const { desired } = ways([gauss(2), other], {
      configuration: named,
      proofs: proofs(gauss(2), ...(changes.handshakeAt === null ? [] : [other])),
      observation: observation(emptyKernelState, readings),
    })
    expect(defaultOf(desired)).toBe('192.168.102.2')
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
