import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { staticNodeId } from '../../src/mesh/derive.ts'
import {
  type KeySituation,
  type KeyTenures,
  keepKeys,
  keyTurnDueAt,
  mayProve,
} from '../../src/mesh/key-claims.ts'
import { newTrack } from '../../src/mesh/liveness.ts'
import { actingMembers } from '../../src/mesh/static-members.ts'
import type { Endpoint, IpAddress } from '../../src/model/address.ts'
import { handshakeFreshSecondsMax, keyTrialSeconds } from '../../src/model/limits.ts'
import type { Member } from '../../src/model/member.ts'
import { member, membership, nodeId, now, proofs, publicKey, sure } from './world.ts'

const key = publicKey(77)
/** Where WireGuard hears it. */
const place = '192.0.2.77:51820' as Endpoint

/** The machine with that key, as this node declares it. */
function declared(by: number): Member {
  return member(77, { node: staticNodeId(nodeId(by), key), declaredBy: nodeId(by) })
}

/** A member that says the key is its own. */
function speaking(number: number, vtep?: IpAddress): Member {
  return member(number, { publicKey: key, ...(vtep === undefined ? {} : { vtep }) })
}

function situation(
  members: readonly Member[],
  at: number,
  grewAt: number | null,
  gossipAt: KeySituation['gossipAt'] = new Map(),
): KeySituation {
  const track = { ...newTrack(key, 0), grewAt, handshakeAt: grewAt, aliveEndpoint: place }
  return {
    membership: membership(...members),
    node: nodeId(1),
    proofs: proofs(),
    tracks: new Map([[key, track]]),
    gossipAt,
    now: at,
  }
}

function acting(members: readonly Member[], keys: KeyTenures): readonly string[] {
  return actingMembers(membership(...members), publicKey(1), keys).map(
    ({ announcement }) => announcement.node,
  )
}

describe('a declared machine', () => {
  const honest = declared(2)
  const first = keepKeys(new Map(), situation([honest], now, now))

  it('that speaks for itself from where it is heard counts at once, and one that speaks from elsewhere does not', () => {
    const own = speaking(77, honest.announcement.vtep)
    const at = (address: string) => new Map([[own.announcement.node, address as IpAddress]])
    const soon = now + 1000
    const here = keepKeys(first, situation([honest, own], soon, now, at('192.0.2.77')))
    expect(acting([honest, own], here)).toEqual([own.announcement.node])
    const kept = keepKeys(here, situation([honest, own], soon + 60_000, soon + 60_000, at('192.0.2.77')))
    expect(acting([honest, own], kept)).toEqual([own.announcement.node])
    const elsewhere = keepKeys(first, situation([honest, own], soon, now, at('192.0.2.3')))
    expect(acting([honest, own], elsewhere)).toEqual([honest.announcement.node])
  })

  it('loses its turn once at most to a liar behind the same address', () => {
    const liar = speaking(9, honest.announcement.vtep)
    const gossipAt = new Map([[liar.announcement.node, '192.0.2.77' as IpAddress]])
    let keys = first
    let honestSeconds = 0
    let heardAt = now
    for (let second = 1; second <= 3600; second += 1) {
      const at = now + second * 1000
      const acts = acting([honest, liar], keys)[0] === honest.announcement.node
      if (acts) heardAt = at
      honestSeconds += Number(acts)
      keys = keepKeys(keys, situation([honest, liar], at, heardAt, gossipAt))
    }
    expect(honestSeconds).toBeGreaterThan(3600 - handshakeFreshSecondsMax - 10)
    const elsewhere = keepKeys(first, situation([honest, speaking(9)], now + 1000, now, gossipAt))
    expect(acting([honest, speaking(9)], elsewhere)).toEqual([honest.announcement.node])
  })

  it('that answers is never cut off, whoever claims its key and whenever', () => {
    const claimant = fc.oneof(
      fc.integer({ min: 3, max: 60 }).map(speaking),
      fc.integer({ min: 3, max: 60 }).map(declared),
    )
    const order = fc.array(fc.record({ rival: claimant, seconds: fc.integer({ min: 0, max: 270 }) }), {
      maxLength: 8,
    })
    fc.assert(
      fc.property(order, list => {
        const members = [honest]
        let [keys, at] = [first, now]
        for (const { rival, seconds } of list) {
          members.push(rival)
          const heardAt = at
          at += seconds * 1000
          keys = keepKeys(keys, situation(members, at, Math.max(heardAt, now)))
          expect(acting(members, keys)).toEqual([honest.announcement.node])
          keys = keepKeys(keys, situation(members, at, at))
        }
      }),
    )
  })

  it('is what its own declaration says, whoever else declares it', () => {
    const ours = declared(1)
    const keys = keepKeys(first, situation([honest, ours], now + 1000, now + 1000))
    expect(acting([honest, ours], keys)).toEqual([ours.announcement.node])
  })

  it('that runs lnetd by now is found out by a handshake, and what answered before proves nothing', () => {
    const both = [honest, speaking(77)]
    const silentAt = now + handshakeFreshSecondsMax * 1000
    const waiting = keepKeys(first, situation(both, silentAt, now))
    expect(acting(both, waiting)).toEqual([honest.announcement.node])
    expect(keyTurnDueAt(waiting, situation(both, silentAt, now))).toBe(silentAt + 1)
    const trial = keepKeys(waiting, situation(both, silentAt + 1, now))
    expect(acting(both, trial)).toEqual([nodeId(77)])
    expect(mayProve(sure(both[1]), trial, situation(both, silentAt + 1, now).tracks)).toBe(false)
    const heard = situation(both, silentAt + 9000, silentAt + 9000)
    expect(mayProve(sure(both[1]), keepKeys(trial, heard), heard.tracks)).toBe(true)
    const later = situation(both, silentAt + 200_000, silentAt + 190_000)
    expect(acting(both, keepKeys(keepKeys(trial, heard), later))).toEqual([nodeId(77)])
  })

  it('that was off while a liar was tried has its turn again within a minute', () => {
    const both = [honest, speaking(3)]
    const silentAt = now + handshakeFreshSecondsMax * 1000 + 1
    const trial = keepKeys(first, situation(both, silentAt, now))
    expect(acting(both, trial)).toEqual([nodeId(3)])
    const back = silentAt + keyTrialSeconds * 1000 + 1
    const turn = keepKeys(trial, situation(both, back, now))
    expect(acting(both, turn)).toEqual([honest.announcement.node])
    const heard = keepKeys(turn, situation(both, back + 100_000, back + 5000))
    expect(acting(both, heard)).toEqual([honest.announcement.node])
  })
})

describe('keys that nobody declares', () => {
  it('are nothing to decide about', () => {
    const both = situation([speaking(2), speaking(3)], now, null)
    expect(keepKeys(new Map(), both).size).toBe(0)
    expect(acting([speaking(2), speaking(3)], new Map())).toHaveLength(2)
  })
})
