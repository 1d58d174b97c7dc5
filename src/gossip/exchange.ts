import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { answerSync, isFullPage, isSameHash, nextQuestion } from '../mesh/exchange.ts'
import type { SyncedEnvelope, SyncMessage } from '../mesh/sync.ts'
import {
  neighbourSilenceSecondsMax,
  syncAnswersBurst,
  syncAnswersPerSecond,
  syncForgedMax,
  syncRoundsMax,
  syncSecondLookMilliseconds,
  syncUnsettledSeconds,
} from '../model/limits.ts'
import { type Channel, MalformedMessage } from './channel.ts'
import { openEnvelope } from './envelope.ts'
import type { GossipHandlers, OpenedSyncedEnvelope } from './port.ts'

/** The daemon's side of an exchange. */
export type ExchangeHandlers = Pick<GossipHandlers, 'sync' | 'refused'>

export interface Asking {
  readonly channel: Channel
  readonly handlers: ExchangeHandlers
  /** What an earlier exchange with this neighbour could not settle. */
  readonly memory: Unsettled
  /** Look a second time before comparing everything: for regular exchanges, where a difference is mostly news under way. */
  readonly patient: boolean
  readonly stepMilliseconds: number
  now(): number
}

/** A pair of hashes that stays different although everything was exchanged: one side does not take what the other has. */
export interface Unsettled {
  pair: { readonly mine: Uint8Array; readonly theirs: Uint8Array; readonly at: number } | null
}

type HashMessage = Extract<SyncMessage, { kind: 'hash' }>

/** Asks a neighbour until both know the same. Rejects when the neighbour is slow, silent or talks nonsense. */
export async function ask(asking: Asking): Promise<void> {
  const { handlers } = asking
  let mine = handlers.sync.setHash()
  let reply = await question(asking, { kind: 'hash', hash: mine })
  if (asking.patient && reply.kind === 'hash' && !isUnsettled(asking, mine, reply.hash)) {
    await sleep(syncSecondLookMilliseconds)
    mine = handlers.sync.setHash()
    reply = await question(asking, { kind: 'hash', hash: mine })
  }
  if (reply.kind !== 'hash') return expectEqual(reply)
  if (isUnsettled(asking, mine, reply.hash)) return
  await settle(asking, mine, reply)
}

/** Exchanges page by page, and remembers a difference that stays the same through a whole exchange. */
async function settle(asking: Asking, mine: Uint8Array, first: HashMessage): Promise<void> {
  let before = { mine, theirs: first.hash }
  for (let round = 0; round < syncRoundsMax; round += 1) {
    const { last, full } = await exchange(asking, before.theirs)
    const after = { mine: asking.handlers.sync.setHash(), theirs: last.hash }
    const isStuck = isSameHash(before.mine, after.mine) && isSameHash(before.theirs, after.theirs)
    asking.memory.pair = isStuck ? { ...after, at: asking.now() } : null
    if (isStuck || !full || isSameHash(after.mine, after.theirs)) return
    before = after
  }
}

/** Answers a neighbour's questions until the stream ends; resolves then, whatever the reason. `heard` follows each question. */
export async function answer(
  channel: Channel,
  handlers: ExchangeHandlers,
  stepMilliseconds: number,
  heard: (finished: boolean) => void,
): Promise<void> {
  let allowance = syncAnswersBurst
  let full = false
  try {
    for (let last = performance.now(); ; ) {
      const message = await channel.receive(AbortSignal.timeout(2 * neighbourSilenceSecondsMax * 1000))
      const now = performance.now()
      allowance = Math.min(syncAnswersBurst, allowance + ((now - last) / 1000) * syncAnswersPerSecond) - 1
      last = now
      if (allowance < 0) await sleep(1000 / syncAnswersPerSecond)
      if (message.kind === 'envelopes') await admit(handlers, message.envelopes)
      const reply = answerSync(message, handlers.sync)
      if (reply === null) throw new MalformedMessage('not a question')
      if (message.kind === 'digest') full = isFullPage(reply)
      await channel.send(reply, AbortSignal.timeout(stepMilliseconds))
      heard(reply.kind === 'equal' || (message.kind === 'envelopes' && !full))
    }
  } catch (error) {
    if (error instanceof MalformedMessage) handlers.refused('malformed')
  } finally {
    channel.abort()
  }
}

/** From their hash, which differs from ours, to the hash they have after taking our envelopes. */
async function exchange(
  asking: Asking,
  theirs: Uint8Array,
): Promise<{ readonly last: HashMessage; readonly full: boolean }> {
  let asked: SyncMessage['kind'] = 'hash'
  let reply: SyncMessage = { kind: 'hash', hash: theirs }
  let full = false
  for (;;) {
    if (reply.kind === 'envelopes') {
      full = isFullPage(reply)
      await admit(asking.handlers, reply.envelopes)
    }
    const next = nextQuestion(asked, reply, asking.handlers.sync)
    if (next.kind === 'done' && reply.kind === 'hash') return { last: reply, full }
    if (next.kind !== 'ask') throw new MalformedMessage(`${reply.kind} after ${asked}`)
    asked = next.message.kind
    reply = await question(asking, next.message)
  }
}

function expectEqual(reply: SyncMessage): void {
  if (reply.kind !== 'equal') throw new MalformedMessage(`${reply.kind} after hash`)
}

async function question({ channel, stepMilliseconds }: Asking, message: SyncMessage): Promise<SyncMessage> {
  const signal = AbortSignal.timeout(stepMilliseconds)
  await channel.send(message, signal)
  return channel.receive(signal)
}

/** Opens every envelope, counts the forged ones and hands over the rest. */
async function admit(handlers: ExchangeHandlers, envelopes: readonly SyncedEnvelope[]): Promise<void> {
  const entries: OpenedSyncedEnvelope[] = []
  let forged = 0
  for (const [index, synced] of envelopes.entries()) {
    // Signatures take about 0.1 ms each: the loop has to breathe in between.
    if (index % 32 === 31) await nextTurn()
    const opening = await openEnvelope(synced.envelope)
    if (opening.ok) entries.push({ ...synced, opened: opening.opened })
    else {
      handlers.refused(opening.reason)
      forged += 1
      if (forged >= syncForgedMax) break
    }
  }
  if (entries.length > 0) handlers.sync.admit(entries)
  if (forged >= syncForgedMax) throw new MalformedMessage('too many forged envelopes')
}

function isUnsettled({ memory, now }: Asking, mine: Uint8Array, theirs: Uint8Array): boolean {
  const { pair } = memory
  if (pair === null || now() - pair.at > syncUnsettledSeconds * 1000) return false
  return isSameHash(pair.mine, mine) && isSameHash(pair.theirs, theirs)
}
