import { encode } from 'cborg'
import packet from 'dns-packet'
import { isModestPacket } from '../../src/gossip/multicast-socket.ts'
import { isModestRpc } from '../../src/gossip/rpc-shape.ts'
import { parseMembers } from '../../src/host/saved-members.ts'
import { decodeAnnouncement } from '../../src/mesh/codec.ts'
import { answerSync } from '../../src/mesh/exchange.ts'
import { decodeSyncMessage, encodeSyncMessage } from '../../src/mesh/sync.ts'
import {
  announcementBytesMax,
  membersMax,
  syncMessageBytesMax,
  topicMessageBytesMax,
  unpagedAnswerBytesMax,
} from '../../src/model/limits.ts'
import { crowd, newSet } from '../mesh/sync-sets.ts'
import { createChance } from '../sim/chance.ts'

/**
 * Hands every reader of strangers' bytes the largest messages there are, of random valid CBOR and of what is almost
 * right, and says what the worst of them cost. Run by heap.test.ts in a process of its own, with --expose-gc.
 */
const chance = createChance(process.argv[2] ?? 'hostile bytes')
const full = newSet(Object.fromEntries(crowd(membersMax).map(node => [node, 1])))
const fullDigest = full.digest()
/** As a daemon has it: the digest is worked out when something changes, not when somebody asks. */
const house = { ...full, digest: () => fullDigest }
const worst = { milliseconds: 0, heapBytes: 0, messages: 0 }
const costs: Record<string, { milliseconds: number; heapBytes: number }> = {}

/** Heads that take one byte each, or few: whatever makes the most of a byte. */
const atoms: readonly (readonly number[])[] = [
  [0x80],
  [0xa0],
  [0x00],
  [0x40],
  [0x60],
  [0xf6],
  [0xf7],
  [0x81],
  [0xa1],
  [0x9f],
  [0xbf],
  [0x5f],
  [0xff],
  [0xc1],
  [0x20],
  [0xf9, 0x3c, 0x00],
  [0x19, 0xff, 0xff],
  [0x1b, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x9b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
  [0xba, 0xff, 0xff, 0xff, 0xff],
  [0x7a, 0x7f, 0xff, 0xff, 0xff],
  [0x83, 0x78, 0x34, 0x31],
]

measure('sync', syncMessageBytesMax, decodeSyncMessage)
measure('sync, answer of version 0.1.0', unpagedAnswerBytesMax, decodeSyncMessage)
measure('sync, 4 MiB', 4 * 1024 * 1024, decodeSyncMessage)
measure('announcement', announcementBytesMax, decodeAnnouncement)
measure('saved members', 4 * 1024 * 1024, bytes => parseMembers(bytes, 0))
measure('topic', topicMessageBytesMax, isModestRpc)
measure(
  'multicast',
  65_507,
  bytes => isModestPacket(bytes) && attempt(() => packet.decode(Buffer.from(bytes))),
)
for (const entries of [4000, 1000]) {
  const question = { kind: 'digest', entries: newSet(numbers(entries)).digest() } as const
  const bytes = encodeSyncMessage(question)
  cost('digest, answered', bytes, read => {
    const message = decodeSyncMessage(read)
    const reply = message === null ? null : answerSync(message, house)
    return reply === null ? null : encodeSyncMessage(reply)
  })
}
process.stdout.write(JSON.stringify({ ...worst, costs }))

function measure(name: string, bytesMax: number, read: (bytes: Uint8Array) => unknown): void {
  for (let run = 0; run < 40; run += 1) cost(name, messageOf(run, bytesMax), read)
}

function cost(name: string, bytes: Uint8Array, read: (bytes: Uint8Array) => unknown): void {
  globalThis.gc?.()
  const heapBefore = process.memoryUsage().heapUsed
  // Of this thread alone: others share the machine.
  const before = process.threadCpuUsage()
  const value = read(bytes)
  const { user, system } = process.threadCpuUsage(before)
  const milliseconds = (user + system) / 1000
  const heapBytes = process.memoryUsage().heapUsed - heapBefore
  const known = costs[name] ?? { milliseconds: 0, heapBytes: 0 }
  costs[name] = {
    milliseconds: Math.round(Math.max(known.milliseconds, milliseconds) * 10) / 10,
    heapBytes: Math.max(known.heapBytes, heapBytes),
  }
  worst.milliseconds = Math.max(worst.milliseconds, milliseconds)
  worst.heapBytes = Math.max(worst.heapBytes, heapBytes)
  worst.messages += value === undefined ? 0 : 1
}

/** One of the same kind all through, a mixture, or the beginning of what is expected and then one of those. */
function messageOf(run: number, bytesMax: number): Uint8Array {
  const head = run % 2 === 0 ? [] : chance.pick(beginnings(bytesMax))
  const kinds =
    run < atoms.length
      ? [atoms[run] as readonly number[]]
      : Array.from({ length: 5 }, () => chance.pick(atoms))
  const bytes = new Uint8Array(bytesMax)
  bytes.set(head)
  let at = head.length
  for (;;) {
    const atom = chance.pick(kinds)
    if (at + atom.length > bytesMax) return bytes.subarray(0, at)
    bytes.set(atom, at)
    at += atom.length
  }
}

function beginnings(bytesMax: number): readonly (readonly number[])[] {
  const count = [(bytesMax >>> 24) & 255, (bytesMax >>> 16) & 255, (bytesMax >>> 8) & 255, bytesMax & 255]
  const [node = ''] = crowd(1)
  return [
    [0x81],
    [0xa1, 0x02, 0x9a, ...count],
    [0xa2, 0x03, 0x9a, ...count],
    [0xa2, 0x03, 0x19, 0x03, 0xe8],
    [0xa1, 0x02, 0x19, 0x4e, 0x20],
    [0xa1, 0x02, 0x19, 0x4e, 0x20, ...encode([node, 1, 1])],
    [0xa2, 0x03, 0x80, 0x04, 0x19, 0x03, 0xe8],
    [0xa1, 0x18, 0x63, 0x9a, ...count],
    [0xa1, 0x18, 0x63, 0xba, ...count],
    [0xa3, 0x00, 0x01, 0x01, 0x00, 0x02, 0x9a, ...count],
    [0xb8, 0x1f],
    [0x1a, 0x80, 0x80, 0x20],
    [0x1a, 0x80, 0x80, 0x20, 0x0a, 0x80, 0x80, 0x08],
  ]
}

function numbers(count: number): Record<string, number> {
  return Object.fromEntries(crowd(count).map(node => [node, 2]))
}

function attempt(action: () => unknown): unknown {
  try {
    return action()
  } catch {
    return null
  }
}
