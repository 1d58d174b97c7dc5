import { expect, it } from 'vitest'
import { Allowances } from '../../src/mesh/allowances.ts'
import {
  allowancesMax,
  syncAllowance,
  syncAnswersBurst,
  syncBytesBurst,
  syncBytesPerSecond,
} from '../../src/model/limits.ts'
import type { NodeId } from '../../src/model/node.ts'
import { crowd } from './sync-sets.ts'

const [node, other, ...rest] = crowd(allowancesMax + 2)
if (node === undefined || other === undefined) throw new Error('nobody')

it('lets a neighbour cause so much at once, and so much more each second', () => {
  const allowances = new Allowances<NodeId>(syncAllowance, allowancesMax)
  expect(allowances.spend(node, syncAnswersBurst, 0, 0)).toBe(0)
  expect(allowances.spend(node, 1, 0, 0)).toBe(250)
  expect(allowances.spend(node, 0, syncBytesBurst, 1000)).toBe(0)
  expect(allowances.spend(node, 0, syncBytesPerSecond, 1000)).toBe(1000)
  expect(allowances.spend(other, 1, 1, 1000)).toBe(0)
  expect(allowances.spend(node, syncAnswersBurst, syncBytesBurst, 1e9)).toBe(0)
})

it('forgets those that asked nothing for longest, and gives no more to who asks often', () => {
  const allowances = new Allowances<NodeId>(syncAllowance, allowancesMax)
  allowances.spend(node, 0, 2 * syncBytesBurst, 0)
  for (const each of rest) {
    allowances.spend(each, 0, 1, 0)
    expect(allowances.spend(node, 0, 0, 0)).toBeGreaterThan(0)
  }
})
