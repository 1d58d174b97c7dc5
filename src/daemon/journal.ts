import type { Cancel } from '../host/clock.ts'
import { isProven } from '../mesh/proof.ts'
import { savedHolders } from '../mesh/records.ts'
import { sentenceOf } from '../model/explanation.ts'
import { membersSaveMilliseconds, tenureSeconds } from '../model/limits.ts'
import type { Member } from '../model/member.ts'
import type { DaemonParts } from './parts.ts'
import { remembered, type State } from './state.ts'

/** Writes down what must outlive the daemon. */
export interface Journal {
  /** Incarnation and claims, at once. False when it could not be written. */
  saveState(): Promise<boolean>
  /** Who is proven, some time after it changed, and who holds what, when that is settled. */
  recordsChanged(): void
  /** The membership, some time after it changed. */
  membersChanged(): void
  /** The membership now. */
  saveMembers(): Promise<void>
  stop(): void
}

/**
 * Who never shook hands is no more than what somebody says: nothing of it is there after a restart. Those of before this
 * one are kept until a sync tells who there is: an older lnetd did not write down who shook hands.
 */
function worthKeeping(state: State): readonly Member[] {
  return [...remembered(state).values()].filter(
    member =>
      isProven(member, state.proofs) || (!state.synced && state.recalled.has(member.announcement.node)),
  )
}

export function createJournal(parts: DaemonParts, state: State): Journal {
  const { archive, clock, log } = parts
  let pending: Cancel | null = null
  let settling: Cancel | null = null

  async function saveState(): Promise<boolean> {
    const { sequence, claims, forgotten } = state
    const { node, publicKey } = parts
    const keys = { node, publicKey }
    const holders = savedHolders(state.records.tenures, clock.now())
    const { incarnation } = sequence
    const result = await archive.saveState({ incarnation, claims, keys, holders, forgotten })
    note(result.ok ? null : result.failure)
    return result.ok
  }

  async function saveMembers(): Promise<void> {
    pending?.()
    pending = null
    const now = clock.now()
    const members = worthKeeping(state).map(({ announcement, envelope, heardAt }) => ({
      envelope,
      ageMilliseconds: Math.max(0, now - heardAt),
      handshakeAt: state.proofs.get(announcement.node)?.handshakeAt ?? null,
    }))
    const result = await archive.saveMembers(members)
    note(result.ok ? null : result.failure)
    if (!result.ok) membersChanged()
  }

  function recordsChanged(): void {
    membersChanged()
    settling ??= clock.setTimer(tenureSeconds * 1000 + 1000, () => {
      settling = null
      void saveState()
    })
  }

  function membersChanged(): void {
    pending ??= clock.setTimer(membersSaveMilliseconds, () => void saveMembers())
  }

  function note(failure: State['saveFailure']): void {
    if (failure !== null && state.saveFailure === null)
      log.error('state.not_saved', { reason: sentenceOf(failure) })
    if (failure === null && state.saveFailure !== null) log.info('state.saved')
    state.saveFailure = failure
  }

  function stop(): void {
    pending?.()
    settling?.()
  }

  return { saveState, recordsChanged, membersChanged, saveMembers, stop }
}
