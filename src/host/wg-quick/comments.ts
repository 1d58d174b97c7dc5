import { parseInterfaceAddress, parseIpAddress } from '../../model/address.ts'
import { type NodeName, nodeNameFromHostname } from '../../model/node.ts'
import { parseWireguardPublicKey } from '../../model/wireguard-key.ts'

/**
 * The names of the peers of a wg-quick file, in the order of its [Peer] sections; null where no comment says one. A comment
 * belongs to the section it stands above or in. Known are a key (`# Name = gauss`), the markers of programs that write such
 * files, and a word alone.
 */
export function peerNames(lines: readonly string[]): readonly (NodeName | null)[] {
  const kinds = lines.map(kindOf)
  markCommentedOut(lines, kinds)
  const headers = kinds.flatMap((kind, index) => (kind === 'header' ? [index] : []))
  const candidates = new Map<number, Candidate[]>(headers.map(header => [header, []]))
  for (const [index, line] of lines.entries()) {
    const { header, rank } = belonging(index, lines, kinds, headers)
    const said = kinds[index] === 'comment' ? line : (/#.*$/.exec(line)?.[0] ?? '')
    const saying = header === undefined ? null : readComment(said)
    if (saying !== null && header !== undefined) candidates.get(header)?.push({ ...saying, rank, index })
  }
  return headers
    .filter(header => headerOf(lines[header] as string) === 'peer')
    .map(header => best(candidates.get(header) ?? []))
}

/** The section that a line opens, in lower case; null where it opens none. */
export function headerOf(line: string): string | null {
  return /^\s*\[(\w+)\]\s*(?:#.*)?$/.exec(line)?.[1]?.toLowerCase() ?? null
}

type LineKind = 'header' | 'setting' | 'comment' | 'blank'

/** In the section before its settings, above it, or elsewhere in it: in this order. */
type Rank = 0 | 1 | 2

interface Saying {
  readonly name: NodeName
  /** Meant as a name for sure; a word alone may be anything. */
  readonly isMarked: boolean
}

interface Candidate extends Saying {
  readonly rank: Rank
  readonly index: number
}

/** What is meant for sure comes first; of words above a section the nearest one. */
function best(candidates: readonly Candidate[]): NodeName | null {
  const order = candidates.toSorted(
    (a, b) =>
      Number(b.isMarked) - Number(a.isMarked) ||
      a.rank - b.rank ||
      (a.rank === 1 ? b.index - a.index : a.index - b.index),
  )
  return order[0]?.name ?? null
}

function kindOf(line: string): LineKind {
  if (/^\s*$/.test(line)) return 'blank'
  if (/^\s*#/.test(line)) return 'comment'
  return headerOf(line) === null ? 'setting' : 'header'
}

const commentedHeader = /^\s*#[\s#]*\[\w+\]/
const commentedSetting =
  /^\s*#[\s#]*(?:privatekey|listenport|fwmark|address|dns|mtu|table|preup|postup|predown|postdown|saveconfig|publickey|presharedkey|allowedips|endpoint|persistentkeepalive)\s*=/i

/** A section that is commented out has its name in it or directly above it: those lines say nothing of others. */
function markCommentedOut(lines: readonly string[], kinds: LineKind[]): void {
  for (const [index, line] of lines.entries()) {
    if (kinds[index] !== 'comment') continue
    if (commentedSetting.test(line)) kinds[index] = 'blank'
    if (!commentedHeader.test(line)) continue
    let first = index
    while (kinds[first - 1] === 'comment') first -= 1
    let end = index + 1
    while (kinds[end] === 'comment' && !commentedSetting.test(lines[end] as string)) end += 1
    kinds.fill('blank', first, end)
  }
}

/** The header a line's comment is about. Behind the last setting it is the next one, unless a blank line says otherwise. */
function belonging(
  index: number,
  lines: readonly string[],
  kinds: readonly LineKind[],
  headers: readonly number[],
): { readonly header: number | undefined; readonly rank: Rank } {
  const kind = kinds[index]
  if (kind === 'blank') return { header: undefined, rank: 2 }
  if (kind === 'header') return { header: index, rank: 0 }
  const own = headers.findLast(header => header < index)
  const next = headers.find(header => header > index)
  const has = (from: number, to: number) => kinds.slice(from, to).includes('setting')
  const isAfterSettings = own !== undefined && has(own, index)
  const inside = { header: own, rank: isAfterSettings ? 2 : 0 } as const
  if (kind === 'setting' || next === undefined || has(index, next)) return inside
  let first = index
  while (kinds[first - 1] === 'comment') first -= 1
  let end = index
  while (kinds[end] === 'comment') end += 1
  const [before, after] = [kinds[first - 1], kinds[end]]
  const isInside = isAfterSettings
    ? before === 'setting' && after === 'blank' && !beginMarker.test(lines[index] as string)
    : own !== undefined && (before === 'header' || after !== 'header')
  return isInside ? inside : { header: next, rank: 1 }
}

const beginMarker = /^[\s#]*(?:begin|start)\b|\b(?:begin|start)[\s#]*$/i
const endMarker = /^[\s#]*end(?:_peer)?\b|\bend[\s#]*$/i

/** Null where a comment says no name. */
function readComment(comment: string): Saying | null {
  const text = comment.replaceAll(/^[\s#]+|[\s#]+$/g, '').slice(0, commentCharactersMax)
  if (text === '' || endMarker.test(text)) return null
  for (const pattern of markers) {
    const [, said, number] = pattern.exec(text) ?? []
    if (said === undefined) continue
    const name = nameOf(number === undefined ? said : `${said}-${number}`)
    return name === null ? null : { name, isMarked: true }
  }
  const name = /^[\w.@+-]+$/.test(text) ? nameOf(text) : null
  return name === null ? null : { name, isMarked: false }
}

const commentCharactersMax = 500

/** Each with the name as its first group. */
const markers: readonly RegExp[] = [
  // `Name = gauss`, `friendly_name=gauss`, wg-easy's `Client: gauss (id)`, wireguard-ui's `Name:  gauss`.
  /^(?:(?:friendly|client|peer|node|host|user|device)[ _-]?)?name\s*#?\s*[:=]\s*(.+)$/i,
  /^(?:client|peer|node|host|user|device|machine)\s*[:=]\s*(.+)$/i,
  // prometheus_wireguard_exporter
  /^friendly_json\s*[:=].*?"(?:friendly_?name|name|username|hostname|device|description)"\s*:\s*"([^"]+)"/i,
  // wg-gen-web: name, address, dates
  /^(.+?) \/ .*\/ Updated: /,
  // `Client 1`
  /^(client|peer|node|host|device|machine)[ _-](\d+)$/i,
  // PiVPN's `begin gauss`, wireguard-install's `BEGIN_PEER gauss` and `Client gauss`, wireguard-manager's `gauss start`
  /^(?:begin|start)(?:[ _](?:peer|client))?\s+(\S+)$/i,
  /^(\S+)\s+(?:begin|start)$/i,
  /^(?:client|peer|node|host|device|machine)(?:\s+(?:client|peer|node|host|device|name))?\s+(\S+)$/i,
  // linuxserver
  /^peer_(\S+)$/i,
]

/** A label for this word, and null for one that is no name: a number, an address, a key, a date, a word of such files. */
function nameOf(said: string): NodeName | null {
  const text = said.replace(/\s*\([^()]*\)\s*$/, '').replaceAll(/^["'`\s]+|["'`\s,;]+$/g, '')
  if (!/[a-z]/i.test(text) || noNames.has(text.toLowerCase().replaceAll(/[^a-z0-9]/g, ''))) return null
  if (parseIpAddress(text) !== null || parseInterfaceAddress(text) !== null) return null
  if (parseWireguardPublicKey(text) !== null || text.includes('://') || isIdentifier.test(text)) return null
  const name = nodeNameFromHostname(text)
  // What it makes of a text without any letter it knows.
  return name === 'node' && !/^node\b/i.test(text) ? null : name
}

const isIdentifier = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** What stands alone in comments of such files and means something else. */
const noNames: ReadonlySet<string> = new Set(
  `peer peers client clients node nodes host hosts servers machine machines device devices user users member members
  interface interfaces begin end start stop todo fixme note notes warning important caution optional required recommended
  example examples sample template default defaults managed generated auto automatic static dynamic disabled enabled
  inactive active unused deleted removed revoked expired temporary old new this here above below other others all none
  yes no on off true false wireguard wg wgquick vpn vxlan tunnel overlay mesh lnet config configuration settings options
  general main common misc private public key keys privatekey publickey presharedkey psk preshared address addresses
  allowedips allowedip endpoint endpoints persistentkeepalive keepalive listenport port dns mtu table fwmark saveconfig
  preup postup predown postdown route routes routing firewall nat masquerade forwarding ipv4 ipv6 ip4 ip6 local remote
  roadwarrior roadwarriors sitetosite name names hook hooks flood fdb copyright license null undefined unknown unnamed`.split(
    /\s+/,
  ),
)
