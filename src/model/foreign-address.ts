import { familyOf, type IpAddress, isHostOf, type Port, type Prefix, prefixContains } from './address.ts'
import { scopeOf, translatedAddress } from './scope.ts'

/** What this machine knows of itself when another one names an address. */
export interface Here {
  /** This machine's own addresses. */
  readonly addresses: ReadonlySet<string>
  /** The networks they are in. */
  readonly networks: readonly Prefix[]
  /** Whether it is an address inside the mesh. */
  isInside(address: IpAddress): boolean
}

/** Below are the ports of a machine's own services: nobody else has this one connect there. */
const foreignPortMin = 1024

/**
 * Whether an address that another node named may be sent to: in the world or a private network, and neither this
 * machine, nor inside the mesh, nor the broadcast address of a network here. A name is judged by what it resolves to.
 */
export function mayLeadTo(address: IpAddress, here: Here): boolean {
  const scope = scopeOf(address)
  return (scope === 'global' || scope === 'private') && leadsToAnother(address, here)
}

/** The same for what was heard by multicast: it has to be in the network it was heard in, which may be a link-local one. */
export function mayBeOnLan(address: IpAddress, lan: readonly Prefix[], here: Here): boolean {
  const scope = scopeOf(address)
  // An IPv6 link-local address leads nowhere without its interface.
  if (scope === 'link-local' ? familyOf(address) === 6 : scope !== 'global' && scope !== 'private')
    return false
  return lan.some(network => isHostOf(network, address)) && leadsToAnother(address, here)
}

/** `own`: ports the operator of this machine gave to gossip, whatever they are. */
export function mayBeGossipPort(port: Port | number, own: ReadonlySet<number>): boolean {
  return port >= foreignPortMin || own.has(port)
}

function leadsToAnother(address: IpAddress, here: Here): boolean {
  const last = translatedAddress(address) ?? address
  return [address, last].every(
    each => !here.addresses.has(each) && !here.isInside(each) && !isBroadcast(each, here.networks),
  )
}

function isBroadcast(address: IpAddress, networks: readonly Prefix[]): boolean {
  if (familyOf(address) === 6) return false
  return networks.some(network => prefixContains(network, address) && !isHostOf(network, address))
}
