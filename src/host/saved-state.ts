import { createHash } from 'node:crypto'
import { readHolders, type SavedHolders } from '../mesh/records.ts'
import { parseInterfaceAddress, parseIpAddress } from '../model/address.ts'
import { noClaims, type OwnClaims, type OwnOverlayClaim } from '../model/claims.ts'
import {
  forgottenMax,
  overlayAddressesPerSegmentMax,
  segmentsPerMemberMax,
  sequenceNumberMax,
} from '../model/limits.ts'
import { type NodeId, parseNodeId, type Sequence } from '../model/node.ts'
import { type Claim, parseVni } from '../model/segment.ts'

/** What a node must not forget: which numbers it has used up, and which addresses it holds. */
export interface SavedState {
  readonly incarnation: number
  readonly claims: OwnClaims
  /** The keys it belongs to; null in a fresh state, and in one of before they were kept. */
  readonly keys: SavedKeys | null
  /** Who held pinned addresses and names. */
  readonly holders: SavedHolders
  /** Members that were taken out, by the last sequence they reached. */
  readonly forgotten: ReadonlyMap<NodeId, Sequence>
}

/** Texts to compare, and no more. */
export interface SavedKeys {
  readonly node: string
  readonly publicKey: string
}

export const freshState: SavedState = {
  incarnation: 0,
  claims: noClaims,
  keys: null,
  holders: {},
  forgotten: new Map(),
}

/** `damaged`: not what we wrote. `newer`: written by a later version. */
export type Parsed<Value> =
  | { readonly kind: 'whole'; readonly value: Value }
  | { readonly kind: 'damaged' }
  | { readonly kind: 'newer'; readonly version: number }

export const damaged = { kind: 'damaged' } as const

/** Counts the shapes of the state file: a downgrade below it is refused. */
export const stateVersion = 1

export function formatState(state: SavedState): Uint8Array {
  const content = { version: stateVersion, ...state, forgotten: [...state.forgotten] }
  return Buffer.from(`${JSON.stringify({ ...content, check: checkOf(content) }, null, 2)}\n`)
}

export function parseState(bytes: Uint8Array): Parsed<SavedState> {
  const json = parseJson(Buffer.from(bytes).toString('utf8'))
  if (!isRecord(json) || !isCount(json.version)) return damaged
  const { check, ...content } = json
  if (check !== undefined && check !== checkOf(content)) return damaged
  if (json.version > stateVersion) return { kind: 'newer', version: json.version }
  const claims = isRecord(json.claims) ? readClaims(json.claims) : null
  if (claims === null || !isCount(json.incarnation) || json.incarnation > sequenceNumberMax) return damaged
  const { incarnation } = json
  const [keys, holders] = [readKeys(json.keys), readHolders(json.holders)]
  return {
    kind: 'whole',
    value: { incarnation, claims, keys, holders, forgotten: readForgotten(json.forgotten) },
  }
}

/** A disk may give back other numbers than it was given, in a file that is still JSON. */
function checkOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16)
}

function readKeys(json: unknown): SavedKeys | null {
  if (!isRecord(json) || typeof json.node !== 'string' || typeof json.publicKey !== 'string') return null
  return { node: json.node, publicKey: json.publicKey }
}

/** What of it was written by us; the mesh tells the rest again. */
function readForgotten(json: unknown): SavedState['forgotten'] {
  if (!Array.isArray(json)) return new Map()
  return new Map(
    json.slice(0, forgottenMax).flatMap((entry: unknown) => {
      if (!Array.isArray(entry) || typeof entry[0] !== 'string' || !isRecord(entry[1])) return []
      const { incarnation, counter } = entry[1]
      const node = parseNodeId(entry[0])
      if (node === null || !isCount(incarnation) || !isCount(counter)) return []
      return [[node, { incarnation, counter }] as const]
    }),
  )
}

function readClaims(json: Fields): OwnClaims | null {
  const { vtep, overlay } = json
  if (!Array.isArray(overlay) || overlay.length > segmentsPerMemberMax * overlayAddressesPerSegmentMax)
    return null
  const claims = overlay.map(readOverlay)
  if (claims.includes(null)) return null
  const own = vtep === null ? null : readVtep(vtep)
  return vtep !== null && own === null ? null : { vtep: own, overlay: claims as OwnOverlayClaim[] }
}

function readVtep(json: unknown): OwnClaims['vtep'] {
  if (!isRecord(json) || typeof json.address !== 'string') return null
  const address = parseIpAddress(json.address)
  const claim = readClaim(json)
  return address === null || claim === null ? null : { address, ...claim }
}

function readOverlay(json: unknown): OwnOverlayClaim | null {
  if (!isRecord(json) || typeof json.address !== 'string' || typeof json.vni !== 'number') return null
  const address = parseInterfaceAddress(json.address)
  const vni = parseVni(json.vni)
  const claim = readClaim(json)
  return address === null || vni === null || claim === null ? null : { vni, address, ...claim }
}

function readClaim({ since, pinned }: Fields): Claim | null {
  return isCount(since) && typeof pinned === 'boolean' ? { since, pinned } : null
}

type Fields = Readonly<Record<string, unknown>>

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
