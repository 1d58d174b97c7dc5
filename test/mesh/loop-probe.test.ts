import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeLoopProbe, encodeLoopProbe, type LoopProbe } from '../../src/mesh/loop-probe.ts'
import { loopProbeBytesMax, sequenceNumberMax, vniMax } from '../../src/model/limits.ts'
import type { Vni } from '../../src/model/segment.ts'
import { nodeId, vni } from './world.ts'

const key = Uint8Array.from({ length: 32 }, (_, index) => index)
const probe: LoopProbe = {
  node: nodeId(1),
  vni,
  sequence: { incarnation: 7, counter: 2 ** 40 },
  standing: 'joined',
}

const probes: fc.Arbitrary<LoopProbe> = fc.record({
  node: fc.integer({ min: 1, max: 9 }).map(nodeId),
  vni: fc.integer({ min: 1, max: vniMax }) as fc.Arbitrary<Vni>,
  sequence: fc.record({
    incarnation: fc.integer({ min: 0, max: sequenceNumberMax - 1 }),
    counter: fc.integer({ min: 0, max: sequenceNumberMax - 1 }),
  }),
  standing: fc.constantFrom('out', 'joined', 'gone'),
})

describe('a loop probe', () => {
  it('comes back as it was said, whatever it says', () => {
    fc.assert(
      fc.property(probes, said => {
        const bytes = encodeLoopProbe(said, key)
        expect(bytes.length).toBeLessThanOrEqual(loopProbeBytesMax)
        expect(decodeLoopProbe(bytes, key)).toEqual(said)
      }),
    )
  })

  it('is none when a bit of it was changed, or the mesh is another one', () => {
    const bytes = encodeLoopProbe(probe, key)
    for (let index = 0; index < bytes.length * 8; index += 1) {
      const changed = bytes.slice()
      changed[index >> 3] = (changed[index >> 3] as number) ^ (1 << (index & 7))
      expect(decodeLoopProbe(changed, key)).toBeNull()
    }
    expect(decodeLoopProbe(bytes, new Uint8Array(32))).toBeNull()
  })

  it('is none when it is shorter or longer', () => {
    const bytes = encodeLoopProbe(probe, key)
    for (let length = 0; length < bytes.length; length += 1)
      expect(decodeLoopProbe(bytes.subarray(0, length), key)).toBeNull()
    expect(decodeLoopProbe(new Uint8Array([...bytes, 0]), key)).toBeNull()
    expect(decodeLoopProbe(new Uint8Array(65_000), key)).toBeNull()
  })
})
