import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { reportFileCharactersMax } from '../../src/model/limits.ts'
import { reportFile } from '../../src/model/report.ts'

const plain = { name: 'log.txt', about: 'the log' }

describe('reportFile', () => {
  it('keeps what fits', () => {
    const text = 'x'.repeat(reportFileCharactersMax)
    expect(reportFile({ ...plain, text })).toEqual({ ...plain, text, missing: [] })
  })

  it('keeps whole lines, of the start or of the end, and says so', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: reportFileCharactersMax }), {
      minLength: 1,
      maxLength: 6,
    })
    fc.assert(
      fc.property(lengths, fc.constantFrom('start' as const, 'end' as const), (counts, keep) => {
        const text = counts.map((count, index) => `${String(index).repeat(count)}\n`).join('')
        const file = reportFile({ ...plain, text }, keep)
        expect(file.text.length).toBeLessThanOrEqual(reportFileCharactersMax)
        const lines = text.match(/.*\n/g) ?? []
        const kept = file.text.match(/.*\n/g) ?? []
        expect(kept.join('').length).toBe(file.text.length)
        expect(kept).toEqual(
          keep === 'start' ? lines.slice(0, kept.length) : lines.slice(lines.length - kept.length),
        )
        expect(file.missing.length).toBe(kept.length === lines.length ? 0 : 1)
      }),
      { numRuns: 50 },
    )
  })

  it('keeps no part of one endless line', () => {
    const text = 'x'.repeat(reportFileCharactersMax + 1)
    for (const keep of ['start', 'end'] as const) expect(reportFile({ ...plain, text }, keep).text).toBe('')
  })
})
