import { filterRulesMax } from '../../model/limits.ts'

/** The addresses and networks of sets that hold nothing else, by name; null for a set of another kind. */
export type Ipsets = ReadonlyMap<string, readonly string[] | null>

/** Kinds whose entries are addresses or networks (ipset(8)). */
const addressKinds = ['hash:ip', 'hash:net']

/** The output of `ipset save`. */
export function readIpsets(output: string): Ipsets {
  const sets = new Map<string, string[] | null>()
  for (const line of output.split('\n').slice(0, filterRulesMax)) {
    const [verb, name = '', entry = '', ...options] = line.trim().split(/\s+/)
    if (verb === 'create') sets.set(name, addressKinds.includes(entry) ? [] : null)
    // An exception, which a list of addresses cannot say; a set cut off would be one that holds less.
    if (verb === 'add' && options.includes('nomatch')) sets.set(name, null)
    else if (verb === 'add') sets.get(name)?.push(entry)
  }
  return output.split('\n').length > filterRulesMax ? new Map() : sets
}
