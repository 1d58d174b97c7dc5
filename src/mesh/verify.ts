import { prefixContains } from '../model/address.ts'
import type { Announcement, OpenedEnvelope, Verdict } from '../model/announcement.ts'
import type { MeshId, NodeId } from '../model/node.ts'
import { decodeAnnouncement } from './codec.ts'
import { derivedAddress, segmentMac, staticNodeId, vtepPrefix } from './derive.ts'

export type Verified =
  | { readonly ok: true; readonly announcement: Announcement }
  | { readonly ok: false; readonly verdict: Verdict }

const verifications = new WeakMap<OpenedEnvelope, { readonly mesh: MeshId; readonly verified: Verified }>()

/**
 * What an opened envelope says, if its author may say it. By author, never by who passed it on. Read once: all nodes
 * of one process (the simulator's) share what it says.
 */
export function verify(opened: OpenedEnvelope, mesh: MeshId): Verified {
  const known = verifications.get(opened)
  if (known?.mesh === mesh) return known.verified
  const verified = read(opened, mesh)
  verifications.set(opened, { mesh, verified })
  return verified
}

function read(opened: OpenedEnvelope, mesh: MeshId): Verified {
  const decoded = decodeAnnouncement(opened.payload)
  if (!decoded.ok) {
    const { kind, reason } = decoded
    return { ok: false, verdict: { kind, reason } as Verdict }
  }
  const { announcement } = decoded
  if (!isAuthorised(announcement, opened.author)) return refuse('foreign-author')
  return holdsOnlyItsOwn(announcement, mesh) ? { ok: true, announcement } : refuse('foreign-address')
}

/** A node speaks for itself, and for static members under the ids that are derived from its own. */
function isAuthorised({ node, declaredBy, publicKey }: Announcement, author: NodeId): boolean {
  if (declaredBy === null) return node === author
  return declaredBy === author && node === staticNodeId(declaredBy, publicKey)
}

/**
 * Derived addresses certify themselves: a MAC or a VTEP derived from another's id cannot be claimed. A static member has
 * the MAC it has: whose a derived one is, shows where all members are known.
 */
function holdsOnlyItsOwn(announcement: Announcement, mesh: MeshId): boolean {
  const { node, declaredBy, vtep, segments } = announcement
  const prefix = vtepPrefix(mesh)
  if (prefixContains(prefix, vtep) && vtep !== derivedAddress(node, prefix)) return false
  return declaredBy !== null || segments.every(segment => segment.mac === segmentMac(node, segment.vni))
}

function refuse(reason: 'foreign-author' | 'foreign-address'): Verified {
  return { ok: false, verdict: { kind: 'reject', reason } }
}
