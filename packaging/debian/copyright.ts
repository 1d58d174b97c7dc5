import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.ts'
import type { Runtime } from '../runtime.ts'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly author?: string | { readonly name: string }
}

/** The licences of everything in the package: lnet, Node, and each npm package that the bundles were made of. */
export function copyright(modulesFile: string, runtime: Runtime): string {
  const modules = JSON.parse(readFileSync(modulesFile, 'utf8')) as readonly string[]
  const terms = new Map<string, string[]>()
  for (const module of modules) {
    const text = termsOf(module)
    terms.set(text, [...(terms.get(text) ?? []), titleOf(module)])
  }
  const chapters = [...terms].map(([text, titles]) => chapter(titles.join('\n'), text))
  const own = read(join(root, 'LICENSE'))
  return [
    'lnetd contains lnet, a runtime of Node.js (/usr/lib/lnetd/node), and in its two bundles (/usr/lib/lnetd/*.js)',
    'parts of the npm packages named below. Each has its own terms. The Apache License 2.0 is also in',
    '/usr/share/common-licenses/Apache-2.0.',
    '',
    chapter('lnet', own),
    ...chapters,
    chapter(`Node.js ${runtime.version}`, read(runtime.license)),
  ].join('\n')
}

/** Its licence files; where it has none, what its manifest says. */
function termsOf(module: string): string {
  const directory = join(root, module)
  const files = readdirSync(directory)
    .filter(name => /^(licen[cs]e|copying|notice)/i.test(name))
    .sort()
  if (files.length > 0) return files.map(name => read(join(directory, name))).join('\n')
  const { license } = manifest(module)
  if (license === undefined) throw new Error(`${module} has no licence: it cannot be shipped`)
  return `${license}, as its manifest says; it has no text of its own. The MIT terms are those of lnet above.\n`
}

function titleOf(module: string): string {
  const { name, version, author } = manifest(module)
  const by = typeof author === 'object' ? author.name : author
  return by === undefined ? `${name} ${version}` : `${name} ${version}, by ${by}`
}

function manifest(module: string): Manifest {
  return JSON.parse(readFileSync(join(root, module, 'package.json'), 'utf8')) as Manifest
}

function chapter(title: string, text: string): string {
  return `${'-'.repeat(78)}\n${title}\n\n${text.trim()}\n`
}

function read(file: string): string {
  return readFileSync(file, 'utf8').replaceAll('\r', '')
}
