import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createHiddenLine, type HiddenLine } from '../../src/control/hidden-line.ts'

const [begins, ends] = ['\u001b[200~', '\u001b[201~']

function typed(pieces: readonly string[], charactersMax = 100): HiddenLine | undefined {
  const line = createHiddenLine(charactersMax)
  for (const piece of pieces) {
    const read = line.feed(piece)
    if (read !== undefined) return read
  }
  return undefined
}

describe('a line that is not shown', () => {
  it.each<[string, string, HiddenLine | undefined]>([
    ['typed', 'lnet1-abc\r', 'lnet1-abc'],
    ['pasted without marks', 'lnet1-abc  \n', 'lnet1-abc  '],
    ['pasted, then Enter', `${begins}lnet1-abc${ends}\r`, 'lnet1-abc'],
    ['pasted, and not ended', `${begins}lnet1-abc${ends}`, undefined],
    ['pasted with its line break', `${begins}lnet1-abc\r\n${ends}`, 'lnet1-abc'],
    ['pasted in lines', `${begins}lnet1-\rabc\rdef${ends}\r`, 'lnet1-abcdef'],
    ['an empty paste', `${begins}\r${ends}lnet1-a\r`, 'lnet1-a'],
    ['corrected', 'lnetX\u007f1-abc\r', 'lnet1-abc'],
    ['begun again', 'wrong\u0015lnet1-abc\r', 'lnet1-abc'],
    ['with arrow keys', '\u001b[Dlnet1-\u001bOAabc\u001b[1;5C\r', 'lnet1-abc'],
    ['given up by Ctrl-C', 'lnet1-\u0003', null],
    ['given up by Ctrl-D', '\u0004', null],
    ['ended after a lone Esc', 'lnet1-abc\u001b\r', 'lnet1-abc'],
    ['empty', '\r', ''],
    ['after a lone Esc', `\u001b${'['.repeat(20)}\u0015lnet1-a\r`, 'lnet1-a'],
  ])('is what was meant: %s', (_, keys, line) => {
    expect(typed([keys])).toBe(line)
    expect(typed([...keys])).toBe(line)
  })

  it('does not depend on the pieces it comes in, and is bounded', () => {
    const key = fc.constantFrom(
      'a',
      '-',
      '\r',
      '\u007f',
      '\u0015',
      '\u001b',
      '[',
      begins,
      ends,
      '\u001b[A',
      '~',
    )
    fc.assert(
      fc.property(fc.array(key, { maxLength: 60 }), fc.array(fc.nat(60)), (keys, cuts) => {
        const text = keys.join('')
        const edges = [0, ...cuts.map(cut => Math.min(cut, text.length)).sort((a, b) => a - b), text.length]
        const pieces = edges.slice(1).map((edge, index) => text.slice(edges[index], edge))
        const whole = typed([text], 10)
        expect(typed(pieces, 10)).toBe(whole)
        expect((whole ?? '').length).toBeLessThanOrEqual(11)
      }),
    )
  })
})
