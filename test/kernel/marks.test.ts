import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lostMarks } from '../../src/kernel/readers/marks.ts'

const mark = 'lnet:00'
const own = { ifindex: 7, ifname: 'lnet0', ifalias: mark }

describe('a mark that is gone', () => {
  it.each([
    ['is missed', { ifalias: undefined }, ['lnet0']],
    ['is missed where another text is', { ifalias: 'mine' }, ['lnet0']],
    ['is that of another mesh', { ifalias: 'lnet:11' }, []],
    ['is that of another device of this name', { ifindex: 8, ifalias: undefined }, []],
    ['is of a device with another name now', { ifname: 'x', ifalias: undefined }, []],
  ])('%s', (_, changes, expected) => {
    const marked = new Set<string>()
    expect(lostMarks([{ ...own, ifalias: 'mine' }], mark, marked)).toEqual([])
    expect(lostMarks([own], mark, marked)).toEqual([])
    expect(lostMarks([{ ...own, ...changes }], mark, marked)).toEqual(expected)
    // Once: who cannot be marked again is somebody else's.
    expect(lostMarks([{ ...own, ...changes }], mark, marked)).toEqual([])
  })

  it('is looked for among anything', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), items => {
        expect(lostMarks([...items, own], mark, new Set())).toEqual([])
      }),
    )
  })
})
