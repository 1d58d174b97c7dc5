import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { logEvents } from '../src/host/events.ts'

/** What the papers say and a machine can check. */
const papers = [
  ...['README.md', 'HACKING.md', 'CHANGELOG.md', 'SECURITY.md', 'docs/PROTOCOL.md', 'CONTRIBUTING.md'],
  ...['docs/ARCHITECTURE.md', 'docs/machine.md'],
  ...globSync('docs/guides/*.md'),
  ...globSync('docs/decisions/*.md'),
]

describe.each(papers)('%s', paper => {
  const text = readFileSync(paper, 'utf8')

  it('names only scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>
    }
    const named = [...text.matchAll(/\bnpm run (\w+)/g)].map(match => match[1] as string)
    expect(named.filter(name => !(name in scripts))).toEqual([])
  })

  it('names only files that exist', () => {
    const named = [...text.matchAll(/\b(?:src|test|packaging|config)\/[\w./-]*\w/g)].map(match => match[0])
    expect(named.filter(name => !existsSync(name))).toEqual([])
  })

  it('names only commands that lnetctl has', () => {
    const program = ['src/lnetctl.ts', ...globSync('src/control/*.ts')]
      .map(file => readFileSync(file, 'utf8'))
      .join('')
    const named = [...text.matchAll(/\blnetctl ([a-z]+)/g)].map(match => match[1] as string)
    const commands = named.filter(name => !['and', 'has', 'explains', 'asks', 'shows'].includes(name))
    expect(commands.filter(name => !new RegExp(`'${name}'`).test(program))).toEqual([])
  })
})

describe('README.md', () => {
  it('is short', () => {
    expect(readFileSync('README.md', 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(150)
  })
})

describe.each([...papers])('links of %s', paper => {
  it('lead to files that exist', () => {
    const links = [...readFileSync(paper, 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
    const missing = links.map(match => join(dirname(paper), match[1] as string)).filter(to => !existsSync(to))
    expect(missing).toEqual([])
  })
})

describe('docs/ARCHITECTURE.md', () => {
  it('names each room, and no other', () => {
    const rooms = readdirSync('src', { withFileTypes: true }).filter(entry => entry.isDirectory())
    const text = readFileSync('docs/ARCHITECTURE.md', 'utf8')
    const named = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(match => match[1] as string)
    expect(named.toSorted()).toEqual(rooms.map(({ name }) => name).toSorted())
  })
})

describe('HACKING.md', () => {
  it('explains every event of the log', () => {
    const rows = Object.entries(logEvents).map(
      ([event, { meaning, fields }]) =>
        `| \`${event}\` | ${meaning} | ${fields.map(field => `\`${field}\``).join(' ')} |`,
    )
    const written = readFileSync('HACKING.md', 'utf8')
      .split('\n')
      .filter(line => line.startsWith('| `') && /^\| `[a-z]+\.[a-z_]+` \|/.test(line))
    expect(written).toEqual(rows)
  })
})

describe('SECURITY.md', () => {
  const rows = readFileSync('SECURITY.md', 'utf8')
    .split('\n')
    .filter(line => /^\| can(not)? \|/.test(line))
  const tests = rows.flatMap(row =>
    [...row.matchAll(/`(test\/[\w./-]+)` '([^']+)'/g)].map(match => ({
      file: match[1] as string,
      title: match[2] as string,
    })),
  )

  it('backs every limit of an attacker with a test', () => {
    const limits = rows.filter(row => row.startsWith('| cannot |'))
    expect(limits.length).toBeGreaterThan(0)
    expect(limits.filter(row => !/`test\/[\w./-]+` '[^']+' *(,|\|$)/.test(row))).toEqual([])
  })

  it('names a title beside each test file', () => {
    expect(rows.join('\n').match(/`test\//g)?.length).toBe(tests.length)
  })

  it.each(tests)('quotes a title of $file: $title', ({ file, title }) => {
    expect(existsSync(file)).toBe(true)
    const source = readFileSync(file, 'utf8')
    expect([`'${title}`, `"${title}`, `\`${title}`].some(quoted => source.includes(quoted))).toBe(true)
  })
})
