import type { Facts, UnderlayAddress } from '../model/facts.ts'

/** Addresses of a device in one network that are offered: whoever reaches one of them reaches the others. */
const addressesPerNetworkMax = 2
/** Addresses of VPNs that are offered: those who are in the same VPN need one, all others none. */
const vpnAddressesMax = 4

/** Of this machine's addresses, in their order, those that others are told: forty of one network do not hide another one. */
export function offeredAddresses({ addresses }: Facts): readonly UnderlayAddress[] {
  const seen = new Map<string, number>()
  let vpns = 0
  return addresses.filter(({ interface: device, network, kind }) => {
    const place = `${device} ${network}`
    const before = seen.get(place) ?? 0
    seen.set(place, before + 1)
    if (before >= addressesPerNetworkMax) return false
    if (kind === 'vpn') vpns += 1
    return kind !== 'vpn' || vpns <= vpnAddressesMax
  })
}
