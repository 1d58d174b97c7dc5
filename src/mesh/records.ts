import { holdersSavedMax, tenureSeconds } from '../model/limits.ts'
import type { Membership } from '../model/member.ts'
import { type NodeId, parseNodeId } from '../model/node.ts'
import type { KeyTenures } from './key-claims.ts'
import { type Proofs, sameProven } from './proof.ts'

/**
 * What only one can have, as a text: `name gauss`, `vtep 192.168.228.5`, `49371 192.168.102.7`.
 * Addresses are in here only where they are pinned.
 */
export type Holding = string

/** Whether it is a VTEP. */
export function isVtep(holding: Holding): boolean {
  return holding.startsWith('vtep ')
}

/** Who has it as this node saw it, and since when: monotonic milliseconds, negative infinity for before the start. */
export interface Tenure {
  readonly node: NodeId
  readonly since: number
}

/** What this node saw of claims, so that no announcement can say that it was earlier. */
export interface Records {
  readonly tenures: ReadonlyMap<Holding, Tenure>
  readonly keys: KeyTenures
  /** When each member was first heard since the start. */
  readonly met: ReadonlyMap<NodeId, number>
}

export const noRecords: Records = { tenures: new Map(), keys: new Map(), met: new Map() }

/** As long as a claim is younger, claims to the same thing count as made at once. */
export function isEstablished({ since }: Tenure, now: number): boolean {
  return now - since >= tenureSeconds * 1000
}

/**
 * After what was decided now. What nobody holds any more is dropped, but not before the mesh was heard: its holder may
 * only not have spoken yet.
 */
export function keepTenures(
  before: ReadonlyMap<Holding, Tenure>,
  owners: ReadonlyMap<Holding, NodeId>,
  warm: boolean,
  now: number,
): ReadonlyMap<Holding, Tenure> {
  const after = new Map<Holding, Tenure>(warm ? [] : before)
  for (const [holding, node] of owners) {
    const known = before.get(holding)
    after.set(holding, known?.node === node ? known : { node, since: now })
  }
  return isSame(before, after) ? before : after
}

/** When members were first heard, of those that are still known. */
export function keepMet(
  before: ReadonlyMap<NodeId, number>,
  membership: Membership,
  now: number,
): ReadonlyMap<NodeId, number> {
  const after = new Map(Array.from(membership.keys(), node => [node, before.get(node) ?? now] as const))
  return isSame(before, after) ? before : after
}

/** What is to be known after a restart: established holders alone. */
export type SavedHolders = Readonly<Record<Holding, NodeId>>

export function savedHolders(tenures: Records['tenures'], now: number): SavedHolders {
  const established = [...tenures].filter(([, tenure]) => isEstablished(tenure, now))
  return Object.fromEntries(
    established.slice(0, holdersSavedMax).map(([holding, { node }]) => [holding, node] as const),
  )
}

export function restoredRecords(saved: SavedHolders): Records {
  const tenures = Object.entries(saved).map(
    ([holding, node]) => [holding, { node, since: Number.NEGATIVE_INFINITY }] as const,
  )
  return { ...noRecords, tenures: new Map(tenures) }
}

/** Whether what is kept over restarts is still the same. */
export function areSaved(now: Kept, before: Kept): boolean {
  return now.records.tenures === before.records.tenures && sameProven(now.proofs, before.proofs)
}

interface Kept {
  readonly records: Records
  readonly proofs: Proofs
}

/** What of a state file are holders; whatever else is there is left out. */
export function readHolders(value: unknown): SavedHolders {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  const entries = Object.entries(value).slice(0, holdersSavedMax)
  return Object.fromEntries(
    entries.flatMap(([holding, text]) => {
      const node = typeof text === 'string' ? parseNodeId(text) : null
      return node === null || holding.length > holdingCharactersMax ? [] : [[holding, node] as const]
    }),
  )
}

/** A name of 63 characters, or the longest address with a VNI, and its word. */
const holdingCharactersMax = 80

function isSame<Key, Value>(a: ReadonlyMap<Key, Value>, b: ReadonlyMap<Key, Value>): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of b) if (a.get(key) !== value) return false
  return true
}
