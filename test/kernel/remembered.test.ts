import { queryObjects } from 'node:v8'
import { expect, it } from 'vitest'
import { remembered } from '../../src/kernel/readers/remembered.ts'

const outputCharacters = 10_000

/** Of what somebody holds: to count objects, all others are collected first. */
function heapBytes(): number {
  queryObjects(WeakRef, { format: 'count' })
  return process.memoryUsage().heapUsed
}

it('keeps the texts it parsed, and not the outputs they stood in', () => {
  const parse = remembered(text => text)
  const before = heapBytes()
  for (let index = 0; index < 200; index += 1) {
    const output = Buffer.alloc(outputCharacters, `[fd00::${index}]:51820\t`).toString('latin1')
    parse(output.split('\t')[1] ?? '')
  }
  expect(heapBytes() - before).toBeLessThan((200 * outputCharacters) / 4)
  expect(parse('[fd00::7]:51820')).toBe('[fd00::7]:51820')
})
