import type { ReportMaterial, Sensitive } from '../model/report.ts'
import { createPseudonyms } from './pseudonyms.ts'
import { redactAddresses } from './redact-addresses.ts'
import { redactHosts } from './redact-hosts.ts'

type Known = Pick<ReportMaterial, 'sensitive' | 'ownWords'>

/**
 * The texts without secrets, and with pseudonyms for public addresses and DNS names, the same ones in all of them.
 * What is known to be secret goes, and so does whatever looks like it; in doubt it goes.
 */
export function redact(texts: readonly string[], { sensitive, ownWords }: Known): readonly string[] {
  const pseudonyms = createPseudonyms()
  const words = { hosts: lowerCase(sensitive.hosts.filter(host => host !== '')), ownWords: new Set(ownWords) }
  return texts.map(text => {
    const harmless = redactSecrets(text, sensitive)
    return redactHosts(redactAddresses(harmless, pseudonyms), words, pseudonyms)
  })
}

/** The first characters of a public key, as many as people compare. */
function shortKey(publicKey: string): string {
  return `${publicKey.slice(0, 8)}...`
}

function lowerCase(words: readonly string[]): ReadonlySet<string> {
  return new Set(words.map(word => word.toLowerCase()))
}

const hidden = '(secret)'
const secretNames = '(?:secret|private[ _-]?key|pre-?shared[ _-]?key|psk|token|passwd|password|passphrase)'
/** A line of YAML, or of `wg`, with everything below that is indented further and so belongs to it. */
const secretBlock = new RegExp(
  String.raw`^([ \t]*)((?:- +)?["']?${secretNames}["']?[ \t]*:)[^\n]*(?:\n\1[ \t]+[^\n]*|\n[ \t]*(?=\n))*`,
  'gim',
)
/** Up to the quote it began with, which is an escaped one inside a string of JSON. */
const doubleQuoted = String.raw`(\\?")(?:[^"\\\n]|\\[^"\n]|(?!\2)\\")*\2`
const singleQuoted = String.raw`(')[^'\n]*'`
const bare = String.raw`[^\s,}\]]*[^\s,}\]"'\\]`
/** The same within a line: JSON, flow YAML, environment, command lines. Quotes stay, so that JSON stays JSON. */
const secretValue = new RegExp(
  String.raw`(${secretNames}\\?["']?[ \t]*[:=][ \t]*)(?:${doubleQuoted}|${singleQuoted}|${bare})`,
  'gi',
)
/** Pasted ones may be broken into lines. Shorter ones hold nothing of the secret. */
const token = /lnet\d{1,3}-[A-Za-z0-9_-]{20,}(?:\s+[A-Za-z0-9_-]{40,})*/g
/** Base64 of 32 bytes or more, with what stands before it without a gap. */
const base64Key = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43,}={1,2}/g
const hexKey = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/gi

function redactSecrets(text: string, { secrets, publicKeys }: Sensitive): string {
  const shown = new Set(publicKeys.filter(key => !secrets.includes(key)))
  return secrets
    .filter(secret => secret !== '')
    .reduce((rest, secret) => rest.replaceAll(secret, hidden), text)
    .replaceAll(secretBlock, `$1$2 ${hidden}`)
    .replaceAll(secretValue, `$1$2$3${hidden}$2$3`)
    .replaceAll(token, hidden)
    .replaceAll(base64Key, key => (shown.has(key) ? shortKey(key) : hidden))
    .replaceAll(hexKey, hidden)
}
