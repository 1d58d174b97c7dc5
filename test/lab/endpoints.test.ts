import { afterAll, describe, expect, it } from 'vitest'
import type { StatusView } from '../../src/control/protocol.ts'
import { firstNeighbourSeconds } from '../../src/model/limits.ts'
import { createLab, eventually, type Lab } from './lab.ts'
import type { LabNode } from './node.ts'
import { allUp, silentPairs } from './overlay.ts'

/** Devices as other software makes them, of the kinds this kernel has everywhere; none of them has a name that tells. */
const standIns = `ip link add hub0 type bridge
ip link add pod0 type veth peer name pod1
ip link set pod1 master hub0 up; ip link set pod0 up; ip link set hub0 up
ip address add 172.17.0.1/16 dev hub0
wireguard-go mesh0 >/dev/null 2>&1
ip link set mesh0 up; ip address add 100.64.0.1/10 dev mesh0
ip link add mesh1 type vxlan id 8 dstport 7778 remote 192.0.2.2 dev eth0
ip link set mesh1 up; ip address add 10.147.17.1/24 dev mesh1
ip link add web0 type veth peer name web1; ip link set web0 up; ip link set web1 up
for n in $(seq 1 40); do ip address add 10.2.0.$n/24 dev web0; done`

/** Another VPN between two nodes, through an underlay that lets nothing of lnet through. */
const otherVpn = ({
  index,
}: LabNode) => `ip link add other0 type vxlan id 7 dstport 7777 remote 192.0.2.${3 - index} dev eth0
ip link set other0 up mtu 1400
ip address add 10.99.0.${index}/24 dev other0
nft add table inet closed
nft add chain inet closed in '{ type filter hook input priority 0; }'
nft add rule inet closed in iifname eth0 udp dport 51820 drop
nft add rule inet closed in iifname eth0 tcp dport 51821 drop`

let lab: Lab
afterAll(() => lab?.cleanup())

describe('a machine of many devices', () => {
  it('announces what others can reach first, and is reached by another VPN where nothing else leads', async () => {
    lab = await createLab({
      nodes: 2,
      configure: (base, index) => ({ ...base, bootstrap: [index === 1 ? '192.0.2.1' : '10.99.0.1'] }),
    })
    const [first, second] = lab.nodes as unknown as readonly [LabNode, LabNode]
    for (const node of lab.nodes) await shell(node, otherVpn(node))
    await shell(first, standIns)
    first.start()
    await first.listening()
    const found = await eventually('it announces endpoints', () => endpointsOf(first))
    expect(found.slice(0, 4)).toEqual([
      '192.0.2.1:51820',
      '[2001:db8::1]:51820',
      '10.2.0.1:51820',
      '10.2.0.2:51820',
    ])
    expect(found.slice(4).sort()).toEqual(['10.147.17.1:51820', '10.99.0.1:51820', '100.64.0.1:51820'])
    // A bootstrap list that names the machine itself is no problem.
    const old = await eventually('it had time to look for others', () =>
      statusOf(first, firstNeighbourSeconds + 2),
    )
    expect(old.problems).toEqual([])
    second.start()
    await allUp(lab.nodes)
    const peers = JSON.parse((await second.lnetctl(['peers', '--json'])).stdout).peers
    expect(peers).toMatchObject([{ state: 'up', endpoint: '10.99.0.1:51820' }])
    expect(await silentPairs(lab.nodes)).toEqual([])
  })
})

async function shell(node: LabNode, script: string): Promise<void> {
  await node.namespace.must(['sh', '-ec', script])
}

async function statusOf(node: LabNode, uptimeSeconds: number): Promise<StatusView | null> {
  const reply = await node.ask('status')
  return reply.ok && reply.view.uptime_seconds >= uptimeSeconds ? reply.view : null
}

async function endpointsOf(node: LabNode): Promise<readonly string[] | null> {
  const reply = await node.ask('status')
  const places = reply.ok ? reply.view.endpoints.map(({ place }) => place) : []
  return places.length === 0 ? null : places
}
