import { describe, expect, it } from 'vitest'
import { exemptVteps, sendsPrivileged } from '../../src/mesh/source-ports.ts'
import { compareAddresses } from '../../src/model/address.ts'
import type { Member } from '../../src/model/member.ts'
import { desiredState } from '../kernel/state.ts'
import { announcement, member, now, vtepOf } from './world.ts'

function of(number: number, privileged: boolean, changes: Partial<Member> = {}): Member {
  return { ...member(number), announcement: announcement(number, { privileged }), ...changes }
}

describe('VXLAN from any source port', () => {
  it('is accepted from nobody where all announce privileged ones', () => {
    expect(exemptVteps([], now)).toEqual([])
    expect(exemptVteps([of(2, true), of(3, true)], now)).toEqual([])
  })

  it('is accepted from who does not announce them: an old node opens nothing for the others', () => {
    expect(exemptVteps([of(2, true), of(4, false), of(3, false)], now)).toEqual(
      [vtepOf(3), vtepOf(4)].sort(compareAddresses),
    )
  })

  it('is accepted from who is silent', () => {
    expect(exemptVteps([of(2, true, { heardAt: now - 86_400_000 }), of(3, true)], now)).toEqual([vtepOf(2)])
  })

  it('is accepted from all where more than 64 are exempt, so that each that comes changes nothing', () => {
    const old = Array.from({ length: 65 }, (_, index) => of(index + 2, false))
    expect(exemptVteps(old.slice(1), now)).toHaveLength(64)
    expect(exemptVteps([...old, of(99, true)], now)).toBeNull()
  })
})

it('a node announces privileged source ports while no device of its own sends from others', () => {
  const { segments } = desiredState(2)
  expect(sendsPrivileged([])).toBe(true)
  expect(sendsPrivileged(segments)).toBe(true)
  expect(sendsPrivileged([...segments, ...segments.map(each => ({ ...each, privileged: false }))])).toBe(
    false,
  )
})
