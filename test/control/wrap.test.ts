import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { doctorPage } from '../../src/control/doctor.ts'
import { statusPage } from '../../src/control/pages.ts'
import { statusView } from '../../src/control/status-view.ts'
import { painter } from '../../src/control/text.ts'
import { columnsOf, wrapped, wrappedLines } from '../../src/control/wrap.ts'
import { degraded } from '../../src/model/problem.ts'
import { snapshot } from './snapshots.ts'

const longClause =
  'a clause of many short words that goes on and on for much longer than a line of a terminal is'
const command = `nft insert rule ip filter INPUT ${'udp dport 51820 '.repeat(5)}accept`
const finding = {
  check: 'firewall',
  state: 'wrong',
  what: longClause,
  why: longClause,
  fix: command,
} as const
const problem = degraded('kernel-failed', '', longClause, { why: longClause, remedy: command })

describe('the width', () => {
  it('is that of a terminal, 80 where it knows none, and none where a program may read', () => {
    expect(columnsOf({ isTTY: true, columns: 132 })).toBe(132)
    expect(columnsOf({ isTTY: true })).toBe(80)
    expect(columnsOf({ isTTY: true, columns: 0 })).toBe(80)
    expect(columnsOf({ columns: 40 })).toBe(null)
  })
})

describe('wrapping', () => {
  it('loses no word, and makes no line longer than the room but by a word that is longer itself', () => {
    const word = fc.string({ minLength: 1, maxLength: 30, unit: fc.constantFrom('a', 'b', '-') })
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 20, max: 100 }), (words, room) => {
        const lines = wrapped(words.join(' '), room)
        expect(lines.join(' ')).toBe(words.join(' '))
        for (const line of lines) expect(line.length <= room || !line.includes(' ')).toBe(true)
      }),
    )
  })

  it('leaves text alone on no terminal, and on one too narrow to be read', () => {
    expect(wrapped(longClause, null)).toEqual([longClause])
    expect(wrapped(longClause, 5)).toEqual([longClause])
    expect(wrappedLines(`${longClause}\n`, null)).toBe(`${longClause}\n`)
  })

  it('keeps an error in lines that are not too long, the next ones indented', () => {
    expect(wrappedLines(`lnetctl: ${longClause}\n  short\n`, 60)).toMatchInlineSnapshot(`
      "lnetctl: a clause of many short words that goes on and on
        for much longer than a line of a terminal is
        short
      "
    `)
  })
})

describe('pages at 80 columns', () => {
  it('doctor: what, why and fix stand apart, and a command stays one line', () => {
    const page = doctorPage({ schema: 1, healthy: false, findings: [finding] }, painter(false), 80)
    expect(page).toMatchInlineSnapshot(`
      "wrong   firewall       a clause of many short words that goes on and on for much
                             longer than a line of a terminal is
              why: a clause of many short words that goes on and on for much longer
                   than a line of a terminal is
              fix: nft insert rule ip filter INPUT udp dport 51820 udp dport 51820 udp dport 51820 udp dport 51820 udp dport 51820 accept
      "
    `)
  })

  it('status: a problem in its parts', () => {
    const view = statusView(snapshot([], [], { problems: [problem] }))
    const page = statusPage(view, painter(false), 80)
    expect(page.slice(page.indexOf('degraded: '))).toMatchInlineSnapshot(`
      "degraded: a clause of many short words that goes on and on for much longer than
                a line of a terminal is
        why: a clause of many short words that goes on and on for much longer than a
             line of a terminal is
        fix: nft insert rule ip filter INPUT udp dport 51820 udp dport 51820 udp dport 51820 udp dport 51820 udp dport 51820 accept
      "
    `)
    const tooLong = page.split('\n').filter(line => line.length > 80 && !line.startsWith('  fix: '))
    expect(tooLong).toEqual([])
  })

  it('status: one line a problem where a program may read it', () => {
    const view = statusView(snapshot([], [], { problems: [problem] }))
    expect(statusPage(view, painter(false))).toContain(
      `degraded: ${longClause} (${longClause}): ${command}\n`,
    )
  })
})
