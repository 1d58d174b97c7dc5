import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'

let known: readonly NetworkInterfaceInfo[] = []

/** The addresses of this machine's interfaces; the last known ones while the system does not tell, out of descriptors. */
export function interfaceAddresses(): readonly NetworkInterfaceInfo[] {
  try {
    known = Object.values(networkInterfaces()).flatMap(each => each ?? [])
  } catch {
    // Nothing that was there a moment ago is taken for gone.
  }
  return known
}
