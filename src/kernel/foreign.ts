import { compareText, type InterfaceName } from '../model/address.ts'
import type { ForeignDevice } from '../model/kernel-state.ts'

/** What is known of any device, ours or not. */
export interface LinkName {
  readonly name: string
  readonly alias: string | null
  /** What `ip -details link` calls it: vxlan, wireguard, bridge, tun ...; a plain device's link type. */
  readonly kind: string
}

/** A device in words: `a wireguard device`, `a bridge device marked lnet:0123...`. */
export function describeForeign({ alias, kind }: LinkName): string {
  const article = /^[aeiou]/.test(kind) ? 'an' : 'a'
  return `${article} ${kind} device${alias === null ? ' without a mark' : ` marked ${printable(alias)}`}`
}

/** Devices that bear a wanted name and are not ours. */
export function foreignAmong(
  links: readonly LinkName[],
  wanted: readonly string[],
  own: ReadonlySet<string>,
): readonly ForeignDevice[] {
  return links
    .filter(({ name }) => wanted.includes(name) && !own.has(name))
    .map(link => ({ interface: link.name as InterfaceName, what: describeForeign(link) }))
    .sort((a, b) => compareText(a.interface, b.interface))
}

/** An alias, and the name of a device, is anybody's text. */
export function printable(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, 64)
}
