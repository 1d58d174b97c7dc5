import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.ts'
import { maintainer } from './deb.ts'
import type { Release } from './tree.ts'

/** CHANGELOG.md as Debian writes changelogs (deb-changelog(5)): one entry, with what the newest section says. */
export function changelog({ version, epochSeconds }: Release): string {
  const text = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
  const section = text.split(/^## /m)[1] ?? ''
  const changes = section
    .split(/^- /m)
    .slice(1)
    .map(item => wrapped(item.split(/^#/m)[0] as string))
  const date = new Date(epochSeconds * 1000).toUTCString().replace('GMT', '+0000')
  return `lnetd (${version}) stable; urgency=medium\n\n${changes.join('')}\n -- ${maintainer}  ${date}\n`
}

/** Lines of at most 80 characters, as a list item. */
function wrapped(item: string): string {
  const lines = ['']
  for (const word of item.trim().split(/\s+/)) {
    const last = lines.at(-1) as string
    if (last === '') lines[lines.length - 1] = word
    else if (last.length + word.length < 75) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return `  * ${lines.join('\n    ')}\n`
}
