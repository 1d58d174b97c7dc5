import type { PeerRow, PeersView, SegmentSummary, StatusView } from './protocol.ts'

/** What a file needs beside what is shown: this node's own keys. */
export interface OwnKeys {
  readonly privateKey: string
  presharedKey(publicKey: string): string
}

/** Whose file it is: this node's own, or that of a static member, whose private key only its machine has. */
export interface WgQuickFor {
  readonly row: PeerRow
  /** Null for a static member. */
  readonly keys: OwnKeys | null
}

/** A complete wg-quick file in the manner of L-Net 1.2, as the mesh is now: peers, segments, flood entries, guard and MTU. */
export function wgQuickFile(
  { peers, self }: PeersView,
  status: StatusView,
  { row, keys }: WgQuickFor,
): string {
  const others = [...(self === null ? [] : [self]), ...peers].filter(
    ({ node, state }) => node !== row.node && state !== 'left',
  )
  return [
    ...interfaceLines(status, row, others, keys),
    ...others.flatMap(other => peerLines(other, keys)),
    '',
  ].join('\n')
}

/** What a phone can take: WireGuard alone, because it has no VXLAN. */
export function withoutHooks(file: string): string {
  return file.replaceAll(/^(PostUp|PreDown|Table) = .*\n/gm, '')
}

function interfaceLines(
  { tunnel, segments }: StatusView,
  row: PeerRow,
  others: readonly PeerRow[],
  keys: OwnKeys | null,
): readonly string[] {
  const own =
    tunnel?.addresses.find(address => address.startsWith(`${row.vtep}/`)) ?? tunnel?.addresses[0] ?? ''
  const length = own.slice(own.indexOf('/'))
  const port = keys === null ? (row.endpoint?.slice(row.endpoint.lastIndexOf(':') + 1) ?? null) : tunnel?.port
  const mtu = keys === null ? row.mtu : (tunnel?.mtu ?? row.mtu)
  const hooks = segments.flatMap(segment =>
    segmentLines(segment, row, others, `${row.vtep}${length}`, mtu, keys !== null),
  )
  return [
    `# ${row.name}, as lnet knew it. Others that come later are not in here.`,
    '[Interface]',
    `Address = ${row.vtep}${length}`,
    ...(port === null || port === undefined ? [] : [`ListenPort = ${port}`]),
    keys === null
      ? `# The private key that belongs to ${row.public_key}:\nPrivateKey = `
      : `PrivateKey = ${keys.privateKey}`,
    `MTU = ${mtu}`,
    ...(hooks.length === 0 ? [] : ['Table = off', ...hooks]),
  ]
}

function segmentLines(
  segment: SegmentSummary,
  row: PeerRow,
  others: readonly PeerRow[],
  address: string,
  tunnelMtu: number,
  isOwn: boolean,
): readonly string[] {
  const facts = row.segments.find(({ vni }) => vni === segment.vni)
  if (facts === undefined) return []
  const { interface: name, vni, port } = segment
  const isIpv6 = row.vtep.includes(':')
  const mtu = isOwn ? segment.mtu : tunnelMtu - (isIpv6 ? 70 : 50)
  const mac = facts.mac === null ? '' : ` address ${facts.mac}`
  const checksums = isIpv6 ? ' udp6zerocsumtx udp6zerocsumrx' : ''
  const inIt = others.filter(({ segments }) => segments.some(other => other.vni === vni))
  return [
    ...guardLines(name, port, address),
    `PostUp = ip link add ${name}${mac} mtu ${mtu} type vxlan id ${vni} dstport ${port} local ${row.vtep} ttl 64 srcport 1 1023 dev %i${checksums}`,
    ...inIt.map(({ vtep }) => `PostUp = bridge fdb append 00:00:00:00:00:00 dst ${vtep} dev ${name} via %i`),
    ...facts.addresses.map(overlay => `PostUp = ip address add ${overlay} dev ${name}`),
    `PostUp = ip link set ${name} up`,
    `PreDown = ip link delete ${name}`,
    `PreDown = nft delete table inet lnet_${name}`,
  ]
}

/** As lnetd guards its own: VXLAN comes to a VTEP by the tunnel only, and leaves by it only. */
function guardLines(name: string, port: number, address: string): readonly string[] {
  const table = `inet lnet_${name}`
  const [ip, family] = address.includes(':') ? ['ip6', 'ipv6'] : ['ip', 'ipv4']
  const chains = {
    guard_rx: ['input', 'iifname != %i', `meta nfproto != ${family}`, `${ip} daddr != ${address}`],
    guard_via: ['forward', 'iifname != %i oifname %i'],
    guard_tx: [
      'output',
      `oifname != %i ${ip} saddr ${address}`,
      `oifname != %i ${ip} daddr ${address}`,
      'oifname %i udp sport >= 1024',
    ],
  }
  return [
    `PostUp = nft add table ${table}`,
    ...Object.entries(chains).flatMap(([chain, [hook, ...dropped]]) => [
      `PostUp = nft add chain ${table} ${chain} '{ type filter hook ${hook} priority raw; policy accept; }'`,
      ...dropped.map(
        rule => `PostUp = nft add rule ${table} ${chain} udp dport ${port} ${rule} counter drop`,
      ),
    ]),
  ]
}

/** The places a file has are those of now: a name is better than an address, which may change. */
function peerLines(peer: PeerRow, keys: OwnKeys | null): readonly string[] {
  const length = peer.vtep.includes(':') ? 128 : 32
  return [
    '',
    '[Peer]',
    `# Name = ${peer.name}`,
    `PublicKey = ${peer.public_key}`,
    ...(keys === null || peer.static_by !== undefined
      ? []
      : [`PresharedKey = ${keys.presharedKey(peer.public_key)}`]),
    `AllowedIPs = ${peer.vtep}/${length}`,
    ...(peer.endpoint === null ? [] : [`Endpoint = ${peer.endpoint}`]),
    'PersistentKeepalive = 25',
  ]
}
