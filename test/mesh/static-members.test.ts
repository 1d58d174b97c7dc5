import { describe, expect, it } from 'vitest'
import { encodeAnnouncement } from '../../src/mesh/codec.ts'
import { decide, type Situation } from '../../src/mesh/decide.ts'
import { segmentMac, staticNodeId } from '../../src/mesh/derive.ts'
import { admit } from '../../src/mesh/membership.ts'
import { chooseNeighbours } from '../../src/mesh/neighbours.ts'
import { actingMembers, dueDeclarations } from '../../src/mesh/static-members.ts'
import { verify } from '../../src/mesh/verify.ts'
import type { HostPort, InterfaceAddress, IpAddress, MacAddress, Prefix } from '../../src/model/address.ts'
import type { Announcement } from '../../src/model/announcement.ts'
import type { StaticMember } from '../../src/model/configuration.ts'
import type { Member, Membership } from '../../src/model/member.ts'
import { parseNodeId } from '../../src/model/node.ts'
import {
  configuration,
  member,
  membership,
  mesh,
  nodeId,
  now,
  publicKey,
  situation,
  sure,
  tunnelConfiguration,
  vni,
  wallSeconds,
} from './world.ts'

const mac = '52:54:00:00:00:07' as MacAddress
const router: StaticMember = {
  name: 'router' as StaticMember['name'],
  publicKey: publicKey(77),
  endpoint: 'router.example.org:51820' as HostPort,
  vtep: '192.168.228.60' as IpAddress,
  mtu: 1420,
  segments: [{ vni, mac, addresses: ['192.168.102.60/24' as InterfaceAddress] }],
}

describe('a static member', () => {
  it('is declared once, again when it changed, and taken back when it is configured no more', () => {
    const [first] = declared(1, [router])
    expect(first).toMatchObject({ declaredBy: nodeId(1), sequence: { incarnation: 5, counter: 0 } })
    const known = membership(asMember(sure(first)))
    expect(declared(1, [router], known)).toEqual([])
    const [changed] = declared(1, [{ ...router, mtu: 1400 }], known)
    expect(changed).toMatchObject({ mtu: 1400, sequence: { incarnation: 5, counter: 1 } })
    expect(changed?.vtepClaim).toEqual(first?.vtepClaim)
    const [gone] = declared(1, [], known)
    expect(gone).toMatchObject({ left: true, segments: [], sequence: { incarnation: 5, counter: 1 } })
    expect(declared(1, [], membership(asMember(sure(gone))))).toEqual([])
    expect(declared(2, [], known)).toEqual([])
  })

  it('is declared anew now and then, so that nobody forgets it', () => {
    const old = { ...asMember(sure(declared(1, [router])[0])), heardAt: now - 100_000_000 }
    expect(declared(1, [router], membership(old))).toMatchObject([{ sequence: { counter: 1 } }])
  })

  it('has an id of its own that is a valid one', () => {
    const id = staticNodeId(nodeId(1), publicKey(77))
    expect(parseNodeId(id)).toBe(id)
    expect(staticNodeId(nodeId(2), publicKey(77))).not.toBe(id)
  })

  it('is believed of whoever declares it, and of nobody else', () => {
    const said = sure(declared(1, [router])[0])
    const by = (author: number, changes: Partial<Announcement> = {}) =>
      verify({ author: nodeId(author), payload: encodeAnnouncement({ ...said, ...changes }) }, mesh)
    expect(by(1)).toEqual({ ok: true, announcement: said })
    expect(by(2)).toMatchObject({ ok: false, verdict: { reason: 'foreign-author' } })
    expect(by(2, { declaredBy: nodeId(2) })).toMatchObject({ verdict: { reason: 'foreign-author' } })
    expect(by(1, { publicKey: publicKey(78) })).toMatchObject({ verdict: { reason: 'foreign-author' } })
    expect(by(1, { node: nodeId(3) })).toMatchObject({ verdict: { reason: 'foreign-author' } })
  })

  it('is never silent, and never dialled', () => {
    const old = { ...asMember(sure(declared(2, [router])[0])), heardAt: now - 500_000_000 }
    expect(chooseNeighbours(nodeId(1), membership(old), now)).toEqual({ wanted: [], spare: [] })
    expect(desiredOf([old]).tunnel?.peers).toHaveLength(1)
  })
})

