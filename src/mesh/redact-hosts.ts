import type { Pseudonyms } from './pseudonyms.ts'

interface Words {
  /** Lower case. These go wherever they stand alone, with dots in them or not. */
  readonly hosts: ReadonlySet<string>
  /** These look like DNS names and are none. */
  readonly ownWords: ReadonlySet<string>
}

/** Of files, units and programs; no DNS name of the world ends so (IANA, root zone database). */
const endings = new Set(
  'conf deb js json jsonl key log old secret service slice sock socket timer ts yaml yml'.split(' '),
)
/** RFC 1035 section 2.3.4 and some hyphens: what is longer is hidden as it is. */
const nameCharactersMax = 300

/** Pseudonyms for DNS names: those that are known, and what looks like one. Names without a dot stay unless known. */
export function redactHosts(text: string, words: Words, pseudonyms: Pseudonyms): string {
  return replaceKnown(text, words, pseudonyms).replaceAll(
    /[\p{L}\p{N}_.-]+/gu,
    (run: string, offset: number, whole: string) =>
      run.replaceAll(/[^.]+(?:\.[^.]+)*/g, joined => {
        const name = nameIn(joined, words)
        if (!isHost(name, words) || isInStack(whole, offset, offset + run.length)) return joined
        return joined.replace(name, () => pseudonyms.of('dns-name', name.toLowerCase()))
      }),
  )
}

/** Names with a dot that are known go even where something is joined to them. */
function replaceKnown(text: string, { hosts }: Words, pseudonyms: Pseudonyms): string {
  const dotted = [...hosts].filter(host => host.includes('.')).sort((a, b) => b.length - a.length)
  if (dotted.length === 0) return text
  const known = new RegExp(dotted.map(host => host.replaceAll(/\W/g, '\\$&')).join('|'), 'gi')
  return text.replaceAll(known, host => pseudonyms.of('dns-name', host.toLowerCase()))
}

/** Without hyphens around it, which are of the sentence, and numbers at its end, which no DNS name has. */
function nameIn(joined: string, { hosts }: Words): string {
  const bare = joined.length > nameCharactersMax ? joined : joined.replaceAll(/^-+|-+$/g, '')
  if (hosts.has(bare.toLowerCase())) return bare
  const labels = bare.split('.')
  return labels.slice(0, labels.findLastIndex(label => /^\p{L}/u.test(label)) + 1).join('.')
}

function isHost(name: string, { hosts, ownWords }: Words): boolean {
  const lowerCase = name.toLowerCase()
  if (hosts.has(lowerCase)) return true
  const labels = lowerCase.split('.')
  const last = labels.at(-1) ?? ''
  const isEnding = /^\p{L}[\p{L}\p{N}-]+$/u.test(last) && !endings.has(last)
  return labels.length > 1 && isEnding && !ownWords.has(name)
}

/** `at Parser.read (/usr/lib/lnetd/lnetd.js:7:31)`: a function's name is what mends a crash. */
function isInStack(text: string, start: number, end: number): boolean {
  return (
    /\bat (?:async |new )?$/.test(text.slice(Math.max(0, start - 16), start)) &&
    /^ (?:\[as \w{1,64}\] )?\((?:index \d+|[^()\s]{1,200}:\d+:\d+)\)/.test(text.slice(end, end + 300))
  )
}
