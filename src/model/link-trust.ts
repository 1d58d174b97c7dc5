/**
 * From whom on the link a device takes what changes this machine's routes, addresses and neighbours by itself: from
 * nobody; router advertisements alone; or more than that, which is never desired.
 */
export type LinkTrust = 'none' | 'routers' | 'open'

export interface Trusting {
  readonly trusts: LinkTrust
  /** Routes or addresses of a router's advertisement are on it, or may be, although routers are not trusted. */
  readonly learned: boolean
}

/** Nothing is taken, and nothing was. */
export const distrusting: Trusting = { trusts: 'none', learned: false }

/** As the kernel makes a device. */
export const freshlyMade: Trusting = { trusts: 'open', learned: false }
