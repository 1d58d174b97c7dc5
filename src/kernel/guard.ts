import {
  familyOf,
  hostPrefix,
  type InterfaceName,
  type IpAddress,
  parseInterfaceName,
} from '../model/address.ts'
import type { Guard } from '../model/guard.ts'
import { nftName } from './nft-name.ts'

const tablePrefix = 'lnet_'
/** The first port that every user may bind (ip(7), PROT_SOCK). */
const unprivilegedPort = 1024

/** The nft table of a segment's guard, and in other families of its flood limit and its watch for loops. Hyphens are allowed in nft names as they are. */
export function guardTable(segment: InterfaceName): string {
  return `${tablePrefix}${segment}`
}

/** Whose a table of this name would be; null when it is none. */
export function segmentOfTable(table: string): InterfaceName | null {
  return table.startsWith(tablePrefix) ? parseInterfaceName(table.slice(tablePrefix.length)) : null
}

/** Takes one of a segment's tables away. Naming it first makes its deletion succeed when it is absent. */
export function tableRemoval(family: 'inet' | 'netdev' | 'bridge', segment: InterfaceName): string {
  const table = `table ${family} ${guardTable(segment)}`
  return `${table}\ndelete ${table}\n`
}

/**
 * The guard, replacing whatever the table held, in one transaction.
 *
 * Received: VXLAN listens on every address and is in every group, so the decision is made where a packet is delivered
 * here, by hook `input`: only what came through the tunnel to a VTEP passes. The destination counts too, because what a
 * local user sends to a group by the tunnel comes back as if it had come through it. There is no exception for `lo`: the
 * kernel hands over what one VXLAN device has for another of this machine without a packet. Foreign VXLAN that is only
 * routed here never meets `input`.
 *
 * Forwarded: what is not from the tunnel has no business with the members' VXLAN, be it masqueraded as ours.
 *
 * From the tunnel, members that announce privileged source ports are held to them: the machine of one whose guard is
 * missing lets no user through. The others are exempt.
 *
 * Sent: without the VTEP route, encapsulated frames would follow the default route in clear. Of what enters the tunnel
 * the source port tells the device from a user, where the device has a privileged one.
 *
 * Every packet of the machine meets these rules: the port comes first, which is cheaper to compare than names.
 */
export function guardScript(segment: InterfaceName, guard: Guard): string {
  const chains = guardChains(guard).map(
    ({ name, hook, rules }) => `  chain ${name} {
    type filter hook ${hook} priority raw; policy accept;
${rules.map(({ text }) => `    ${text} counter drop\n`).join('')}  }
`,
  )
  return `${tableRemoval('inet', segment)}table inet ${guardTable(segment)} {\n${chains.join('')}}\n`
}

/** Without counts, one text a line, as the reader of the table makes them. */
export function guardContent(guard: Guard): readonly string[] {
  return guardChains(guard)
    .flatMap(({ name, hook, rules }) => [
      `chain ${name}: filter ${hook} -300 accept`,
      ...rules.map(({ read }) => `rule ${name}: ${read}, drop`),
    ])
    .sort()
}

interface GuardChain {
  readonly name: string
  readonly hook: string
  /** What is dropped, as nft is told and as it is read again. */
  readonly rules: readonly { readonly text: string; readonly read: string }[]
}

function guardChains({ port, tunnel, vteps, privileged, exempt }: Guard): readonly GuardChain[] {
  const [ip, family] = familyOf(vteps) === 4 ? ['ip', 'ipv4'] : ['ip6', 'ipv6']
  const rule = (text: string, read: string) => ({
    text: `udp dport ${port} ${text}`,
    read: `udp.dport == ${port}, ${read}`,
  })
  const high = [`udp sport >= ${unprivilegedPort}`, `udp.sport >= ${unprivilegedPort}`] as const
  const but = allBut(ip, exempt ?? [])
  const notBy = (key: 'iifname' | 'oifname') =>
    [`${key} != ${nftName(tunnel)}`, `${key} != ${tunnel}`] as const
  const sent = (end: 'saddr' | 'daddr') => {
    const [text, read] = notBy('oifname')
    return rule(`${text} ${ip} ${end} ${vteps}`, `${read}, ${ip}.${end} == ${vteps}`)
  }
  return [
    {
      name: 'guard_rx',
      hook: 'input',
      rules: [
        rule(...notBy('iifname')),
        rule(`meta nfproto != ${family}`, `nfproto != ${family}`),
        rule(`${ip} daddr != ${vteps}`, `${ip}.daddr != ${vteps}`),
        ...(exempt === null ? [] : [rule(`${high[0]}${but[0]}`, `${high[1]}${but[1]}`)]),
      ],
    },
    {
      name: 'guard_via',
      hook: 'forward',
      rules: [
        rule(
          `${notBy('iifname')[0]} oifname ${nftName(tunnel)}`,
          `${notBy('iifname')[1]}, oifname == ${tunnel}`,
        ),
      ],
    },
    {
      name: 'guard_tx',
      hook: 'output',
      rules: [
        sent('saddr'),
        sent('daddr'),
        ...(privileged
          ? [rule(`oifname ${nftName(tunnel)} ${high[0]}`, `oifname == ${tunnel}, ${high[1]}`)]
          : []),
      ],
    },
  ]
}

/** A match of every source but these, as nft is told and as it is read again: of a set of one it makes an address. */
function allBut(ip: string, exempt: readonly IpAddress[]): readonly [string, string] {
  const [only, ...more] = exempt
  if (only === undefined) return ['', '']
  if (more.length === 0) return [` ${ip} saddr != ${only}`, `, ${ip}.saddr != ${hostPrefix(only)}`]
  return [` ${ip} saddr != { ${exempt.join(', ')} }`, `, ${ip}.saddr != {${exempt.toSorted().join(' ')}}`]
}

export function guardRemoval(segment: InterfaceName): string {
  return tableRemoval('inet', segment)
}
