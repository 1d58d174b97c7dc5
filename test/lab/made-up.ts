import { createHash } from 'node:crypto'
import { nodeIdFromSeed } from '../../src/host/node-id.ts'
import { derivedAddress, segmentMac, vtepPrefix } from '../../src/mesh/derive.ts'
import type { HostPort } from '../../src/model/address.ts'
import type { Announcement } from '../../src/model/announcement.ts'
import type { MeshId, NodeName } from '../../src/model/node.ts'
import { parseWireguardPublicKey } from '../../src/model/wireguard-key.ts'
import { vni } from '../mesh/world.ts'

export function seedOf(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}

/** What a machine that is not there would announce. */
export function madeUp(mesh: MeshId, seed: Uint8Array, index: number, place: string): Announcement {
  const node = nodeIdFromSeed(seed)
  const publicKey = parseWireguardPublicKey(Buffer.from(seedOf(`key ${index}`)).toString('base64'))
  if (publicKey === null) throw new Error('no key')
  return {
    node,
    declaredBy: null,
    sequence: { incarnation: 1, counter: 1 },
    name: `fake${index}` as NodeName,
    publicKey,
    endpoints: [{ place: place as HostPort, kind: 'configured' }],
    vtep: derivedAddress(node, vtepPrefix(mesh)),
    vtepClaim: { since: 0, pinned: false },
    gossip: [],
    segments: [{ vni, mac: segmentMac(node, vni), addresses: [] }],
    gateway: null,
    privileged: true,
    mtu: 1280,
    heartbeatSeconds: 60,
    software: 'made up',
    left: false,
  }
}
