import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assess, keepRecords, type Seen } from '../../src/mesh/assess.ts'
import { holdsOf, overlayKey, ownerOf, ownHolds } from '../../src/mesh/claims.ts'
import { contestedAddresses, contestedNames } from '../../src/mesh/contested.ts'
import { newTrack, type TunnelTrack } from '../../src/mesh/liveness.ts'
import { hostEntries } from '../../src/mesh/names.ts'
import {
  noRecords,
  type Records,
  readHolders,
  restoredRecords,
  savedHolders,
} from '../../src/mesh/records.ts'
import type { InterfaceAddress } from '../../src/model/address.ts'
import { addressOf } from '../../src/model/address.ts'
import { noClaims, type OwnClaims } from '../../src/model/claims.ts'
import { claimSinceSecondsMin, tenureSeconds, unprovenClaimSecondsMax } from '../../src/model/limits.ts'
import type { Member } from '../../src/model/member.ts'
import type { NodeId, NodeName } from '../../src/model/node.ts'
import {
  announcement,
  configuration,
  member,
  membership,
  nodeId,
  now,
  proofs,
  publicKey,
  vni,
  vtepOf,
  wallSeconds,
} from './world.ts'

const pinned = '192.168.102.77/24' as InterfaceAddress
const key = overlayKey(vni, addressOf(pinned))
const name = 'gauss' as NodeName

/** How a claimant looks from here. */
interface Rival {
  readonly number: number
  readonly since: number
  readonly isProven: boolean
  readonly isHeard: boolean
  readonly heartbeatSeconds: number
  readonly atSeconds: number
}

/** Any moment between before the mesh and long after now, and those next to the bounds. */
const anySince = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 40 }),
  fc.constantFrom(0, 1, claimSinceSecondsMin - 1, claimSinceSecondsMin, wallSeconds - 1, wallSeconds + 300),
)
const anyRival: fc.Arbitrary<Rival> = fc.record({
  number: fc.integer({ min: 3, max: 60 }),
  since: anySince,
  isProven: fc.boolean(),
  isHeard: fc.boolean(),
  heartbeatSeconds: fc.constantFrom(1, 60, 86_400),
  atSeconds: fc.integer({ min: 0, max: 4000 }),
})
const rivals = fc.uniqueArray(anyRival, { maxLength: 5, selector: each => each.number })

function claimant(number: number, since: number, changes: Partial<Member['announcement']> = {}): Member {
  const [segment] = announcement(number).segments
  const segments =
    segment === undefined ? [] : [{ ...segment, addresses: [{ address: pinned, since, pinned: true }] }]
  return member(number, { name, segments, ...changes })
}

/** Node 1, or whoever `self` is, that sees these members at `at` milliseconds, and with what it knew before. */
function see(
  members: readonly Member[],
  records: Records,
  at: number,
  options: { heard?: readonly number[]; proven?: readonly Member[]; warm?: boolean; claims?: OwnClaims } = {},
) {
  const { heard = [], proven = members, warm = true, claims = noClaims } = options
  const tracks = new Map(
    heard.map((number): [TunnelTrack['publicKey'], TunnelTrack] => [
      publicKey(number),
      { ...newTrack(publicKey(number), 0), grewAt: at, handshakeAt: wallSeconds },
    ]),
  )
  const seen: Seen = {
    ...{ configuration: configuration(1, { name: claims === noClaims ? ('self' as NodeName) : name }) },
    ...{ node: nodeId(1), publicKey: publicKey(1), membership: membership(...members) },
    ...{ tracks, proofs: proofs(...proven), unanswered: new Map(), records, warm, now: at, wallSeconds },
  }
  const assessment = assess(seen)
  const announcements = assessment.members.map(each => each.announcement)
  const holds = holdsOf([...announcements, ...ownHolds(nodeId(1), claims)], assessment.judgement)
  return {
    owner: ownerOf(addressOf(pinned), holds.overlay.get(key)),
    names: hostEntries(announcements, new Set([vni]), assessment.judgement),
    records: keepRecords(seen, assessment, claims, holds),
    contested: [...contestedAddresses(holds), ...contestedNames(announcements, assessment.judgement)],
  }
}

function named(entries: ReturnType<typeof hostEntries>): readonly string[] {
  return entries.filter(entry => entry.name === name).map(({ address }) => address)
}

/** Everything each rival may do once the holder has what it has, in order of time. */
function play(
  list: readonly Rival[],
  records: Records,
  start: number,
  ownerOfStep: (owner: NodeId | null) => void,
) {
  let known = records
  const present: Rival[] = []
  for (const rival of list.toSorted((a, b) => a.atSeconds - b.atSeconds)) {
    present.push(rival)
    const at = start + rival.atSeconds * 1000
    const others = present.map(({ number, since, heartbeatSeconds }) => ({
      ...claimant(number, since, { heartbeatSeconds }),
      heardAt: at,
    }))
    const holder = { ...claimant(2, wallSeconds), heardAt: at }
    const seen = see([holder, ...others], known, at, {
      heard: [2, ...present.filter(each => each.isHeard).map(({ number }) => number)],
      proven: [holder, ...others.filter((_, index) => present[index]?.isProven)],
    })
    known = seen.records
    ownerOfStep(seen.owner)
    expect(named(seen.names)).toEqual([addressOf(pinned)])
    expect(new Set(seen.contested.map(({ holder: node }) => node))).toEqual(
      new Set(seen.contested.length === 0 ? [] : [nodeId(2)]),
    )
  }
}

