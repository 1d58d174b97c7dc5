import { describe, expect, it } from 'vitest'
import { newTrack } from '../../src/mesh/liveness.ts'
import { belongsInKernel, restrain } from '../../src/mesh/removal.ts'
import { everywhere } from '../../src/mesh/ways.ts'
import type { InterfaceAddress, InterfaceName, MacAddress, Port, Prefix } from '../../src/model/address.ts'
import type { Announcement } from '../../src/model/announcement.ts'
import type { Step, StepKind } from '../../src/model/step.ts'
import { member, now, publicKey, vni, vtepOf } from './world.ts'

const minutes = 60_000

describe('two witnesses', () => {
  it.each<[string, number, number | null, Partial<Announcement>, boolean]>([
    ['live, tunnel heard', 4, 4, {}, true],
    ['live, tunnel silent for hours', 4, 10_000, {}, true],
    ['live, tunnel never heard', 4, null, {}, true],
    ['silent, tunnel heard', 10_000, 4, {}, true],
    ['silent, tunnel quiet for as long as a session lasts', 10_000, 275, {}, true],
    ['silent, tunnel quiet for longer', 10_000, 276, {}, false],
    ['silent, tunnel never heard', 10_000, null, {}, false],
    ['having left, tunnel heard', 4, 4, { left: true }, false],
  ])('%s', (_, seen, heard, changes, expected) => {
    const grewAt = heard === null ? null : now - heard * 1000
    const track = { ...newTrack(publicKey(1), now - 10 * minutes), grewAt, endpointSetAt: now - 1000 }
    expect(belongsInKernel(member(1, changes, seen), track, now)).toBe(expected)
  })

  it('need a look before one can speak', () => {
    expect(belongsInKernel(member(1, {}, 10_000), undefined, now)).toBe(true)
  })
})

describe('a cold start', () => {
  const [tunnel, segment, other] = ['lnet0', 'vlnet0', 'vlnet1'] as InterfaceName[] as [
    InterfaceName,
    InterfaceName,
    InterfaceName,
  ]
  const mac = '02:00:5e:00:53:01' as MacAddress
  const vtep = vtepOf(2)
  const removals: readonly Step[] = [
    { kind: 'peer.remove', interface: tunnel, publicKey: publicKey(2) },
    { kind: 'flood.remove', interface: segment, lower: tunnel, vtep },
    { kind: 'unicast.remove', interface: segment, entry: { mac, vtep } },
    { kind: 'neighbour.remove', interface: segment, entry: { address: vtep, mac } },
    { kind: 'address.remove', interface: segment, address: '192.168.102.1/24' as InterfaceAddress },
    { kind: 'route.remove', route: { prefix: '192.168.102.0/24' as Prefix, device: segment } },
    { kind: 'segment.remove', interface: segment },
    { kind: 'guard.remove', interface: segment },
    { kind: 'detour.remove', detour: { prefix: everywhere, via: vtep, device: segment } },
    { kind: 'tunnel.remove', interface: tunnel },
  ]
  const create: Step = {
    kind: 'segment.create',
    segment: { interface: segment, vni, port: 4789 as Port, local: vtep, lower: tunnel, mac, mtu: 1350 },
  }

  it('takes nothing away', () => {
    expect(restrain(removals, false)).toEqual([])
    expect(restrain(removals, true)).toBe(removals)
  })

  it('takes away what a member had that said farewell', () => {
    const farewell = member(2, { left: true })
    const gone = new Set(['peer.remove', 'flood.remove', 'unicast.remove', 'neighbour.remove'])
    expect(restrain(removals, false, [farewell])).toEqual(removals.filter(({ kind }) => gone.has(kind)))
    expect(restrain(removals, false, [member(2), member(3, { left: true })])).toEqual([])
  })

  it('has removals of every kind here', () => {
    const kinds = new Set<StepKind>(removals.map(({ kind }) => kind))
    expect(kinds.size).toBe(removals.length)
  })

  it('adds what is missing', () => {
    const addition: Step = { kind: 'flood.add', interface: segment, lower: tunnel, vtep }
    expect(restrain([addition, ...removals], false)).toEqual([addition])
  })

  it('makes anew what the configuration says is another device, and only that', () => {
    const gone: Step = { kind: 'segment.remove', interface: segment }
    expect(restrain([gone, { kind: 'segment.remove', interface: other }, create], false)).toEqual([
      gone,
      create,
    ])
    const renamed: readonly Step[] = [
      { kind: 'tunnel.remove', interface: tunnel },
      { kind: 'tunnel.create', interface: 'lnet1' as InterfaceName, mtu: 1420 },
    ]
    expect(restrain(renamed, false)).toEqual(renamed)
  })
})
