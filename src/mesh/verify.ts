import { prefixContains } from '../model/address.ts'
import type { Announcement, OpenedEnvelope, Verdict } from '../model/announcement.ts'
import type { MeshId } from '../model/node.ts'
import { decodeAnnouncement } from './codec.ts'
import { derivedAddress, segmentMac, vtepPrefix } from './derive.ts'

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
  if (announcement.node !== opened.author) return refuse('foreign-author')
  return holdsOnlyItsOwn(announcement, mesh) ? { ok: true, announcement } : refuse('foreign-address')
}

/** Derived addresses certify themselves: a MAC or a VTEP derived from another's id cannot be claimed. */
function holdsOnlyItsOwn(announcement: Announcement, mesh: MeshId): boolean {
  const { node, vtep, segments } = announcement
  const prefix = vtepPrefix(mesh)
  if (prefixContains(prefix, vtep) && vtep !== derivedAddress(node, prefix)) return false
  return segments.every(segment => segment.mac === segmentMac(node, segment.vni))
}

function refuse(reason: 'foreign-author' | 'foreign-address'): Verified {
  return { ok: false, verdict: { kind: 'reject', reason } }
}
