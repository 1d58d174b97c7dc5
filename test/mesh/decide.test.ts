import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeAnnouncement } from '../../src/mesh/codec.ts'
import { decide, type Situation } from '../../src/mesh/decide.ts'
import { admit } from '../../src/mesh/membership.ts'
import { verify } from '../../src/mesh/verify.ts'
import type { HostPort, InterfaceAddress, Prefix } from '../../src/model/address.ts'
import type { Announcement } from '../../src/model/announcement.ts'
import type { KernelState } from '../../src/model/kernel-state.ts'
import { claimSinceSecondsMin, suspectSeconds } from '../../src/model/limits.ts'
import type { Member, Membership } from '../../src/model/member.ts'
import { anyAnnouncement } from './announcements.ts'
import { after, settled } from './settled.ts'
import {
  announcement,
  candidate,
  configuration,
  endpointOf,
  facts,
  member,
  membership,
  mesh,
  nodeId,
  now,
  observation,
  overlayAddress,
  publicKey,
  reading,
  segmentConfiguration,
  situation,
  sure,
  tunnelConfiguration,
  vni,
  vtepOf,
} from './world.ts'

const others = [2, 3, 4, 5, 6].map(number => member(number))

describe('a decision', () => {
  it('is the same, byte for byte, in whatever order members were heard', () => {
    const orders = fc.shuffledSubarray(others, { minLength: others.length, maxLength: others.length })
    const expected = JSON.stringify(bare(decide(situation(1, others))))
    fc.assert(
      fc.property(orders, order => JSON.stringify(bare(decide(situation(1, order)))) === expected),
      { numRuns: 50 },
    )
  })

  it('twice in the same situation is one', () => {
    const given = situation(1, others)
    expect(decide(given)).toEqual(decide(given))
  })

  it('carried out leaves nothing to do, whoever is in the mesh', () => {
    const members = fc.subarray(others).map(list => membership(...list))
    fc.assert(
      fc.property(members, members, (before, next) => {
        const first = settled(situation(1, [], { membership: before }))
        const second = settled({ ...first, membership: next })
        expect(decide(second).plan).toEqual([])
      }),
      { numRuns: 50 },
    )
  })

  it('wakes for the next trial of whoever is not up, and when a silence of those who are becomes suspect', () => {
    const first = decide(situation(1, others))
    expect(first.dueAt).toBe(now + 300)
    const up = { ...settled(situation(1, others)), now: now + 100 }
    const heard = {
      ...up,
      observation: observation(
        up.observation.state,
        others.map((_, index) => reading(index + 2)),
      ),
    }
    expect(decide(heard).dueAt).toBe(now + 100 + suspectSeconds * 1000)
  })

  it('forgets the tracks of keys that nobody holds any more', () => {
    const given = settled(situation(1, others))
    expect(decide({ ...given, membership: membership(...others.slice(1)) }).tracks.has(publicKey(2))).toBe(
      false,
    )
  })
})

describe('a restarted daemon', () => {
  const running = settled(situation(1, others))
  const found = { ...running, tracks: new Map(), observation: roamed(running.observation.state) }

  it('takes nothing away before it heard the mesh', () => {
    for (const mayChoose of [true, false])
      expect(decide({ ...found, membership: new Map(), warm: false, mayChoose }).plan).toEqual([])
  })

  it('that lost its state keeps the addresses it finds until it may choose', () => {
    const claims = { vtep: null, overlay: [] }
    const { plan } = decide({ ...found, membership: new Map(), claims, warm: false, mayChoose: false })
    expect(plan).toEqual([])
  })

  it('adopts what it finds, endpoints that roamed and all', () => {
    expect(decide(found).plan).toEqual([])
  })

  it('takes away who is gone once it is warm', () => {
    const kinds = decide({ ...found, membership: membership(...others.slice(1)) }).plan.map(
      ({ kind }) => kind,
    )
    expect(kinds).toEqual([
      'flood.remove',
      'unicast.remove',
      'neighbour.remove',
      'neighbour.remove',
      'peer.remove',
    ])
  })
})

