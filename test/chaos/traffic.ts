import { type ChildProcess, spawn } from 'node:child_process'
import { childrenOf } from '../lab/namespace.ts'
import type { LabNode } from '../lab/node.ts'

/** One direction that is watched: an overlay address, pinged from a node without a pause. */
export interface Pair {
  readonly from: LabNode
  readonly to: LabNode
  readonly address: string
}

export interface PairTraffic {
  readonly name: string
  readonly sent: number
  readonly lost: number
  /** When the first answer came after which none was missing, Unix seconds; null when none was lost at all. */
  readonly healedAt: number | null
  /** Unix seconds; null when no answer came. */
  readonly firstAnswerAt: number | null
  readonly lastAnswerAt: number | null
  readonly gaps: readonly Gap[]
}

/** Packets lost in a row: between the answers before and after, Unix seconds; null when there is none. */
export interface Gap {
  readonly from: number | null
  readonly until: number | null
  readonly packets: number
}

export interface Traffic {
  /** Ends the pings. What was sent in the last moments still gets its answer. */
  stop(): Promise<readonly PairTraffic[]>
}

/** Between two packets of a pair. */
export const intervalSeconds = 0.02

/** Packets without an answer at the very end: half a second, which is long where little is lost and much is running. */
const underWayMax = 0.5 / intervalSeconds

/** Pings each pair until it is stopped. */
export function watchTraffic(pairs: readonly Pair[]): Traffic {
  const running = pairs.map(watchPair)
  return { stop: () => Promise.all(running.map(stop => stop())) }
}

/** Every ordered pair of `from` and `to`, by IPv4. */
export function pairsOf(
  from: readonly LabNode[],
  to: readonly LabNode[],
  addresses: ReadonlyMap<string, string>,
): Pair[] {
  return from.flatMap(one =>
    to
      .filter(other => other.name !== one.name)
      .map(other => ({ from: one, to: other, address: addresses.get(other.name) as string })),
  )
}

function watchPair({ from, to, address }: Pair): () => Promise<PairTraffic> {
  const interval = String(intervalSeconds)
  const [file, ...args] = from.namespace.argv(['ping', '-n', '-D', '-i', interval, '-W', '1', address])
  const ping = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  ping.stdout.on('data', (data: Buffer) => {
    text += data.toString()
  })
  const ended = new Promise<void>(resolve => ping.once('close', () => resolve()))
  return async () => {
    if (ping.exitCode === null && ping.signalCode === null) interrupt(ping)
    await ended
    return readPing(`${from.name} -> ${to.name}`, text)
  }
}

/** nsenter passes no signal on: its child, the ping, is told. */
function interrupt(ping: ChildProcess): void {
  for (const pid of childrenOf(ping.pid as number)) process.kill(pid, 'SIGINT')
}

/** What `ping -D` said, with its closing summary. */
export function readPing(name: string, text: string): PairTraffic {
  const answers = [...text.matchAll(/^\[(\d+\.\d+)\] \d+ bytes from .* icmp_seq=(\d+) /gm)].map(match => ({
    at: Number(match[1]),
    sequence: Number(match[2]),
  }))
  const sent = Number(/^(\d+) packets transmitted/m.exec(text)?.[1] ?? 0)
  const arrived = new Set(answers.map(({ sequence }) => sequence))
  // What was under way when the ping was told to end is not lost.
  const answered = Math.max(0, ...arrived)
  const last = sent - answered <= underWayMax ? answered : sent
  const missing = Array.from({ length: last }, (_, index) => index + 1).filter(number => !arrived.has(number))
  const lastMissing = missing.at(-1)
  const whole = answers.filter(({ sequence }) => sequence > (lastMissing ?? 0))
  const first = whole.length === 0 ? null : Math.min(...whole.map(({ at }) => at))
  return {
    name,
    sent,
    lost: missing.length,
    healedAt: missing.length === 0 ? null : (first ?? Number.POSITIVE_INFINITY),
    firstAnswerAt: answers[0]?.at ?? null,
    lastAnswerAt: answers.at(-1)?.at ?? null,
    gaps: gapsOf(answers, last),
  }
}

function gapsOf(answers: readonly { at: number; sequence: number }[], last: number): Gap[] {
  const sorted = [...answers].sort((one, other) => one.sequence - other.sequence)
  const fences = [{ at: null, sequence: 0 }, ...sorted, { at: null, sequence: last + 1 }]
  return fences.slice(1).flatMap(({ at, sequence }, index) => {
    const before = fences[index] as (typeof fences)[number]
    const packets = sequence - before.sequence - 1
    return packets > 0 ? [{ from: before.at, until: at, packets }] : []
  })
}
