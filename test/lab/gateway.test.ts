import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { download, fileBytes, serveFile } from './download.ts'
import { createLab, eventually, type Lab } from './lab.ts'
import type { Namespace } from './namespace.ts'
import type { ConfigurationText, LabNode } from './node.ts'
import { allUp } from './overlay.ts'

let lab: Lab | null = null
afterEach(() => {
  lab?.cleanup()
  lab = null
})

/** A place that is nowhere but behind the switch: the internet. */
const outside = '198.51.100.1'
/** A network behind the first gateway. */
const behind = '10.20.0.0/16'

/** Two gateways, and a third node that leaves by whichever answers. */
async function started(): Promise<readonly [LabNode, LabNode, LabNode]> {
  const configure = (base: ConfigurationText, index: number) => ({
    ...base,
    segments: [{ interface: 'vlnet0', addresses: [`192.168.102.${index}/24`] }],
    ...(index === 3
      ? { default_via: 'auto', accept_routes: true }
      : {
          gateway: {
            interface: 'eth0',
            segments: ['vlnet0'],
            everywhere: true,
            routes: index === 1 ? [behind, '192.0.2.0/25'] : [],
          },
        }),
  })
  lab = await createLab({ nodes: 3, configure })
  const nodes = lab.nodes as unknown as readonly [LabNode, LabNode, LabNode]
  await lab.hub.must(['sh', '-c', `ip address add ${outside}/32 dev lo`])
  for (const node of nodes) node.start()
  await allUp(nodes)
  return nodes
}

describe('a gateway', () => {
  it('carries what comes from the segment, and another one takes over when it dies', async () => {
    const [first, second, third] = await started()
    const gateway = await eventually('the third node leaves by a gateway', () => gatewayInUse(third))
    await eventually('it reaches the outside', () => pingsOut(third))
    expect(await shell(third, `ip -4 route get ${outside}`)).toContain(
      'dev vlnet0 table 20201 src 192.168.102.3',
    )
    // What answers to its own address and what carries the tunnel stays on the underlay.
    const own = third.underlay.ipv4
    expect(await shell(third, `ip -4 route get ${outside} from ${own}`)).toContain('dev eth0')
    expect(await shell(third, `ip -4 route get ${outside} ipproto udp sport 51820`)).toContain('dev eth0')
    const [used, other] = gateway === '192.168.102.1' ? [first, second] : [second, first]
    expect(await shell(used, 'cat /proc/sys/net/ipv4/conf/eth0/forwarding')).toBe('1')
    expect(await shell(used, 'cat /proc/sys/net/ipv4/ip_forward')).toBe('0')

    expect(await shell(used, 'nft list table inet lnet-gateway')).toMatch(/packets [1-9]\d* .*masquerade/)

    // By then it was asked whether it is there: of one that never answered only WireGuard tells, much later.
    await sleep(3000)
    // A download and packets run while their gateway goes.
    serveFile(lab?.hub as Namespace)
    const fetching = download(third.namespace, outside)
    const running = shell(third, `ping -n -i 0.2 -c 100 -W 1 ${outside} || true`)
    await sleep(2000)
    await shell(used, 'ip link set eth0 down')
    await eventually('the other gateway is used', async () => (await gatewayInUse(third)) !== gateway, 30)
    await eventually('the outside is reached again', () => pingsOut(third), 30)
    const received = Number(/(\d+) received/.exec(await running)?.[1])
    console.log(`a gateway died: ${((100 - received) * 0.2).toFixed(1)} s without packets`)
    expect(received).toBeGreaterThan(0)
    const { connections, bytes, wrong, gap } = await fetching
    console.log(`the download: ${connections} connections, ${gap.toFixed(1)} s without a byte`)
    expect(wrong).toBe(0)
    expect(bytes).toBe(fileBytes)
    // It broke off, or this shows nothing.
    expect(connections).toBeGreaterThan(1)
    expect(gap).toBeLessThan(30)

    await shell(other, 'ip link set eth0 down')
    await eventually('no gateway is left', async () => (await gatewayInUse(third)) === null, 30)
    expect(await shell(third, `ip -4 route get ${outside}`)).toContain('dev eth0')
    expect(await shell(third, 'ip rule show')).not.toContain('20201')
  })

  it('offers networks behind it, of which those are not taken that would swallow the underlay', async () => {
    const [, , third] = await started()
    await eventually('the route is there', async () =>
      (await shell(third, 'ip route show table 20201 || true')).includes(`${behind} via 192.168.102.1`),
    )
    expect(await shell(third, 'ip route show table 20201')).not.toContain('192.0.2.0/25')
    const status = (await third.lnetctl(['status'])).stdout
    expect(status).toMatch(/192\.0\.2\.0\/25 is not taken \(it overlaps 192\.0\.2\.0\/24 of eth0\)/)
  })

  it('works on while lnetd is dead, repairs itself, and leaves nothing behind', async () => {
    const [first, second, third] = await started()
    await eventually('the third node leaves by a gateway', () => gatewayInUse(third))
    await eventually('it reaches the outside', () => pingsOut(third))
    await third.stop('SIGKILL')
    expect(await gatewayInUse(third)).not.toBeNull()
    expect(await pingsOut(third)).toBe(true)
    const before = third.logs().length
    third.start()
    await third.listening()
    await sleep(5000)
    expect(await gatewayInUse(third)).not.toBeNull()
    // In its first moments it may well have changed to the faster one.
    expect(JSON.stringify(third.logs().slice(before))).not.toMatch(/reach 0\.0\.0\.0\/0 [^"]* no more/)

    await shell(
      first,
      'nft flush table inet lnet-gateway && echo 0 > /proc/sys/net/ipv4/conf/eth0/forwarding',
    )
    await eventually('the table is back', async () =>
      (await shell(first, 'nft list ruleset')).includes('masquerade'),
    )
    await eventually(
      'forwarding is back',
      async () => (await shell(first, 'cat /proc/sys/net/ipv4/conf/eth0/forwarding')) === '1',
    )
    for (const node of [third, second, first]) {
      expect((await node.lnetctl(['down'])).exitCode).toBe(0)
      expect(await shell(node, 'nft list ruleset')).not.toContain('lnet')
      expect(await shell(node, 'ip rule show')).not.toContain('20201')
      expect(await shell(node, 'ip route show table all')).not.toContain('table 20201')
      expect(await shell(node, 'cat /proc/sys/net/ipv4/conf/eth0/forwarding')).toBe('0')
    }
  })
})

async function gatewayInUse(node: LabNode): Promise<string | null> {
  return /default via (\S+)/.exec(await shell(node, 'ip route show table 20201 || true'))?.[1] ?? null
}

async function pingsOut(node: LabNode): Promise<boolean> {
  const { exitCode } = await node.namespace.run(['ping', '-n', '-c1', '-W1', outside])
  return exitCode === 0
}

function shell(node: LabNode, script: string): Promise<string> {
  return node.namespace.must(['sh', '-c', script])
}