describe('a dead member', () => {
  it('stays while either witness speaks, and leaves when both are silent', () => {
    const silent = member(2, {}, 300)
    const lost = (seconds: number) => {
      let state = settled(situation(1, [silent]))
      for (let at = now; at < now + seconds * 1000; at += 7000) state = settled({ ...state, now: at })
      return state.observation.state.segments[0]?.flood
    }
    expect(lost(270)).toEqual([vtepOf(2)])
    expect(lost(285)).toEqual([])
  })

  it('comes back from its first endpoint when it is heard again', () => {
    let state = settled(situation(1, [member(2, {}, 300)]))
    for (let at = now; at < now + 300_000; at += 7000) state = settled({ ...state, now: at })
    const back = { ...member(2), heardAt: now + 600_000 }
    const decision = decide({ ...state, now: now + 600_000, membership: membership(back) })
    expect(decision.plan.map(({ kind }) => kind)).toContain('flood.add')
    expect(decision.tracks.get(publicKey(2))).toMatchObject({
      endpoint: endpointOf(2),
      knownSince: now + 600_000,
    })
  })
})

/** Law 10. Certified addresses make it so: what a liar says of itself is believed, what it says of others is not. */
describe('a lying member', () => {
  const liar = 9
  const honest = others

  /** What the kernel holds of everybody else, and of this node itself. */
  function restOf({ desired }: ReturnType<typeof decide>, lie: Announcement) {
    const { tunnel, segments, routes } = sure(desired) as KernelState
    const [segment] = segments
    const own = new Set<string | null>(lie.segments.map(({ mac }) => mac))
    return {
      tunnel: { ...tunnel, mtu: 0, peers: tunnel?.peers.filter(peer => peer.publicKey !== lie.publicKey) },
      segment: {
        ...segment,
        mtu: 0,
        flood: segment?.flood.filter(vtep => vtep !== lie.vtep),
        unicast: segment?.unicast.filter(({ vtep }) => vtep !== lie.vtep),
        neighbours: segment?.neighbours.filter(({ mac }) => !own.has(mac)),
      },
      routes,
    }
  }

  function heard(lie: Announcement): Membership {
    const verified = verify({ author: nodeId(liar), payload: encodeAnnouncement(lie) }, mesh)
    const known = membership(...honest)
    if (!verified.ok) return known
    const { announcement: taken } = verified
    return admit(
      known,
      [{ announcement: taken, envelope: new Uint8Array(), ageMilliseconds: 0 }],
      nodeId(1),
      now,
    ).membership
  }

  it('changes only its own entries, whatever it says of itself', () => {
    const base = settled(situation(1, honest))
    const truth = decide(base)
    fc.assert(
      fc.property(anyAnnouncement, said => {
        const lie = { ...said, node: nodeId(liar), publicKey: publicKey(liar), left: false }
        expect(restOf(decide({ ...base, membership: heard(lie) }), lie)).toEqual(restOf(truth, lie))
      }),
      { numRuns: 200 },
    )
  })

  it.each<[string, Partial<Announcement>]>([
    ['our VTEP', { vtep: vtepOf(1) }],
    ["another's VTEP", { vtep: vtepOf(2) }],
    ["another's MAC", { segments: announcement(2).segments }],
    ['our MAC', { segments: announcement(1).segments }],
  ])('cannot even say that %s is its own', (_, lie) => {
    expect(heard(announcement(liar, lie))).toEqual(membership(...honest))
  })

  it("does not get another's derived overlay address, however old and pinned its claim", () => {
    const [own] = announcement(liar).segments
    const [, theirs] = sure(announcement(2).segments[0]).addresses
    const lie = announcement(liar, {
      segments: [{ ...sure(own), addresses: [{ ...sure(theirs), since: 0, pinned: true }] }],
    })
    const { desired } = decide(situation(1, [], { membership: heard(lie) }))
    expect(desired?.segments[0]?.neighbours.filter(({ mac }) => mac === own?.mac)).toEqual([])
  })

  it("that claims another's key neither moves its tunnel nor takes its addresses", () => {
    const lie = announcement(liar, {
      publicKey: publicKey(2),
      endpoints: [candidate('198.51.100.66:66', 'configured')],
    })
    const first = settled(situation(1, honest))
    const readings = honest.map((_, index) => reading(index + 2))
    const up = settled({
      ...first,
      observation: observation(first.observation.state, readings),
      now: now + 1000,
    })
    const decision = decide({ ...up, membership: heard(lie), now: now + 2000 })
    const peer = decision.desired?.tunnel?.peers.find(each => each.publicKey === publicKey(2))
    expect(peer?.endpoint).toBe(endpointOf(2))
    expect(peer?.allowedIps).toContain(`${vtepOf(2)}/128`)
    const again = after({ ...up, membership: heard(lie), now: now + 2000 }, decision)
    expect(decide({ ...again, now: now + 3000 }).plan).toEqual([])
  })

  it('that claims our own key gets no peer and costs no wake-up', () => {
    const lie = announcement(liar, { publicKey: publicKey(1) })
    const { desired, dueAt } = decide(situation(1, [{ ...member(liar), announcement: lie }]))
    expect(desired?.tunnel?.peers).toEqual([])
    expect(dueAt).toBe(Number.POSITIVE_INFINITY)
  })

  it('cannot make others send to loopback, groups or into the mesh', () => {
    const places = [
      '127.0.0.1:1',
      '224.0.0.1:1',
      `[${vtepOf(2)}]:1`,
      '192.168.102.2:1',
      '0.0.0.0:1',
    ] as HostPort[]
    const lie = announcement(liar, { endpoints: places.map(place => candidate(place, 'configured')) })
    const { desired } = decide(situation(1, [], { membership: heard(lie) }))
    expect(desired?.tunnel?.peers.find(each => each.publicKey === publicKey(liar))?.endpoint).toBeNull()
  })

  /**
   * The known gaps of the present design, kept here so that whoever closes them sees it: an IPv4 address has no
   * proof, so a claim that says it is older, or pinned, takes an automatic one away.
   */
  it('can still take IPv4 addresses by an old claim, whose holder moves on', () => {
    const first = settled(situation(1, honest))
    const mine = sure(first.claims.overlay[0])
    const [own] = announcement(liar).segments
    const lie = announcement(liar, {
      segments: [
        { ...sure(own), addresses: [{ address: mine.address, since: claimSinceSecondsMin, pinned: false }] },
      ],
    })
    const robbed = decide({ ...first, membership: heard(lie) })
    expect(robbed.claims.overlay[0]?.address).not.toBe(mine.address)
    const theft = announcement(liar, {
      segments: [{ ...sure(own), addresses: [{ address: overlayAddress(2), since: 0, pinned: true }] }],
    })
    const { desired } = decide({ ...first, membership: heard(theft) })
    expect(
      desired?.segments[0]?.neighbours.find(({ address }) => overlayAddress(2).startsWith(`${address}/`))
        ?.mac,
    ).not.toBe(own?.mac)
  })
})

