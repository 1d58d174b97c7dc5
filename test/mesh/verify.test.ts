import { describe, expect, it } from 'vitest'
import { encodeAnnouncement } from '../../src/mesh/codec.ts'
import { segmentMac } from '../../src/mesh/derive.ts'
import { verify } from '../../src/mesh/verify.ts'
import type { IpAddress } from '../../src/model/address.ts'
import type { Announcement } from '../../src/model/announcement.ts'
import type { MeshId } from '../../src/model/node.ts'
import { announcement, mesh, nodeId, sure, vni, vtepOf } from './world.ts'

describe('verify', () => {
  it('takes what the author says of itself', () => {
    expect(verify(signed(announcement(1)), mesh)).toEqual({ ok: true, announcement: announcement(1) })
  })

  it('takes a VTEP of another network: who uses the same prefix decides whether it counts', () => {
    const said = announcement(1, { vtep: '192.168.228.1' as IpAddress })
    expect(verify(signed(said), mesh)).toMatchObject({ ok: true })
  })

  it('takes whatever is derived for another mesh as just an address', () => {
    const other = 'ff'.repeat(16) as MeshId
    expect(verify(signed(announcement(1, { vtep: vtepOf(2) })), other)).toMatchObject({ ok: true })
  })

  it.each<[string, Partial<Announcement>, number, string]>([
    ['who speaks for another', {}, 2, 'foreign-author'],
    ["another's derived VTEP", { vtep: vtepOf(2) }, 1, 'foreign-address'],
    ["another's MAC", { segments: [segment(segmentMac(nodeId(2), vni))] }, 1, 'foreign-address'],
    [
      'a MAC of another segment',
      { segments: [segment(segmentMac(nodeId(1), vni), 7)] },
      1,
      'foreign-address',
    ],
    ['a list out of bounds', { mtu: 1 }, 1, 'over-limits'],
    ['a name that is none', { name: 'No Name' as Announcement['name'] }, 1, 'malformed'],
  ])('refuses %s', (_, changes, author, reason) => {
    expect(verify(signed(announcement(1, changes), author), mesh)).toEqual({
      ok: false,
      verdict: { kind: 'reject', reason },
    })
  })

  it('leaves other versions alone and blames nobody', () => {
    const payload = new Uint8Array([0xa1, 0x00, 0x03])
    expect(verify({ author: nodeId(1), payload }, mesh)).toEqual({
      ok: false,
      verdict: { kind: 'ignore', reason: 'unknown-version' },
    })
  })

  it('refuses bytes', () => {
    const refused = (payload: Uint8Array) => verify({ author: nodeId(1), payload }, mesh)
    expect(refused(new Uint8Array([1]))).toMatchObject({ verdict: { kind: 'reject', reason: 'malformed' } })
    expect(refused(new Uint8Array(3000))).toMatchObject({ verdict: { kind: 'reject', reason: 'oversized' } })
  })
})

function signed(said: Announcement, author = 1) {
  return { author: nodeId(author), payload: encodeAnnouncement(said) }
}

function segment(mac: ReturnType<typeof segmentMac>, number: number = vni): Announcement['segments'][number] {
  return { ...sure(announcement(1).segments[0]), mac, vni: number as typeof vni }
}
