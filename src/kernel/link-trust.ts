import { readFile } from 'node:fs/promises'
import type { InterfaceName } from '../model/address.ts'
import type { LinkTrust } from '../model/link-trust.ts'
import type { Instruction } from './render.ts'
import { ipv6Directory } from './sysctl.ts'

type Wanted = Exclude<LinkTrust, 'open'>

/** The kernel's ip-sysctl.rst names them. 2: also on a machine that forwards, where 1 would not count. */
const advertisements: Readonly<Record<Wanted, readonly [accept: string, autoconf: string]>> = {
  none: ['0', '0'],
  routers: ['2', '1'],
}

/** What is written so that a device trusts that much. It works without IPv6 too, whose part is passed over then. */
export function setLinkTrust(device: InterfaceName, trust: Wanted): readonly Instruction[] {
  return settings(device, trust).map(({ path, value }) => ({ tool: 'sysctl', path, value }))
}

/** What trusting devices have learned by now. The kernel keeps it when they trust no more. */
export function flushLearned(device: InterfaceName): readonly Instruction[] {
  const gone = /Cannot find device|does not exist/
  // A prefix on the link is a route of the kernel's own. Those of lnet's addresses bear its protocol number.
  const onLink = ['2000::/3', 'fc00::/7'].map(
    range => `route flush table all type unicast root ${range} dev ${device} proto kernel`,
  )
  return [
    `address flush dev ${device} mngtmpaddr`,
    `route flush table all dev ${device} proto ra`,
    ...onLink,
  ].map(line => ({ tool: 'ip', line, tolerated: gone }))
}

/** How much each of some devices trusts. One that is not there is told as `open`. */
export async function linkTrusts(
  devices: readonly InterfaceName[],
): Promise<ReadonlyMap<InterfaceName, LinkTrust>> {
  return new Map(await Promise.all(devices.map(async device => [device, await linkTrust(device)] as const)))
}

async function linkTrust(device: InterfaceName): Promise<LinkTrust> {
  const values = await Promise.all(settings(device, 'none').map(({ path }) => current(path)))
  for (const trust of ['none', 'routers'] as const)
    if (settings(device, trust).every(({ value }, index) => (values[index] ?? value) === value)) return trust
  return 'open'
}

/** Null where the kernel has no such thing. */
async function current(path: string): Promise<string | null> {
  return await readFile(path, 'utf8').then(
    text => text.trim(),
    () => null,
  )
}

function settings(device: InterfaceName, trust: Wanted): readonly { path: string; value: string }[] {
  const [accept, autoconf] = advertisements[trust]
  const ipv6 = { accept_ra: accept, autoconf, accept_redirects: '0' }
  const ipv4 = { accept_redirects: '0', arp_accept: '0' }
  return [
    ...Object.entries(ipv6).map(([key, value]) => ({
      path: `${ipv6Directory}/conf/${device}/${key}`,
      value,
    })),
    ...Object.entries(ipv4).map(([key, value]) => ({
      path: `/proc/sys/net/ipv4/conf/${device}/${key}`,
      value,
    })),
  ]
}
