import { describe, expect, it } from 'vitest'
import { hostEntries } from '../../src/mesh/names.ts'
import type { InterfaceAddress } from '../../src/model/address.ts'
import type { NodeName } from '../../src/model/node.ts'
import type { Vni } from '../../src/model/segment.ts'
import { announcement } from '../control/snapshots.ts'

const vnis = new Set([49_371 as Vni])

function lines(...given: Parameters<typeof hostEntries>[0]): readonly string[] {
  return hostEntries(given, vnis).map(({ address, name }) => `${address} ${name}`)
}

function withAddress(number: number, address: string, since: number, name = `node${number}`) {
  const base = announcement(number, { name: name as NodeName })
  return {
    ...base,
    segments: base.segments.map(each => ({
      ...each,
      addresses: [{ address: `${address}/24` as InterfaceAddress, since, pinned: false }],
    })),
  }
}

describe('names of members', () => {
  it('lead to the overlay addresses, sorted', () => {
    expect(lines(announcement(3), announcement(2))).toEqual([
      '192.168.102.2 node2',
      'fd00::2 node2',
      '192.168.102.3 node3',
      'fd00::3 node3',
    ])
  })

  it('lead to no address in a segment this node is not in, and to nobody who left', () => {
    expect(hostEntries([announcement(2)], new Set())).toEqual([])
    expect(lines(announcement(2, { left: true }))).toEqual([])
  })

  it('lead to an address only where the member owns it', () => {
    const first = withAddress(2, '192.168.102.9', 100)
    const later = withAddress(3, '192.168.102.9', 200)
    expect(lines(later, first)).toEqual(['192.168.102.9 node2'])
  })

  it('belong to who claimed first, whatever the order', () => {
    const first = withAddress(3, '192.168.102.8', 100, 'gauss')
    const later = withAddress(2, '192.168.102.9', 200, 'gauss')
    expect(lines(first, later)).toEqual(['192.168.102.8 gauss'])
    expect(lines(later, first)).toEqual(['192.168.102.8 gauss'])
  })
})
