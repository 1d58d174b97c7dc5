import { describe, expect, it } from 'vitest'
import { isProven, noteProofs, proofsOf, sameProven, withoutRivals } from '../../src/mesh/proof.ts'
import { member, nodeId, now, proofs, publicKey, reading, wallSeconds } from './world.ts'

const nobody = new Map()

describe('a member', () => {
  it('is proven by a handshake with the key it announces, and not by another', () => {
    expect(isProven(member(2), nobody)).toBe(false)
    expect(isProven(member(2), proofs(member(2)))).toBe(true)
    expect(isProven(member(2, { publicKey: publicKey(9) }), proofs(member(2)))).toBe(false)
  })

  it('is proven by what WireGuard reads, and keeps its last handshake when its peer is made anew', () => {
    const first = noteProofs(nobody, [member(2), member(3)], [reading(2), reading(3, { handshakeAt: null })])
    expect([...first]).toEqual([[nodeId(2), { publicKey: publicKey(2), handshakeAt: wallSeconds - 60 }]])
    expect(noteProofs(first, [member(2)], [reading(2, { handshakeAt: null })])).toBe(first)
    expect(noteProofs(first, [member(2)], [])).toBe(first)
    const later = noteProofs(first, [member(2)], [reading(2, { handshakeAt: wallSeconds })])
    expect(later.get(nodeId(2))?.handshakeAt).toBe(wallSeconds)
    expect(sameProven(first, later)).toBe(true)
  })

  it('takes its proof along when it is forgotten', () => {
    const both = proofs(member(2), member(3))
    expect([...proofsOf(both, node => node === nodeId(2)).keys()]).toEqual([nodeId(2)])
    expect(proofsOf(both, () => true)).toBe(both)
    expect(sameProven(both, proofs(member(2)))).toBe(false)
  })
})

describe('of those that claim one key', () => {
  const holder = member(5)
  const rivals = [member(2, { publicKey: publicKey(5) }), member(9, { publicKey: publicKey(5) })]
  const all = [...rivals, holder]

  it('only the proven one acts, whatever the ids', () => {
    expect(withoutRivals([member(3), ...all], proofs(holder), now)).toEqual([member(3), holder])
  })

  it('all act while none is proven', () => {
    expect(withoutRivals(all, nobody, now)).toEqual(all)
  })

  it('one acts beside a holder that is silent, and the holder still does', () => {
    const silent = member(5, {}, 300)
    expect(withoutRivals([...rivals, silent], proofs(silent), now)).toEqual([rivals[0], silent])
  })
})