describe('in the kernel a static member', () => {
  it('is a WireGuard peer without a preshared key, and known like any other', () => {
    const { tunnel, segments } = desiredOf([asMember(sure(declared(2, [router])[0])), member(3)])
    expect(tunnel?.peers.find(peer => peer.publicKey === router.publicKey)).toMatchObject({
      presharedKey: null,
      allowedIps: ['192.168.228.60/32'],
    })
    expect(tunnel?.peers.find(peer => peer.publicKey === publicKey(3))?.presharedKey).not.toBeNull()
    expect(segments[0]?.flood).toEqual(['192.168.228.60'])
    expect(segments[0]?.unicast).toContainEqual({ mac, vtep: '192.168.228.60' })
    expect(segments[0]?.neighbours).toContainEqual({ address: '192.168.102.60', mac })
  })

  it('is only flooded to where its MAC is not known', () => {
    const segmentsOf = [{ vni, mac: null, addresses: ['192.168.102.60/24' as InterfaceAddress] }]
    const said = declared(2, [{ ...router, segments: segmentsOf }])
    const { segments } = desiredOf([asMember(sure(said[0]))])
    expect(segments[0]).toMatchObject({ flood: ['192.168.228.60'], unicast: [], neighbours: [] })
  })

  it("cannot have a node's MAC", () => {
    const stolen = [{ vni, mac: segmentMac(nodeId(3), vni), addresses: [] }]
    const own = [{ vni, mac: segmentMac(nodeId(1), vni), addresses: [] }]
    const third = member(3, { vtep: '192.168.228.3' as IpAddress, vtepClaim: { since: 0, pinned: true } })
    const { segments } = desiredOf([
      asMember(sure(declared(2, [{ ...router, segments: stolen }])[0])),
      asMember(sure(declared(2, [{ ...router, publicKey: publicKey(78), segments: own }])[0])),
      third,
    ])
    expect(segments[0]?.unicast).toEqual([{ mac: segmentMac(nodeId(3), vni), vtep: '192.168.228.3' }])
  })
})

describe('one machine', () => {
  const twice = [2, 3].map(number => asMember(sure(declared(number, [router])[0])))

  it('that two declare is one, the same on every node', () => {
    const [one, ...more] = actingMembers(membership(...twice), publicKey(1))
    expect(more).toEqual([])
    expect(actingMembers(membership(...twice.toReversed()), publicKey(9))).toEqual([one])
    const left = { ...sure(one), announcement: { ...sure(one).announcement, left: true } }
    const rest = twice.filter(each => each.announcement.node !== one?.announcement.node)
    expect(
      actingMembers(membership(left, ...rest), publicKey(1)).filter(({ announcement }) => !announcement.left),
    ).toEqual(rest)
  })

  it('that speaks for itself needs no declaration, until it leaves', () => {
    const itself = member(77)
    expect(actingMembers(membership(...twice, itself), publicKey(1))).toEqual([itself])
    const gone = member(77, { left: true })
    expect(actingMembers(membership(...twice, gone), publicKey(1))).toHaveLength(2)
  })

  it('that is this node itself is not its own member', () => {
    expect(actingMembers(membership(...twice), router.publicKey)).toEqual([])
  })
})

function declared(by: number, wanted: readonly StaticMember[], known: Membership = new Map()) {
  return dueDeclarations(wanted, known, { node: nodeId(by), mesh, incarnation: 5, wallSeconds, now })
}

function asMember(announcement: Announcement): Member {
  const heard = { announcement, envelope: new Uint8Array(), ageMilliseconds: 0 }
  return sure(admit(new Map(), [heard], nodeId(1), now).membership.get(announcement.node))
}

/** By node 1, with VTEPs like those of the article. */
function desiredOf(members: readonly Member[]) {
  const tunnel = tunnelConfiguration({
    prefix: '192.168.228.0/24' as Prefix,
    address: '192.168.228.1' as IpAddress,
  })
  const given: Situation = situation(1, members, { configuration: configuration(1, { tunnel }) })
  return sure(decide(given).desired)
}
