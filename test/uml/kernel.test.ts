import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLab, eventually, type Lab } from '../lab/lab.ts'
import type { LabNode } from '../lab/node.ts'
import { allUp, overlayAddresses, silentPairs } from '../lab/overlay.ts'

/** One mesh on the kernel's own WireGuard; the tests follow each other through its life, by the guest's clock. */
let lab: Lab
let nodes: readonly LabNode[]
let first: LabNode
let second: LabNode

beforeAll(async () => {
  lab = await createLab({ nodes: 3 })
  nodes = lab.nodes
  ;[first, second] = nodes as [LabNode, LabNode]
  for (const node of nodes) node.start()
  await allUp(nodes)
})
afterAll(() => lab.cleanup())

describe('a mesh on the kernel’s WireGuard', () => {
  it('says so, on a device of the kernel, with no wireguard-go beside it', async () => {
    for (const node of nodes) {
      const { stdout } = await node.lnetctl(['status', '--json'])
      expect(JSON.parse(stdout)).toMatchObject({ tunnel: { interface: 'lnet0', implementation: 'kernel' } })
      const shown = await node.namespace.must(['ip', '-json', 'link', 'show', 'type', 'wireguard'])
      expect(JSON.parse(shown)).toMatchObject([{ ifname: 'lnet0' }])
      expect((await node.namespace.run(['pidof', 'wireguard-go'])).exitCode).toBe(1)
    }
  })

  it('carries packets between every two by both families, and whole ones of the segment’s MTU', async () => {
    expect(await silentPairs(nodes)).toEqual([])
    const { ipv4 } = await overlayAddresses(second)
    const mtu = Number(await first.namespace.must(['cat', '/sys/class/net/vlnet0/mtu']))
    // Less the headers of IPv4 and of ICMP.
    const ping = ['ping', '-n', '-q', '-c3', '-W2', '-M', 'do', '-s', String(mtu - 28), ipv4]
    expect(await first.namespace.must(ping)).toContain('3 received')
  })
})

describe('a daemon that ends', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('by %s is adopted from without a lost packet', async signal => {
    const before = await devices(first)
    const { ipv4 } = await overlayAddresses(second)
    const outcome = first.namespace.run(['ping', '-n', '-q', '-i', '0.02', '-c', '300', '-W', '1', ipv4])
    await sleep(1000)
    expect(await first.stop(signal)).toBe(signal === 'SIGTERM' ? 0 : 'SIGKILL')
    await sleep(1000)
    first.start()
    await first.listening()
    expect((await outcome).stdout).toContain('300 packets transmitted, 300 received')
    await allUp(nodes)
    expect(await devices(first)).toEqual(before)
  })
})

describe('what somebody does to the kernel', () => {
  it.each([
    ['a WireGuard peer taken away', 'wg set lnet0 peer "$(wg show lnet0 peers | head -n 1)" remove'],
    ['a WireGuard peer added', 'wg set lnet0 peer "$(wg genkey | wg pubkey)" allowed-ips 10.9.9.9/32'],
    ['flood entries taken away', 'bridge fdb del 00:00:00:00:00:00 dev vlnet0'],
    ['the tunnel taken away, with all on it', 'ip link del lnet0'],
  ])('is put right and logged as drift: %s', async (_, script) => {
    // What changes while a daemon verifies its own repair is taken for its own doing.
    await sleep(2000)
    const before = await content(first)
    const drifts = countDrifts()
    await first.namespace.must(['sh', '-c', script])
    await eventually('drift is logged', () => countDrifts() > drifts, 15)
    await eventually('all is as it was', async () => (await content(first)) === before, 5)
    await allUp(nodes)
    expect(await silentPairs(nodes)).toEqual([])
  })
})

describe('lnetctl down', () => {
  it('leaves nothing', async () => {
    expect(await first.lnetctl(['down'])).toMatchObject({ exitCode: 0 })
    await eventually('the daemon has ended', () => first.pid() === null)
    const left = [
      'ip -o link show | cut -d: -f2',
      'ip route show table all proto 201',
      'ip -6 route show table all proto 201',
      'nft list ruleset',
    ]
    expect((await first.namespace.must(['sh', '-c', left.join(';')])).split(/\s+/).filter(Boolean)).toEqual([
      'lo',
      expect.stringMatching(/^eth0@/),
    ])
  })

  it('is not for ever: a later start brings all back', async () => {
    first.start()
    await allUp(nodes)
    expect(await silentPairs(nodes)).toEqual([])
  })
})

/** A device made anew has another index. */
async function devices(node: LabNode): Promise<unknown> {
  const links = JSON.parse(await node.namespace.must(['ip', '-json', 'link', 'show']))
  return (links as { ifname: string; ifindex: number }[]).map(({ ifname, ifindex }) => [ifname, ifindex])
}

/** What of a node's kernel is lnet's, the same for the same mesh. */
async function content(node: LabNode): Promise<string> {
  const script = `wg show lnet0 allowed-ips | sort
    bridge fdb show dev vlnet0 | sort
    ip -o address show dev lnet0 scope global | cut -d' ' -f2-7
    ip -o address show dev vlnet0 scope global | cut -d' ' -f2-7
    nft list tables`
  return (await node.namespace.run(['sh', '-c', script])).stdout
}

function countDrifts(): number {
  return first.logs().filter(({ event }) => event === 'kernel.drift').length
}
