import { reportFileCharactersMax } from './limits.ts'

/** One text of a bug report. */
export interface ReportFile {
  /** In the archive, without a directory. */
  readonly name: string
  /** What is in it, for whoever decides whether to send it. */
  readonly about: string
  readonly text: string
  /** What it should have held and does not, a sentence each. */
  readonly missing: readonly string[]
}

/** What a bug report must not tell, as far as this machine knows it. */
export interface Sensitive {
  /** Keys and the mesh secret, in every spelling they may appear in. */
  readonly secrets: readonly string[]
  /** WireGuard's, which may be told in short. */
  readonly publicKeys: readonly string[]
  /** DNS names, or names of the LAN, that packets are sent to. */
  readonly hosts: readonly string[]
}

/** What was read of this machine for a bug report; nothing is taken out of it yet. */
export interface ReportMaterial {
  /** What this node is called, as far as can be told without lnetd. */
  readonly node: string
  readonly files: readonly ReportFile[]
  /** What lnetd kept of its past events; for when it cannot be asked. */
  readonly savedEvents: string
  readonly sensitive: Sensitive
  /** Words of lnet with dots in them, which are no DNS names. */
  readonly ownWords: readonly string[]
}

/** Texts to be put into one file, a tar.gz. */
export interface Archive {
  /** The file to make; nothing is overwritten. */
  readonly path: string
  /** The one directory in it, that it is unpacked to. */
  readonly directory: string
  readonly files: readonly Pick<ReportFile, 'name' | 'text'>[]
  /** Milliseconds of Unix time. */
  readonly at: number
}

/**
 * A file within `reportFileCharactersMax`: its first or its last lines, whole ones, so that nothing that has to be
 * taken out is cut in two before it is found.
 */
export function reportFile(
  { name, about, text, missing = [] }: Omit<ReportFile, 'missing'> & Partial<ReportFile>,
  keep: 'start' | 'end' = 'start',
): ReportFile {
  if (text.length <= reportFileCharactersMax) return { name, about, text, missing }
  const lost = `${name} is cut: it would be longer than ${reportFileCharactersMax} characters`
  return {
    name,
    about,
    text: keep === 'start' ? firstLines(text) : lastLines(text),
    missing: [...missing, lost],
  }
}

function firstLines(text: string): string {
  return text.slice(0, text.lastIndexOf('\n', reportFileCharactersMax - 1) + 1)
}

function lastLines(text: string): string {
  const start = text.indexOf('\n', text.length - reportFileCharactersMax - 1)
  return start < 0 ? '' : text.slice(start + 1)
}
