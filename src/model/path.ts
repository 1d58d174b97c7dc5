import type { IpAddress } from './address.ts'

/**
 * What this machine's kernel answers when asked for the route to an address of the underlay: the address and the device
 * it would send from, or why it cannot (`ENETUNREACH`, `EHOSTUNREACH`, `EACCES`, ...).
 */
export type PathAnswer =
  | { readonly ok: true; readonly source: IpAddress; readonly device: string | null }
  | { readonly ok: false; readonly error: string }

/** The same, with the device only where it is another VPN's: that is worth a word. */
export type UnderlayPath =
  | { readonly ok: true; readonly source: IpAddress; readonly vpn: string | null }
  | { readonly ok: false; readonly error: string }

/** By the address asked for; those that were not asked for are missing. */
export type UnderlayPaths = ReadonlyMap<IpAddress, UnderlayPath>
