import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import type { InterfaceName } from '../model/address.ts'
import { type Failure, failureOf } from '../model/failure.ts'
import { explain } from './explain.ts'

/** Ports below it are for root alone, unless the machine says otherwise (ip(7)). */
export const privilegedPorts = 1024

/** There is none in a kernel without IPv6. */
export const ipv6Directory = '/proc/sys/net/ipv6'

/** Where the kernel keeps whether IPv6 is off on a device. */
export function disableIpv6Path(device: InterfaceName): string {
  return `${ipv6Directory}/conf/${device}/disable_ipv6`
}

/** Whether IPv6 is on for a device. A kernel without IPv6 has nothing to switch on: that counts as on. */
async function hasIpv6(device: InterfaceName): Promise<boolean> {
  try {
    return (await readFile(disableIpv6Path(device), 'utf8')).trim() !== '1'
  } catch {
    return true
  }
}

/** The same for several. */
export async function ipv6Among(
  devices: readonly InterfaceName[],
): Promise<ReadonlyMap<InterfaceName, boolean>> {
  return new Map(await Promise.all(devices.map(async device => [device, await hasIpv6(device)] as const)))
}

/** The first port that every user may bind (ip-sysctl.rst, ip_unprivileged_port_start); 1024 where the kernel does not tell. */
export async function unprivilegedPortStart(): Promise<number> {
  const text = await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').catch(() => '')
  return /^\d{1,5}\n?$/.test(text) ? Number(text) : privilegedPorts
}

/** Which of some devices forward IPv4. One that is not there does not. */
export async function forwardingAmong(devices: readonly InterfaceName[]): Promise<readonly InterfaceName[]> {
  const found = await Promise.all(devices.map(async device => ((await forwards(device)) ? [device] : [])))
  return found.flat()
}

/**
 * Switches the forwarding of IPv4 on for one device, or off again. It stays on where the whole machine forwards:
 * somebody else switched that on meanwhile.
 */
export async function setForwarding(device: InterfaceName, on: boolean): Promise<Failure | null> {
  if (!on && (!existsSync(forwardingPath(device)) || (await forwards('all')))) return null
  const failure = await writeSysctl(forwardingPath(device), on ? '1' : '0')
  return failure === null || existsSync(forwardingPath(device))
    ? failure
    : {
        ...failure,
        what: `there is no interface ${device}`,
        remedy: 'set another one under gateway.interface',
      }
}

/** Writes a kernel parameter; in a kernel without IPv6 its parameters are passed over. */
export async function writeSysctl(path: string, value: string): Promise<Failure | null> {
  if (path.startsWith(ipv6Directory) && !existsSync(ipv6Directory)) return null
  try {
    await writeFile(path, value)
    return null
  } catch (error) {
    const stderr = error instanceof Error ? error.message : String(error)
    return failureOf(`cannot write ${path}`, { ...explain(stderr), stderr })
  }
}

function forwardingPath(device: InterfaceName | 'all'): string {
  return `/proc/sys/net/ipv4/conf/${device}/forwarding`
}

async function forwards(device: InterfaceName | 'all'): Promise<boolean> {
  return (await readFile(forwardingPath(device), 'utf8').catch(() => '0')).trim() === '1'
}
