import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import type { InterfaceName } from '../model/address.ts'
import type { Failure } from '../model/failure.ts'
import { explain } from './explain.ts'

/** There is none in a kernel without IPv6. */
export const ipv6Directory = '/proc/sys/net/ipv6'

/** Where the kernel keeps whether IPv6 is off on a device. */
export function disableIpv6Path(device: InterfaceName): string {
  return `${ipv6Directory}/conf/${device}/disable_ipv6`
}

/** Whether IPv6 is on for a device. A kernel without IPv6 has nothing to switch on: that counts as on. */
export async function hasIpv6(device: InterfaceName): Promise<boolean> {
  try {
    return (await readFile(disableIpv6Path(device), 'utf8')).trim() !== '1'
  } catch {
    return true
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
    return { message: `cannot write ${path}${explain(stderr)}`, command: null, exitCode: null, stderr }
  }
}
