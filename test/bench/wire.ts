import type { Net } from './contestant.ts'

/** What went over the switch since the counters were set, bytes with Ethernet headers: sent and received, all nodes together. */
export type Wire = Readonly<Record<(typeof classes)[number], number>>

export const classes = ['gossip', 'keepalive', 'handshake', 'inside', 'other'] as const

const table = 'lnet_bench'
/** Counters see a frame without its Ethernet header. */
const ethernetHeaderBytes = 14
/** UDP lengths of WireGuard's messages (whitepaper section 5.4): a keepalive; initiation, response, cookie. */
const lengths = { keepalive: '40', handshake: '{ 156, 100, 72 }' }

/** Starts to count at the switch, from zero. */
export async function countWire({ lab, ports }: Net): Promise<void> {
  const gossip =
    ports.gossip === null
      ? []
      : [`tcp sport ${ports.gossip}`, `tcp dport ${ports.gossip}`].map(text => [text, 'gossip'])
  const tunnel = `udp dport ${ports.tunnel}`
  const rules = [
    ...gossip,
    [`${tunnel} udp length ${lengths.keepalive}`, 'keepalive'],
    [`${tunnel} udp length ${lengths.handshake}`, 'handshake'],
    [tunnel, 'inside'],
    [`tcp sport ${ports.tunnel}`, 'inside'],
    [`tcp dport ${ports.tunnel}`, 'inside'],
    ['', 'other'],
  ]
  const script = `table bridge ${table}
delete table bridge ${table}
table bridge ${table} {
  ${classes.map(name => `counter ${name} {}`).join('\n  ')}
  chain tally {
    ${rules.map(([match, name]) => `${match} counter name ${name} return`).join('\n    ')}
  }
  chain sent {
    type filter hook prerouting priority 0
    jump tally
  }
  chain received {
    type filter hook postrouting priority 0
    jump tally
  }
}
`
  await lab.hub.must(['nft', '-f', '-'], { input: script })
}

export async function readWire({ lab }: Net): Promise<Wire> {
  const text = await lab.hub.must(['nft', '-j', 'list', 'counters', 'table', 'bridge', table])
  const items = (JSON.parse(text) as { nftables: { counter?: Counter }[] }).nftables
  const bytes = items.flatMap(({ counter }) =>
    counter === undefined
      ? []
      : [[counter.name, counter.bytes + ethernetHeaderBytes * counter.packets] as const],
  )
  return Object.fromEntries(bytes) as Wire
}

interface Counter {
  readonly name: string
  readonly packets: number
  readonly bytes: number
}
