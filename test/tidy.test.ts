import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'

/** The laws of the house, checked over the text of every source file. The formatter makes the text regular. */
const linesPerFileMax = 200
const linesPerFunctionMax = 60
/** Imports run one way: what each room may import besides itself. */
const rooms: Record<string, readonly string[]> = {
  model: [],
  mesh: ['model'],
  kernel: ['model', 'mesh'],
  gossip: ['model', 'mesh'],
  host: ['model', 'mesh'],
  control: ['model', 'mesh'],
  daemon: ['model', 'mesh', 'kernel', 'gossip', 'host', 'control'],
}
const entries = ['src/lnetd.ts', 'src/lnetctl.ts']
const sources = globSync('src/**/*.ts').sort()
const written = globSync(['src/**/*', 'test/**/*', 'packaging/**/*', 'config/**/*', '.ci/*', '*.md'], {
  withFileTypes: true,
})
  .filter(entry => entry.isFile())
  .map(entry => join(entry.parentPath, entry.name))
  .sort()

describe('the house', () => {
  it('has only rooms that are known here', () => {
    expect(sources.length).toBeGreaterThan(20)
    const strangers = sources.filter(file => !entries.includes(file) && !(roomOf(file) in rooms))
    expect(strangers).toEqual([])
  })

  it('has imports that run one way', () => {
    const against = edges().filter(({ from, to }) => {
      if (entries.includes(from)) return false
      const room = roomOf(from)
      return entries.includes(to) || (roomOf(to) !== room && !rooms[room]?.includes(roomOf(to)))
    })
    expect(against).toEqual([])
  })

  it('has one room for processes and one for libp2p', () => {
    expect(importersOf(/^execa$/).filter(file => roomOf(file) !== 'kernel')).toEqual([])
    const libp2p = /^(@?libp2p|@chainsafe|@multiformats)(\/|$)/
    expect(importersOf(libp2p).filter(file => roomOf(file) !== 'gossip')).toEqual([])
    // systemd is told by a program too, because Node has no unix datagram sockets.
    expect(importersOf(/^node:child_process$/)).toEqual(['src/host/notify.ts'])
  })

  it('keeps clock, chance and machine out of model and mesh', () => {
    const pure = sources.filter(file => ['model', 'mesh'].includes(roomOf(file)))
    const impure =
      /'node:|\bDate\b|Math\.random|\bperformance\.|\bsetTimeout\b|\bsetInterval\b|\bprocess\.|crypto\.getRandom/
    expect(pure.filter(file => impure.test(withoutComments(file)))).toEqual([])
  })

  it('has no file that nothing reaches', () => {
    expect(entries.filter(entry => !existsSync(entry))).toEqual([])
    const reached = reachable(entries)
    expect(sources.filter(file => !reached.has(file))).toEqual([])
  })
})

describe('the text', () => {
  it('has short files', () => {
    // A table of constants hides no decision.
    const files = sources.filter(file => file !== 'src/model/limits.ts')
    const measured = files.map(file => ({ file, lines: linesOf(file).length }))
    expect(measured.filter(({ lines }) => lines > linesPerFileMax)).toEqual([])
  })

  it('has short functions', () => {
    expect(sources.flatMap(functionsOf).filter(({ lines }) => lines > linesPerFunctionMax)).toEqual([])
  })

  it('leaves nothing to be done later', () => {
    // Split, so that this file does not find itself.
    const later = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`)
    expect(written.filter(file => later.test(read(file)))).toEqual([])
  })

  it('names no path of one machine', () => {
    const machine = new RegExp(
      `(^|[\\s'"\`(=])/(${['wo' + 'rk', 'ho' + 'me', 'Us' + 'ers', 'ro' + 'ot'].join('|')})/`,
      'm',
    )
    expect(written.filter(file => machine.test(read(file)))).toEqual([])
  })
})

describe('the dependencies', () => {
  it('are pinned exactly', () => {
    const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
    const kinds = ['dependencies', 'devDependencies', 'optionalDependencies']
    const versions = kinds.flatMap(kind => Object.values(manifest[kind] ?? {}))
    expect(versions.length).toBeGreaterThan(20)
    expect(versions.filter(version => !/^(npm:@?[a-z0-9/-]+@)?\d+\.\d+\.\d+$/.test(version))).toEqual([])
  })

  it('have a lockfile that names no download address', () => {
    // Remedy: npm install --package-lock-only --omit-lockfile-registry-resolved
    expect(read('package-lock.json')).not.toMatch(/"resolved"|https?:\/\/registry/)
  })
})

interface Edge {
  readonly from: string
  readonly to: string
}

function edges(): Edge[] {
  return sources.flatMap(from =>
    importsOf(from)
      .filter(name => name.startsWith('.') && name.endsWith('.ts'))
      .map(name => ({ from, to: normalize(join(dirname(from), name)) })),
  )
}

function importersOf(pattern: RegExp): string[] {
  return sources.filter(file => importsOf(file).some(name => pattern.test(name)))
}

function importsOf(file: string): string[] {
  const statements = read(file).matchAll(
    /^(?:import|export)\b[^'"]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm,
  )
  return [...statements].map(match => (match[1] ?? match[2] ?? match[3]) as string)
}

function reachable(from: readonly string[]): ReadonlySet<string> {
  const found = new Set(from)
  const all = edges()
  for (const file of found) for (const edge of all) if (edge.from === file) found.add(edge.to)
  return found
}

interface Measured {
  readonly file: string
  readonly line: number
  readonly lines: number
}

/** A function's own lines: without those of the functions in it, which are counted for themselves. */
function functionsOf(file: string): Measured[] {
  const found = functionSpans(linesOf(file))
  return found.map(({ first, last }) => {
    const inside = found.filter(inner => inner.first > first && inner.last < last)
    const outermost = inside.filter(inner => !inside.some(o => o.first < inner.first && o.last > inner.last))
    const nested = outermost.reduce((total, inner) => total + inner.last - inner.first + 1, 0)
    return { file, line: first + 1, lines: last - first + 1 - nested }
  })
}

/** From a line that opens a function's body to the next line that closes a bracket at the same depth. */
function functionSpans(lines: readonly string[]): { first: number; last: number }[] {
  const opening =
    /=> \{$|^\s*(export )?(async )?function\b|^\s+(async |static |get |set |\*)*(?!(if|for|while|switch|catch)\b)[\w#]+\(.*\{$/
  return lines.flatMap((text, first) => {
    if (!opening.test(text)) return []
    const indent = /^\s*/.exec(text)?.[0] ?? ''
    const length = lines.slice(first + 1).findIndex(line => line.startsWith(`${indent}}`))
    return length < 0 ? [] : [{ first, last: first + 1 + length }]
  })
}

function roomOf(file: string): string {
  return file.split('/')[1] as string
}

function withoutComments(file: string): string {
  return read(file).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
}

function linesOf(file: string): string[] {
  return read(file).trimEnd().split('\n')
}

function read(file: string): string {
  return readFileSync(file, 'utf8')
}
