import { describe, expect, it } from 'vitest'
import { isModestRpc } from '../../src/gossip/rpc-shape.ts'

const empty = new Uint8Array()
const messageName = new Uint8Array(16).fill(7)
const topic = new TextEncoder().encode('/lnet/1/00112233445566778899aabbccddeeff')

describe('a message of the topic protocol', () => {
  it.each([
    ['nothing', empty, true],
    ['a subscription', field(1, Uint8Array.of(8, 1), field(2, topic)), true],
    ['an announcement', field(2, field(2, new Uint8Array(2000)), field(4, topic)), true],
    ['as many announcements as are decoded', times(512, field(2, field(2, empty), field(4, topic))), true],
    [
      '5000 names of what can be had',
      control(field(1, field(1, topic), times(5000, field(2, messageName)))),
      true,
    ],
    ['a field of a later version', field(9, new Uint8Array(100_000)), true],
    [
      'numbers of later versions',
      Uint8Array.of(0x48, 0x96, 0x01, 0x4d, 1, 2, 3, 4, 0x49, 1, 2, 3, 4, 5, 6, 7, 8),
      true,
    ],
    ['names in many lists', control(times(52, field(1, times(5000, field(2, empty))))), false],
    ['control again and again', times(260_000, field(3, empty)), false],
    ['lists in control again and again', times(4000, control(times(60, field(1, empty)))), false],
    ['data again and again', field(2, times(200_000, field(2, empty))), false],
    ['unknown numbers', times(200_000, Uint8Array.of(0x78, 0)), false],
    ['peers of a prune', control(field(4, times(100_000, field(2, empty)))), false],
    ['a length beyond the end', Uint8Array.of(0x1a, 0x05, 0x0a), false],
    ['a length beyond its message', field(3, Uint8Array.of(0x0a, 0x05)), false],
    ['an endless number', new Uint8Array(20).fill(0xff), false],
    ['a group', Uint8Array.of(0x0b), false],
    ['a number that is cut off', Uint8Array.of(0x4d, 1), false],
  ])('of %s: %#', (_, bytes, expected) => {
    expect(isModestRpc(bytes)).toBe(expected)
  })
})

function control(...parts: readonly Uint8Array[]): Uint8Array {
  return field(3, ...parts)
}

/** A length-delimited field. */
function field(number: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts)
  return Buffer.concat([Uint8Array.from([...varint(number * 8 + 2), ...varint(body.length)]), body])
}

function times(count: number, part: Uint8Array): Uint8Array {
  return Buffer.concat(Array.from({ length: count }, () => part))
}

function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}
