import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { announcementDomain } from '../src/gossip/envelope.ts'
import { syncProtocol } from '../src/gossip/sync.ts'
import { syncField } from '../src/mesh/read-sync.ts'
import { ignoreReasons, rejectReasons } from '../src/model/announcement.ts'
import * as limits from '../src/model/limits.ts'

/** What docs/PROTOCOL.md says and the code does. */
const text = readFileSync('docs/PROTOCOL.md', 'utf8')
const sources = globSync('src/**/*.ts').map(file => readFileSync(file, 'utf8'))

/** The cells of the rows of the first table under a heading, or under the first line that starts so. */
function tableAfter(start: string): readonly (readonly string[])[] {
  const lines = text.split('\n')
  const from = lines.findIndex(line => line.startsWith(start))
  const head = lines.findIndex((line, index) => index > from && line.startsWith('| --- |'))
  const end = lines.findIndex((line, index) => index > head && !line.startsWith('|'))
  if (from < 0 || head < 0) throw new Error(`no table after ${start}`)
  return lines.slice(head + 1, end).map(line =>
    line
      .split('|')
      .slice(1, -1)
      .map(cell => cell.trim().replace(/^`(.*)`$/, '$1')),
  )
}

const numbered = (start: string) =>
  Object.fromEntries(tableAfter(start).map(([key, name]) => [name, Number(key)]))

/** The numbers of a record of the source that is not exported: `const field = { a: 0 } as const`. */
function fieldsIn(file: string): Record<string, number> {
  const source = readFileSync(file, 'utf8')
  const body = /const field = \{([^}]*)\} as const/.exec(source)?.[1] ?? ''
  return Object.fromEntries([...body.matchAll(/(\w+): (\d+)/g)].map(([, name, key]) => [name, Number(key)]))
}

describe('docs/PROTOCOL.md', () => {
  it('has the keys of an announcement, a sync message and a token', () => {
    const announcement = fieldsIn('src/mesh/codec.ts')
    expect(Object.keys(announcement).length).toBeGreaterThan(15)
    expect(numbered('## Announcement')).toEqual(announcement)
    expect(numbered('## Sync')).toEqual(syncField)
    expect(numbered('## Join token')).toEqual(fieldsIn('src/mesh/token.ts'))
  })

  it('has the reasons of each verdict', () => {
    const reasons = new Map(tableAfter('### Topic').map(([verdict, names = '']) => [verdict, words(names)]))
    expect(reasons.get('reject')).toEqual(rejectReasons)
    expect(reasons.get('ignore')).toEqual(ignoreReasons)
  })

  it('has the limits as they are', () => {
    const rows = tableAfter('## Limits')
    expect(rows.length).toBeGreaterThan(20)
    for (const [name = '', value] of rows)
      expect({ [name]: Number(value) }).toEqual({ [name]: (limits as Record<string, unknown>)[name] })
  })

  it('has the labels that keys and addresses are derived with', () => {
    const mentions = (label: string) => sources.some(source => source.includes(label))
    const keys = tableAfter('All other keys').map(([label = '']) => label.replace(/( [A-Z]+)+$/, ''))
    const derived = tableAfter('## Derivations').map(([label = '']) => label)
    expect(keys).toHaveLength(4)
    for (const label of keys) expect([label, mentions(label.replace('lnet/1/', ''))]).toEqual([label, true])
    for (const label of derived) expect([label, mentions(`'${label}'`)]).toEqual([label, true])
    const used = sources.flatMap(source => [...source.matchAll(/\b(?:digest|ulaPrefix)\('([^']+)'/g)])
    expect(used.map(([, label]) => label).filter(label => label !== 'fingerprint')).toEqual(
      expect.arrayContaining(derived),
    )
  })

  it('has the names of protocols', () => {
    expect(text).toContain(`\`${announcementDomain}\``)
    expect(text).toContain(`\`${syncProtocol}\` compares`)
  })
})

function words(cell: string): readonly string[] {
  return cell.split(/[` ]+/).filter(Boolean)
}
