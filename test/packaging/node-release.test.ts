import { describe, expect, it } from 'vitest'
import { overdueRelease } from '../../packaging/node-release.ts'

const now = new Date('2026-11-30T12:00:00Z')
const day = (date: string) => `${date}T11:00:00Z`
const published = (time: Record<string, string>) => ({ versions: Object.keys(time), time })

describe('the bundled Node', () => {
  it.each<[string, string, Record<string, string>, string | null]>([
    ['is the newest', '24.22.3', { '24.22.3': day('2026-11-12') }, null],
    [
      'is 18 days behind',
      '24.21.0',
      { '24.22.1': day('2026-10-22'), '24.22.3': day('2026-11-12') },
      '24.22.3',
    ],
    ['is a week behind', '24.21.0', { '24.21.1': day('2026-11-24') }, null],
    ['is a week and a moment behind', '24.21.0', { '24.21.1': day('2026-11-23') }, '24.21.1'],
    [
      'is behind one that is out long enough, and one that is not',
      '24.9.0',
      { '24.10.0': day('2026-11-01'), '24.11.0': day('2026-11-29') },
      '24.10.0',
    ],
    ['is of an older line', '24.22.3', { '26.1.0': day('2026-05-01') }, null],
    ['is older than a candidate', '24.22.3', { '24.23.0-rc.1': day('2026-05-01') }, null],
    ['is behind one without a date', '24.22.3', { '24.22.4': '' }, '24.22.4'],
  ])('%s', (_, bundled, time, newer) => {
    expect(overdueRelease(bundled, published(time), now)).toBe(newer)
  })
})
