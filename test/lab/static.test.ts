import { afterEach, describe, expect, it } from 'vitest'
import { createLab, eventually, type Lab } from './lab.ts'
import { connect, createNamespace, type Namespace } from './namespace.ts'
import type { ConfigurationText, LabNode } from './node.ts'
import { allUp, pings } from './overlay.ts'

let lab: Lab | null = null
let machine: Namespace | null = null
afterEach(() => {
  machine?.close()
  lab?.cleanup()
  machine = lab = null
})

const underlay = '192.0.2.60'

describe('a static member', () => {
  it('is let in by all, shown with who declares it, and gone when that takes it back', async () => {
    const configure = (base: ConfigurationText, index: number) => ({
      ...base,
      tunnel: { prefix: '192.168.228.0/24', address: `192.168.228.${index}` },
      segments: [{ addresses: [`192.168.102.${index}/24`] }],
    })
    lab = await createLab({ nodes: 3, configure })
    const [first, , third] = lab.nodes as unknown as readonly [LabNode, LabNode, LabNode]
    for (const node of lab.nodes) node.start()
    await allUp(lab.nodes)
    machine = await createNamespace('router')
    await connect(lab.hub, [{ node: machine, interface: 'eth0', addresses: [`${underlay}/24`] }], 60)
    const publicKey = await handWritten(machine, lab.nodes)
    reload(first, [
      {
        name: 'router',
        public_key: publicKey,
        endpoint: underlay,
        vtep: '192.168.228.60',
        segments: [{ vni: 49371, addresses: ['192.168.102.60/24'] }],
      },
    ])
    await eventually('the third node reaches it', () => pings(third, '192.168.102.60'))
    for (const { namespace } of lab.nodes)
      expect(await namespace.must(['ping', '-n', '-c2', '-W2', '192.168.102.60'])).toContain(
        ' 0% packet loss',
      )
    expect((await third.lnetctl(['peers'])).stdout).toMatch(/^router +up .* static \(by n1\)/m)
    expect(await machine.must(['ping', '-n', '-c2', '-W2', '192.168.102.2'])).toContain(' 0% packet loss')
    // Only the declaring node can take it back, not its absence.
    await first.stop()
    expect(await pings(third, '192.168.102.60')).toBe(true)
    first.configuration = { ...first.configuration, static_members: [] }
    first.start()
    await eventually('it is taken back', async () => {
      const reply = await third.ask('peers')
      return reply.ok && reply.view.peers.some(({ name, state }) => name === 'router' && state === 'left')
    })
    await eventually('the third kernel is rid of it', async () => {
      const peers = await third.namespace.must(['wg', 'show', 'lnet0', 'peers'])
      return !peers.includes(publicKey)
    })
  })
})

/** A machine of the recipe's kind, as a hand-written file would make it. Answers its public key. */
async function handWritten(space: Namespace, nodes: readonly LabNode[]): Promise<string> {
  const peers = await Promise.all(
    nodes.map(async ({ namespace, index, underlay: { ipv4 } }) => {
      const key = (await namespace.must(['wg', 'show', 'lnet0', 'public-key'])).trim()
      const place = `endpoint ${ipv4}:51820 persistent-keepalive 25 allowed-ips 192.168.228.${index}/32`
      const flood = `bridge fdb append 00:00:00:00:00:00 dst 192.168.228.${index} dev vwg0`
      return { set: `wg set wg0 peer ${key} ${place}`, flood }
    }),
  )
  const script = `wg genkey >/run/key && mkdir -p /run/wireguard && (ip link add wg0 type wireguard || wireguard-go wg0) >/dev/null 2>&1
    wg set wg0 private-key /run/key listen-port 51820 && ip address add 192.168.228.60/24 dev wg0 && ip link set wg0 up
    ip link add vwg0 type vxlan id 49371 dstport 4789 ttl 1 dev wg0 && ip address add 192.168.102.60/24 dev vwg0
    ${peers.map(({ set, flood }) => `${set}\n${flood}`).join('\n')}
    ip link set vwg0 up; wg show wg0 public-key`
  return (await space.must(['sh', '-c', script])).trim()
}

function reload(node: LabNode, members: readonly object[]): void {
  node.configuration = { ...node.configuration, static_members: members }
  node.write()
  process.kill(node.pid() as number, 'SIGHUP')
}
