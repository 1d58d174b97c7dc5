import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { desiredState, planFor, vtepOf } from '../kernel/state.ts'
import { type RemoteKernel, startKernel } from './kernel-remote.ts'
import { connect, createNamespace, createSwitch, type Namespace } from './namespace.ts'

/**
 * The two holes of the hand-written recipe, each attacked with and without the guard. `evil` is a host on the
 * underlay and the victim's default gateway; it knows the mesh's VNI and port, and no key.
 */
const families = [
  { family: 4, victim: '10.9.0.1', evil: '10.9.0.66', vteps: '10.77.0.0/16' },
  { family: 6, victim: 'fd09::1', evil: 'fd09::66', vteps: 'fd77::/64' },
] as const

const stolenMac = '02:aa:00:00:00:01'
let spaces: Namespace[]
let victim: Namespace
let evil: Namespace
let kernel: RemoteKernel

beforeEach(async () => {
  const hub = await createSwitch('sw', [])
  victim = await createNamespace('victim')
  evil = await createNamespace('evil')
  spaces = [victim, evil, hub]
  await evil.must(['sh', '-c', 'for f in all default; do echo 0 >/proc/sys/net/ipv4/conf/$f/rp_filter; done'])
  const gateways = ['10.9.0.66', 'fd09::66']
  await connect(hub, [
    { node: victim, interface: 'eth0', addresses: ['10.9.0.1/16', 'fd09::1/64'], gateways },
    { node: evil, interface: 'eth0', addresses: ['10.9.0.66/16', 'fd09::66/64'] },
  ])
  kernel = startKernel(victim)
})

afterEach(async () => {
  await kernel.end()
  for (const space of spaces) space.close()
})

describe.each(families)('the guard, VTEPs over IPv$family', places => {
  beforeEach(async () => {
    expect(await kernel.apply(planFor(desiredState(2, places.family)))).toEqual([])
  })

  it('keeps frames in clear from being taken in', async () => {
    await makeEvilSegment(places)
    expect(await answers(evil, '192.168.0.1')).toBe(false)
    expect(await guardDrops('guard_rx')).toBeGreaterThan(0)
    await withoutGuard()
    expect(await answers(evil, '192.168.0.1')).toBe(true)
  })

  it('keeps a machine behind another node from being stolen', async () => {
    const owner = vtepOf(2, places.family)
    await victim.must(['bridge', 'fdb', 'add', stolenMac, 'dst', owner, 'dev', 'vlnet0', 'dynamic'])
    await makeEvilSegment(places)
    await answers(evil, '192.168.0.1')
    expect(await placeOfStolen()).toBe(owner)
    await withoutGuard()
    await answers(evil, '192.168.0.1')
    expect(await placeOfStolen()).toBe(places.evil)
  })

  it('keeps frames from leaving in clear when the VTEP route is gone', async () => {
    await learnMachine(places)
    await countAtEvil()
    await loseRoutes(places)
    await answers(victim, '192.168.0.99')
    expect(await seenByEvil()).toBe(0)
    expect(await guardDrops('guard_tx')).toBeGreaterThan(0)
    await withoutGuard()
    await answers(victim, '192.168.0.99')
    expect(await seenByEvil()).toBeGreaterThan(0)
  })

  it('is not alone: the unreachable route keeps them too', async () => {
    await learnMachine(places)
    await countAtEvil()
    await withoutGuard()
    await victim.must(['ip', 'route', 'delete', places.vteps, 'dev', 'lnet0', 'proto', '201'])
    await answers(victim, '192.168.0.99')
    expect(await seenByEvil()).toBe(0)
  })
})

type Places = (typeof families)[number]

/** A VXLAN device on the bare underlay, with the victim's VNI, port and overlay network. */
async function makeEvilSegment({ family, victim: remote, evil: local }: Places): Promise<void> {
  const vxlan = ['type', 'vxlan', 'id', '49371', 'dstport', '4789', 'remote', remote, 'local', local]
  const checksums = family === 6 ? ['udp6zerocsumtx', 'udp6zerocsumrx'] : []
  const device = ['evil0', 'address', stolenMac, ...vxlan, 'dev', 'eth0', 'nolearning', ...checksums]
  await evil.must(['ip', 'link', 'add', ...device])
  await evil.must(['ip', 'address', 'add', '192.168.0.66/16', 'dev', 'evil0'])
  await evil.must(['ip', 'link', 'set', 'dev', 'evil0', 'up'])
}

async function answers(from: Namespace, address: string): Promise<boolean> {
  return (await from.run(['ping', '-n', '-c', '3', '-i', '0.2', '-W', '1', address])).exitCode === 0
}

async function withoutGuard(): Promise<void> {
  await victim.must(['nft', 'delete', 'table', 'inet', 'lnet_vlnet0'])
}

async function guardDrops(chain: string): Promise<number> {
  const rules = await victim.must(['nft', 'list', 'chain', 'inet', 'lnet_vlnet0', chain])
  return packetsIn(rules)
}

async function placeOfStolen(): Promise<string | undefined> {
  const entries = await victim.must(['bridge', 'fdb', 'show', 'dev', 'vlnet0'])
  return new RegExp(`^${stolenMac} dst (\\S+)`, 'm').exec(entries)?.[1]
}

/** A machine behind member 2, as the kernel learns it: without a lower device, so that the route decides. */
async function learnMachine({ family }: Places): Promise<void> {
  const entry = [stolenMac, 'dst', vtepOf(2, family), 'dev', 'vlnet0', 'dynamic']
  await victim.must(['bridge', 'fdb', 'add', ...entry])
  await victim.must(['ip', 'neighbour', 'add', '192.168.0.99', 'lladdr', stolenMac, 'dev', 'vlnet0'])
}

async function loseRoutes({ vteps }: Places): Promise<void> {
  await victim.must(['ip', 'route', 'delete', vteps, 'dev', 'lnet0', 'proto', '201'])
  await victim.must(['ip', 'route', 'delete', 'unreachable', vteps, 'proto', '201'])
}

async function countAtEvil(): Promise<void> {
  const input = `table inet seen {
  chain arrivals {
    type filter hook prerouting priority raw
    udp dport 4789 counter
  }
}
`
  await evil.must(['nft', '-f', '-'], { input })
}

async function seenByEvil(): Promise<number> {
  return packetsIn(await evil.must(['nft', 'list', 'table', 'inet', 'seen']))
}

/** All packets that the rules of a listing counted. */
function packetsIn(rules: string): number {
  return [...rules.matchAll(/counter packets (\d+)/g)].reduce((sum, [, packets]) => sum + Number(packets), 0)
}
