import type { InterfaceAddress, IpAddress } from './address.ts'
import type { Claim, Vni } from './segment.ts'

/** The addresses this node holds. Kept in the state directory, so that it comes back with the same ones. */
export interface OwnClaims {
  readonly vtep: (Claim & { readonly address: IpAddress }) | null
  /** Sorted by VNI, then address. */
  readonly overlay: readonly OwnOverlayClaim[]
}

export interface OwnOverlayClaim extends Claim {
  readonly vni: Vni
  readonly address: InterfaceAddress
}

export const noClaims: OwnClaims = { vtep: null, overlay: [] }
