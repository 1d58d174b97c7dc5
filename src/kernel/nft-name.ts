import type { InterfaceName } from '../model/address.ts'

/** A device's name in the language of nft, where a bare word could be a keyword. */
export function nftName(device: InterfaceName): string {
  return `"${device}"`
}
