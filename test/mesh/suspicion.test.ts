import { expect, it } from 'vitest'
import { newTrack } from '../../src/mesh/liveness.ts'
import { isHearsay } from '../../src/mesh/suspicion.ts'
import { hearsaySeconds } from '../../src/model/limits.ts'
import { announcement, member, nodeId, now } from './world.ts'

const known = { ...member(1), unconfirmedSince: now }
const late = now + hearsaySeconds * 1000 + 1

it('calls hearsay of what nothing but copies came for so long', () => {
  expect(isHearsay(known, null, late - 1)).toBe(false)
  expect(isHearsay(known, null, late)).toBe(true)
  expect(isHearsay(member(1), null, late)).toBe(false)
})

it('believes a tunnel that carried something since, and no older one', () => {
  const track = newTrack(known.announcement.publicKey, now)
  expect(isHearsay(known, { ...track, grewAt: now - 1 }, late)).toBe(true)
  expect(isHearsay(known, { ...track, grewAt: now }, late)).toBe(false)
})

it('asks nothing of machines that cannot speak for themselves', () => {
  const declared = { ...known, announcement: announcement(1, { declaredBy: nodeId(2) }) }
  expect(isHearsay(declared, null, late)).toBe(false)
})
