import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LayeredMap } from '../../src/mesh/layered-map.ts'

const entry = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.record({ value: fc.nat() }))

describe('a map in layers', () => {
  it('is what a plain map would be after the same changes, in the same order', () => {
    fc.assert(
      fc.property(fc.array(entry), fc.array(fc.array(entry, { maxLength: 4 })), (first, changes) => {
        const plain = new Map(first)
        let layered: ReadonlyMap<number, { value: number }> = new Map(first)
        for (const change of changes) {
          for (const [key, value] of change) plain.set(key, value)
          layered = LayeredMap.with(layered, new Map(change))
        }
        const seen: unknown[] = []
        layered.forEach((value, key) => {
          seen.push([key, value])
        })
        expect(seen).toEqual([...plain])
        expect([...layered]).toEqual([...plain])
        expect([...layered.keys()]).toEqual([...plain.keys()])
        expect([...layered.values()]).toEqual([...plain.values()])
        expect(layered.size).toBe(plain.size)
        for (let key = 0; key <= 60; key += 1) {
          expect(layered.get(key)).toBe(plain.get(key))
          expect(layered.has(key)).toBe(plain.has(key))
        }
      }),
    )
  })

  it('leaves the map it came from as it was', () => {
    const before = new Map(Array.from({ length: 300 }, (_, key) => [key, { value: key }]))
    const once = LayeredMap.with(before, new Map([[7, { value: 0 }]]))
    const twice = LayeredMap.with(once, new Map([[300, { value: 1 }]]))
    expect([before.get(7), once.get(7), twice.get(7)]).toEqual([{ value: 7 }, { value: 0 }, { value: 0 }])
    expect([before.size, once.size, twice.size]).toEqual([300, 300, 301])
    expect(once).toBeInstanceOf(LayeredMap)
  })
})
