import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { RecordEnvelope } from '@libp2p/peer-record'
import type { Envelope, OpenedEnvelope } from '../model/announcement.ts'
import { envelopeBytesMax } from '../model/limits.ts'
import { parseNodeId } from '../model/node.ts'

/** Signed with every envelope, so that nothing signed for another purpose can pass for an announcement. */
export const announcementDomain = 'lnet/announcement/1'
const payloadType = new TextEncoder().encode(announcementDomain)

export type Opening =
  | { readonly ok: true; readonly opened: OpenedEnvelope }
  | { readonly ok: false; readonly reason: 'oversized' | 'malformed' | 'bad-signature' }

/** Signs a payload: a libp2p signed envelope (libp2p RFC 0002) in lnet's own domain. */
export async function sealEnvelope(privateKey: PrivateKey, payload: Uint8Array): Promise<Envelope> {
  const envelope = await RecordEnvelope.seal(
    { domain: announcementDomain, codec: payloadType, marshal: () => payload, equals: () => false },
    privateKey,
  )
  return envelope.marshal()
}

/** Checks bounds, form and signature of hostile bytes. Ed25519 alone; one form only for each content. Never throws. */
export async function openEnvelope(bytes: Uint8Array): Promise<Opening> {
  if (bytes.length > envelopeBytesMax) return { ok: false, reason: 'oversized' }
  const envelope = parse(bytes)
  if (envelope === null) return { ok: false, reason: 'malformed' }
  const author = parseNodeId(peerIdFromPublicKey(envelope.publicKey).toString())
  if (author === null) return { ok: false, reason: 'malformed' }
  if (!(await isSigned(envelope))) return { ok: false, reason: 'bad-signature' }
  return { ok: true, opened: { author, payload: envelope.payload } }
}

function parse(bytes: Uint8Array): RecordEnvelope | null {
  try {
    const envelope = RecordEnvelope.createFromProtobuf(bytes)
    if (envelope.publicKey.type !== 'Ed25519') return null
    if (!isEqual(envelope.payloadType, payloadType)) return null
    return isEqual(envelope.marshal(), bytes) ? envelope : null
  } catch {
    return null
  }
}

async function isSigned(envelope: RecordEnvelope): Promise<boolean> {
  try {
    return await envelope.validate(announcementDomain)
  } catch {
    return false
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