describe('a thousand members', () => {
  const wide = '192.168.0.0/16' as Prefix
  const many = Array.from({ length: 1000 }, (_, index) => heardMember(index + 2))
  const config = configuration(1, {
    tunnel: tunnelConfiguration(),
    segments: [segmentConfiguration({ prefixes: [wide] })],
  })

  it('are decided about quickly', () => {
    const start = settled(situation(1, many, { configuration: config, facts: facts(1) }))
    const readings = many.map((_, index) => reading(index + 2))
    let state: Situation = { ...start, observation: observation(start.observation.state, readings) }
    expect(state.observation.state.segments[0]?.flood.length).toBe(1000)
    const times = Array.from({ length: 10 }, (_, round) => {
      const began = performance.now()
      const decision = decide({ ...state, now: now + round * 1000 })
      const took = performance.now() - began
      expect(decision.plan).toEqual([])
      state = { ...state, tracks: decision.tracks }
      return took
    })
    console.info(`decide, 1000 members: ${Math.min(...times).toFixed(1)} ms at best`)
    expect(Math.min(...times)).toBeLessThan(500)
  })

  function heardMember(number: number): Member {
    const [segment] = announcement(number).segments
    const [ipv4, ipv6] = sure(segment).addresses
    const address = `192.168.${Math.floor(number / 250)}.${number % 250}/16` as InterfaceAddress
    const endpoints = [
      candidate(endpointOf(number)),
      candidate(`192.168.1.${number % 250}:51820`, 'lan'),
      candidate(`[2a00::${number.toString(16)}]:51820`),
    ]
    return member(number, {
      endpoints,
      segments: [{ ...sure(segment), vni, addresses: [{ ...sure(ipv4), address }, sure(ipv6)] }],
    })
  }
})

/** Everyone is heard, from somewhere else than announced. */
function roamed(state: KernelState) {
  const place = (index: number) => endpointOf(index + 50)
  const peers = sure(state.tunnel).peers.map((peer, index) => ({ ...peer, endpoint: place(index) }))
  return observation(
    { ...state, tunnel: { ...sure(state.tunnel), peers } },
    peers.map(({ publicKey: key }, index) => reading(0, { publicKey: key, endpoint: place(index) })),
  )
}

function bare({ tracks, ...decision }: ReturnType<typeof decide>) {
  return { ...decision, tracks: [...tracks].sort() }
}
