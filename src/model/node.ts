import type { Brand } from './brand.ts'
import { nameCharactersMax, sequenceNumberMax } from './limits.ts'

/** A node's identity: the base58 libp2p peer id of its Ed25519 key, `12D3KooW...` (52 characters). */
export type NodeId = Brand<string, 'NodeId'>
/** A host label (RFC 1123): letters, digits and hyphens, lower case. */
export type NodeName = Brand<string, 'NodeName'>
/** Names a mesh: 32 hexadecimal digits. Addresses and topic hang on it, not on the secret. */
export type MeshId = Brand<string, 'MeshId'>

/** Orders the announcements of one node. */
export interface Sequence {
  readonly incarnation: number
  readonly counter: number
}

const nodeIdPattern = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/
const nodeNamePattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/
const meshIdPattern = /^[0-9a-f]{32}$/

export function parseNodeId(text: string): NodeId | null {
  return nodeIdPattern.test(text) ? (text as NodeId) : null
}

export function parseNodeName(text: string): NodeName | null {
  return text.length <= nameCharactersMax && nodeNamePattern.test(text) ? (text as NodeName) : null
}

/** The nearest valid name to a hostname: lower case, first label, other characters as hyphens; `node` when nothing is left. */
export function nodeNameFromHostname(hostname: string): NodeName {
  const label = (hostname.split('.')[0] ?? '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, nameCharactersMax)
    .replaceAll(/^-+|-+$/g, '')
  return parseNodeName(label) ?? ('node' as NodeName)
}

export function parseMeshId(text: string): MeshId | null {
  return meshIdPattern.test(text) ? (text as MeshId) : null
}

export function isSequence(value: Sequence): boolean {
  return isCount(value.incarnation) && isCount(value.counter)
}

/** Negative when `a` is older than `b`, zero when they are the same. */
export function compareSequence(a: Sequence, b: Sequence): number {
  return a.incarnation - b.incarnation || a.counter - b.counter
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= sequenceNumberMax
}
