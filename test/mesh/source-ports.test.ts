import { describe, expect, it } from 'vitest'
import { decide } from '../../src/mesh/decide.ts'
import { exemptVteps, sendsPrivileged, unknownVteps } from '../../src/mesh/source-ports.ts'
import { addressOf, compareAddresses, hostPrefix } from '../../src/model/address.ts'
import { emptyKernelState, type WireguardPeer } from '../../src/model/kernel-state.ts'
import type { Member } from '../../src/model/member.ts'
import { desiredState } from '../kernel/state.ts'
import {
  announcement,
  member,
  membership,
  now,
  observation,
  publicKey,
  situation,
  sure,
  vtepOf,
} from './world.ts'

const whole = desiredState(2)
const { tunnel } = whole
/** A network that was taken over has no guard yet. */
const taken = { ...whole, segments: whole.segments.map(segment => ({ ...segment, guard: null })) }

function of(number: number, privileged: boolean, changes: Partial<Member> = {}): Member {
  return { ...member(number), announcement: announcement(number, { privileged }), ...changes }
}

describe('VXLAN from any source port', () => {
  it('is accepted from nobody where all announce privileged ones', () => {
    expect(exemptVteps([], [], now)).toEqual([])
    expect(exemptVteps([of(2, true), of(3, true)], [], now)).toEqual([])
  })

  it('is accepted from who does not announce them: an old node opens nothing for the others', () => {
    expect(exemptVteps([of(2, true), of(4, false), of(3, false)], [], now)).toEqual(
      [vtepOf(3), vtepOf(4)].sort(compareAddresses),
    )
  })

  it('is accepted from who is silent', () => {
    expect(exemptVteps([of(2, true, { heardAt: now - 86_400_000 }), of(3, true)], [], now)).toEqual([
      vtepOf(2),
    ])
  })

  it('is accepted from all where more than 64 are exempt, so that each that comes changes nothing', () => {
    const old = Array.from({ length: 65 }, (_, index) => of(index + 2, false))
    expect(exemptVteps(old.slice(1), [], now)).toHaveLength(64)
    expect(exemptVteps([...old, of(99, true)], [], now)).toBeNull()
  })
})

describe('a peer that no member announces', () => {
  const known = (tunnel?.peers ?? []).map(({ publicKey }, index) => ({
    ...member(index + 2),
    announcement: announcement(index + 2, { publicKey }),
  }))

  it('may send from any source port, unless a guard holds it to some', () => {
    const [one, other] = (tunnel?.peers ?? []).map(({ allowedIps: [vtep] }) => addressOf(sure(vtep)))
    expect(unknownVteps(taken, new Map())).toEqual([one, other])
    expect(unknownVteps(taken, membership(...known.slice(0, 1)))).toEqual([other])
    expect(unknownVteps(taken, membership(...known))).toEqual([])
    expect(unknownVteps(emptyKernelState, new Map())).toEqual([])
    expect(unknownVteps(whole, new Map())).toEqual([])
    expect(exemptVteps([], [sure(one), sure(one)], now)).toEqual([one])
  })

  it('does so only until the mesh was heard, as after a network was taken over', () => {
    const observed = taken
    const before = observation({
      ...observed,
      tunnel: observed.tunnel && { ...observed.tunnel, peers: peersOf(2) },
    })
    const exempt = (warm: boolean) =>
      decide(situation(1, [], { observation: before, warm })).desired?.segments[0]?.guard?.exempt
    expect(exempt(false)).toEqual([vtepOf(2)])
    expect(exempt(true)).toEqual([])
  })

  function peersOf(number: number): readonly WireguardPeer[] {
    const [peer] = tunnel?.peers ?? []
    return [{ ...sure(peer), publicKey: publicKey(number), allowedIps: [hostPrefix(vtepOf(number))] }]
  }
})

it('who has not completed a handshake yet is exempt as well, so that its first frames get in', () => {
  const old = member(2, { privileged: false })
  const { desired } = decide(situation(1, [old], { proofs: new Map() }))
  expect(desired?.segments[0]).toMatchObject({ flood: [], guard: { exempt: [vtepOf(2)] } })
})

it('a node announces privileged source ports while no device of its own sends from others', () => {
  const { segments } = desiredState(2)
  expect(sendsPrivileged([])).toBe(true)
  expect(sendsPrivileged(segments)).toBe(true)
  expect(sendsPrivileged([...segments, ...segments.map(each => ({ ...each, privileged: false }))])).toBe(
    false,
  )
})
