import { setTimeout as sleep } from 'node:timers/promises'
import {
  answerSync,
  endsSweep,
  type HashMessage,
  hashMessage,
  isCutShort,
  isSameHash,
  isWholeDigest,
  type SweepEnd,
  sweep,
} from '../mesh/exchange.ts'
import type { SyncedEnvelope, SyncMessage } from '../mesh/sync.ts'
import {
  neighbourSilenceSecondsMax,
  syncAdmittedAtOnce,
  syncForgedMax,
  syncRoundsMax,
  syncSecondLookMilliseconds,
  syncUnsettledSeconds,
  unpagedAnswerBytesMax,
} from '../model/limits.ts'
import { breathe } from './breathe.ts'
import type { Channel } from './channel.ts'
import { openEnvelope } from './envelope.ts'
import { MalformedMessage } from './messages.ts'
import type { GossipHandlers, OpenedSyncedEnvelope } from './port.ts'

/** The daemon's side of an exchange. */
export type ExchangeHandlers = Pick<GossipHandlers, 'sync' | 'refused'>

/** One side of an exchange with one neighbour. */
interface Exchange {
  readonly channel: Channel
  readonly handlers: ExchangeHandlers
  readonly stepMilliseconds: number
  /** Takes answers and bytes of what the neighbour may cause; milliseconds until it may cause more. */
  spend(answers: number, bytes: number): number
}

export interface Asking extends Exchange {
  /** What an earlier exchange with this neighbour could not settle. */
  readonly memory: Unsettled
  /** Look a second time before comparing everything: for regular exchanges, where a difference is mostly news under way. */
  readonly patient: boolean
  now(): number
  /** Long answers, of nodes before version 0.2, are received one at a time. */
  alone<Value>(work: () => Promise<Value>): Promise<Value>
}

export interface Answering extends Exchange {
  /** Follows each question. */
  heard(progress: Answered): void
}

export interface Answered {
  /** The sets were compared to the end. */
  readonly finished: boolean
  /** They were not, and the asker, of before version 0.2, will not go on. */
  readonly short: boolean
}

/** A pair of hashes that stays different although everything was exchanged: one side does not take what the other has. */
export interface Unsettled {
  pair: { readonly mine: Uint8Array; readonly theirs: Uint8Array; readonly at: number } | null
}

/** Asks a neighbour until both know the same. Rejects when the neighbour is slow, silent or talks nonsense. */
export async function ask(asking: Asking): Promise<void> {
  const { handlers } = asking
  let mine = handlers.sync.setHash()
  let reply = await question(asking, hashMessage(mine))
  if (asking.patient && reply.kind === 'hash' && !isUnsettled(asking, mine, reply.hash)) {
    await sleep(syncSecondLookMilliseconds)
    mine = handlers.sync.setHash()
    reply = await question(asking, hashMessage(mine))
  }
  if (reply.kind !== 'hash') return expectEqual(reply)
  if (isUnsettled(asking, mine, reply.hash)) return
  await settle(asking, mine, reply)
}

/** Compares both sets, and remembers a difference that stays the same through all of it. */
async function settle(asking: Asking, mine: Uint8Array, first: HashMessage): Promise<void> {
  let before = { mine, theirs: first.hash }
  for (let round = 0; round < syncRoundsMax; round += 1) {
    const end = await runSweep(asking, { ...first, hash: before.theirs })
    // It caused enough for now: another exchange goes on.
    if (end === 'exhausted') return
    if (end.kind === 'broken') throw new MalformedMessage(`${end.reply} out of turn`)
    const after = { mine: asking.handlers.sync.setHash(), theirs: end.theirs }
    const isStuck = isSameHash(before.mine, after.mine) && isSameHash(before.theirs, after.theirs)
    asking.memory.pair = isStuck ? { ...after, at: asking.now() } : null
    if (isStuck || !end.full || isSameHash(after.mine, after.theirs)) return
    before = after
  }
}

async function runSweep(asking: Asking, theirs: HashMessage): Promise<SweepEnd | 'exhausted'> {
  const { handlers, channel } = asking
  const questions = sweep(theirs, handlers.sync)
  for (let next = questions.next(); ; ) {
    if (next.done === true) return next.value
    const asked = next.value
    const reply = await (isWholeDigest(asked)
      ? asking.alone(() => question(asking, asked, unpagedAnswerBytesMax))
      : question(asking, asked))
    if (reply.kind === 'envelopes') await admit(handlers, reply.envelopes)
    if (asking.spend(0, channel.takeBytes()) > 0) return 'exhausted'
    next = questions.next(reply)
  }
}

/** Answers a neighbour's questions until the stream ends; resolves then, whatever the reason. */
export async function answer(answering: Answering): Promise<void> {
  const { channel, handlers, stepMilliseconds, heard } = answering
  let finishes = false
  let short = false
  try {
    for (;;) {
      const message = await channel.receive(AbortSignal.timeout(2 * neighbourSilenceSecondsMax * 1000))
      const wait = answering.spend(1, channel.takeBytes())
      if (wait > 0) await sleep(wait)
      if (message.kind === 'envelopes') await admit(handlers, message.envelopes)
      const reply = answerSync(message, handlers.sync)
      if (reply === null) throw new MalformedMessage('not a question')
      if (message.kind === 'digest') {
        finishes = endsSweep(message, reply)
        short = isCutShort(message, reply)
      }
      await channel.send(reply, AbortSignal.timeout(stepMilliseconds))
      const isAfterDigest = message.kind === 'envelopes'
      heard({
        finished: reply.kind === 'equal' || (isAfterDigest && finishes),
        short: isAfterDigest && short,
      })
    }
  } catch (error) {
    if (error instanceof MalformedMessage) handlers.refused('malformed')
  } finally {
    channel.abort()
  }
}

function expectEqual(reply: SyncMessage): void {
  if (reply.kind !== 'equal') throw new MalformedMessage(`${reply.kind} after hash`)
}

async function question(
  { channel, stepMilliseconds }: Asking,
  message: SyncMessage,
  answerBytesMax?: number,
): Promise<SyncMessage> {
  const signal = AbortSignal.timeout(stepMilliseconds)
  await channel.send(message, signal)
  return channel.receive(signal, answerBytesMax)
}

/** Opens every envelope, counts the forged ones and hands over the rest, a few at a time. */
async function admit(handlers: ExchangeHandlers, envelopes: readonly SyncedEnvelope[]): Promise<void> {
  let entries: OpenedSyncedEnvelope[] = []
  let forged = 0
  const hand = () => {
    if (entries.length > 0) handlers.sync.admit(entries)
    entries = []
  }
  for (const synced of envelopes) {
    await breathe()
    const opening = await openEnvelope(synced.envelope)
    if (opening.ok) entries.push({ ...synced, opened: opening.opened })
    else {
      handlers.refused(opening.reason)
      forged += 1
      if (forged >= syncForgedMax) break
    }
    if (entries.length >= syncAdmittedAtOnce) hand()
  }
  hand()
  if (forged >= syncForgedMax) throw new MalformedMessage('too many forged envelopes')
}

function isUnsettled({ memory, now }: Asking, mine: Uint8Array, theirs: Uint8Array): boolean {
  const { pair } = memory
  if (pair === null || now() - pair.at > syncUnsettledSeconds * 1000) return false
  return isSameHash(pair.mine, mine) && isSameHash(pair.theirs, theirs)
}
