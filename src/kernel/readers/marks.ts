import type { InterfaceName } from '../../model/address.ts'
import { type Fields, objects, optionalText } from './fields.ts'

/** Devices by number and name: the kernel never gives both to another device while this process runs. */
export type MarkedDevices = Set<string>

/**
 * Devices that bore the mark when they were last looked at and do no more, from a document of `ip -json link show`.
 * Remembers those that bear it now. One with the mark of another mesh is that one's.
 */
export function lostMarks(document: unknown, mark: string, marked: MarkedDevices): readonly InterfaceName[] {
  const links = objects(document, 'links')
  const lost = links.filter(fields => marked.has(keyOf(fields)) && isUnmarked(fields, mark))
  marked.clear()
  for (const fields of links) if (optionalText(fields, 'ifalias') === mark) marked.add(keyOf(fields))
  return lost.flatMap(fields => (optionalText(fields, 'ifname') as InterfaceName | null) ?? [])
}

function isUnmarked(fields: Fields, mark: string): boolean {
  const alias = optionalText(fields, 'ifalias')
  return alias !== mark && alias?.startsWith('lnet:') !== true
}

function keyOf({ ifindex, ifname }: Fields): string {
  return `${ifindex} ${ifname}`
}