describe('a pinned address and a name of a live holder', () => {
  it('never move, in whatever order rivals come and whatever they say', () => {
    fc.assert(
      fc.property(rivals, list => {
        const first = see([claimant(2, wallSeconds)], noRecords, now, { heard: [2] })
        const established = now + tenureSeconds * 1000
        play(list, first.records, established, owner => expect(owner).toBe(nodeId(2)))
      }),
    )
  })

  it('never move to one without a handshake, however young the claim is', () => {
    fc.assert(
      fc.property(rivals, list => {
        const mute = list.map(rival => ({ ...rival, isProven: false }))
        play(mute, noRecords, now, owner => expect(owner).toBe(nodeId(2)))
      }),
    )
  })

  it('are kept over a restart, also before the holder was heard again', () => {
    fc.assert(
      fc.property(anySince, since => {
        const first = see([claimant(2, wallSeconds)], noRecords, now, { heard: [2] })
        const later = now + tenureSeconds * 1000
        const text = JSON.parse(JSON.stringify(savedHolders(first.records.tenures, later)))
        const restored = restoredRecords(readHolders(text))
        const cold = [claimant(2, wallSeconds), claimant(3, since)]
        expect(see(cold, restored, 1000, { heard: [3], warm: false }).owner).toBe(nodeId(2))
        expect(see(cold, restored, 1000, { heard: [2, 3] }).owner).toBe(nodeId(2))
      }),
    )
  })

  it('are this node’s own as long as it runs', () => {
    const overlay = [{ vni, address: pinned, since: wallSeconds, pinned: true }]
    const claims = { vtep: { address: vtepOf(1), since: 0, pinned: false }, overlay }
    fc.assert(
      fc.property(anySince, since => {
        const alone = see([], noRecords, now, { claims })
        const { owner } = see([claimant(3, since)], alone.records, now + tenureSeconds * 1000, {
          heard: [3],
          claims,
        })
        expect(owner).toBe(nodeId(1))
      }),
    )
  })
})

describe('of two that are seen at once', () => {
  const owner = (sinceA: number, sinceB: number) =>
    see([claimant(2, sinceA), claimant(3, sinceB)], noRecords, now, { heard: [2, 3] }).owner

  it.each([
    ['the older claim', wallSeconds - 5, wallSeconds - 9, 3],
    ['the lower id where they are as old', wallSeconds, wallSeconds, 2],
    ['not one of before the mesh', wallSeconds, 1, 2],
    ['not one of the future', wallSeconds, wallSeconds + 301, 2],
    ['the lower id where nothing is credible', 2 ** 40, 1, 2],
  ])('it is %s, and stays so', (_, sinceA, sinceB, expected) => {
    expect(owner(sinceA, sinceB)).toBe(nodeId(expected))
    const members = [claimant(2, sinceA), claimant(3, sinceB)]
    let { records } = see(members, noRecords, now, { heard: [2, 3] })
    for (const seconds of [1, tenureSeconds, 3600]) {
      const seen = see(members.toReversed(), records, now + seconds * 1000, { heard: [2, 3] })
      expect(seen.owner).toBe(nodeId(expected))
      records = seen.records
    }
  })
})

describe('a holder that is gone', () => {
  const first = see([claimant(2, wallSeconds)], noRecords, now, { heard: [2] })
  const hours = 6 * 3600 * 1000

  it('gives way to one that lives, though it promised to speak once a day', () => {
    const thief = { ...claimant(2, 1, { heartbeatSeconds: 86_400 }), heardAt: now }
    const heir = { ...claimant(3, wallSeconds), heardAt: now + hours }
    const seen = see([thief, heir], first.records, now + hours, { heard: [3] })
    expect(seen.owner).toBe(nodeId(3))
    expect(named(seen.names)).toEqual([addressOf(pinned)])
    expect(seen.contested).toEqual([])
  })

  it('keeps what it has while nobody proven wants it', () => {
    const asleep = { ...claimant(2, wallSeconds), heardAt: now }
    const fake = { ...claimant(3, 1), heardAt: now + hours }
    expect(see([asleep, fake], first.records, now + hours, { proven: [asleep] }).owner).toBe(nodeId(2))
  })
})

describe('a member without a handshake', () => {
  const automatic = (number: number, since: number) =>
    claimant(number, since, {
      segments: announcement(number).segments.map(facts => ({
        ...facts,
        addresses: [{ address: pinned, since, pinned: false }],
      })),
    })

  it('counts for no claim after ten minutes, and for no name at all', () => {
    const both = [automatic(2, wallSeconds), automatic(3, claimSinceSecondsMin)]
    const options = { heard: [2], proven: both.slice(0, 1) }
    const early = see(both, noRecords, now, options)
    expect(early.owner).toBe(nodeId(3))
    const late = see(both, early.records, now + unprovenClaimSecondsMax * 1000, options)
    expect(late.owner).toBe(nodeId(2))
    expect(see(both.slice(1), noRecords, now, { proven: [] }).names).toEqual([])
  })
})

describe('holders in a state file', () => {
  it('are read as far as they are holders, and bounded', () => {
    expect(readHolders(null)).toEqual({})
    expect(readHolders([1])).toEqual({})
    expect(
      readHolders({ 'name gauss': nodeId(2), 'name x': 7, [`name ${'a'.repeat(99)}`]: nodeId(2) }),
    ).toEqual({
      'name gauss': nodeId(2),
    })
    const many = Object.fromEntries(Array.from({ length: 9000 }, (_, index) => [`name n${index}`, nodeId(2)]))
    expect(Object.keys(readHolders(many))).toHaveLength(4096)
  })
})
