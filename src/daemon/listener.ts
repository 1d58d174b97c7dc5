import type { DialCandidate, GossipHandlers, OpenedSyncedEnvelope, SyncSource } from '../gossip/port.ts'
import { createRateLimit } from '../host/rate-limit.ts'
import { saysTheSame } from '../mesh/compose.ts'
import { Guests } from '../mesh/guests.ts'
import { admit, confirm, type Heard, standingOf } from '../mesh/membership.ts'
import { chooseNeighbours } from '../mesh/neighbours.ts'
import { recallProofs } from '../mesh/proof.ts'
import { digestOf, hashMembers } from '../mesh/sync.ts'
import { verify } from '../mesh/verify.ts'
import type { Endpoint } from '../model/address.ts'
import type { Announcement, Envelope, OpenedEnvelope, RejectReason, Verdict } from '../model/announcement.ts'
import { logRateSeconds } from '../model/limits.ts'
import type { Member, Membership } from '../model/member.ts'
import type { NodeId } from '../model/node.ts'
import { isForgotten } from './forgetter.ts'
import type { DaemonParts } from './parts.ts'
import { everyone, remembered, type State } from './state.ts'

export interface ListenerEvents {
  /** Somebody came, left, or says something else than before. */
  membersChanged(): void
  /** A word with our id: our own, or somebody else's. */
  ownHeard(announcement: Announcement, envelope: Envelope): void
  twinMet(place: Endpoint): void
  synced(): void
  /** A neighbour answered: all that it knows is known here. */
  met(neighbour: NodeId): void
  neighboursChanged(): void
}

export interface Listener extends GossipHandlers {
  /** The membership of before, with its true age: whom to dial, however old, and whom to keep in the kernel. */
  recall(entries: readonly RecalledEnvelope[]): void
}

export interface RecalledEnvelope extends OpenedSyncedEnvelope {
  /** The last handshake, Unix seconds; null where none is known. */
  readonly handshakeAt: number | null
}

/** Takes in what the mesh says. */
export function createListener(parts: DaemonParts, state: State, events: ListenerEvents): Listener {
  const { mesh, node, clock, log } = parts
  const limit = createRateLimit(logRateSeconds, clock.now)
  const guests = new Guests()

  function count(verdict: Verdict): Verdict {
    if (verdict.kind === 'accept') return verdict
    state.refused.set(verdict.reason, (state.refused.get(verdict.reason) ?? 0) + 1)
    const suppressed = verdict.kind === 'reject' ? limit.take(verdict.reason) : null
    if (suppressed !== null) log.warn('announcement.refused', { reason: verdict.reason, suppressed })
    return verdict
  }

  function hear(envelope: Envelope, opened: OpenedEnvelope, ageMilliseconds: number): Heard | Verdict {
    const verified = verify(opened, mesh)
    if (!verified.ok) {
      if (verified.verdict.kind === 'reject') blame(opened.author, verified.verdict.reason)
      return verified.verdict
    }
    const { announcement } = verified
    if (announcement.node === node) events.ownHeard(announcement, envelope)
    if (state.conduct.saysTooMuch(opened.author)) return { kind: 'ignore', reason: 'too-often' }
    if (isForgotten(state, announcement)) return { kind: 'ignore', reason: 'old-sequence' }
    return { announcement, envelope, ageMilliseconds }
  }

  function hearAll(entries: readonly OpenedSyncedEnvelope[]): readonly Heard[] {
    const heard = entries.map(({ envelope, opened, ageMilliseconds }) =>
      hear(envelope, opened, ageMilliseconds),
    )
    for (const item of heard) if ('kind' in item) count(item)
    return heard.filter(item => !('kind' in item)) as Heard[]
  }

  function blame(author: NodeId, reason: RejectReason): void {
    if (author !== node) state.conduct.refused(author, reason)
  }

  function take(heard: readonly Heard[], introducer: NodeId | null): readonly Verdict[] {
    const before = state.membership
    const now = clock.now()
    const gate = { guests, proofs: state.proofs, introducer }
    const { forgetAfterSeconds } = state.configuration
    const { membership, verdicts } = admit(before, heard, node, now, forgetAfterSeconds, gate)
    state.membership = membership
    const news = heard.filter(({ announcement }, index) => {
      if (verdicts[index]?.kind !== 'accept') return false
      const known = before.get(announcement.node)
      // One that was silent may have gone from the kernel meanwhile.
      const returns = known !== undefined && standingOf(known, now) === 'silent'
      return tell(known, announcement) || returns
    })
    if (news.length > 0) events.membersChanged()
    return verdicts
  }

  /** True when a member says something new, not just something again. */
  function tell(before: Member | undefined, announcement: Announcement): boolean {
    const { node: member, name, left } = announcement
    if (before !== undefined && saysTheSame(before.announcement, announcement)) return false
    const wasIn = before !== undefined && !before.announcement.left
    // A flood of words is told once, as a problem.
    if (state.conduct.isFlooding(member)) return true
    if (left && wasIn) log.info('member.left', { member, name })
    else if (!left && !wasIn) log.info('member.joined', { member, name })
    else if (!left) log.info('member.changed', { member, name })
    return true
  }

  return {
    announced(envelope, opened, from = opened.author) {
      state.heard += 1
      const heard = hear(envelope, opened, 0)
      if ('kind' in heard) return count(heard)
      const verdict = take([heard], from)[0] as Verdict
      if (verdict.kind === 'accept') state.conduct.spoke(opened.author, heard.announcement.sequence)
      return count(verdict)
    },
    refused(reason, from) {
      if (from !== undefined) blame(from, reason)
      count({ kind: 'reject', reason })
    },
    exceeded: (from, pieces) => state.conduct.exceeded(from, pieces),
    sync: createSyncSource(parts, state, (entries, from) => {
      for (const verdict of take(hearAll(entries), from)) count(verdict)
    }),
    recall(entries) {
      const heard = hearAll(entries).map(item => ({ ...item, remembered: true as const }))
      if (!state.synced)
        state.recalled = admit(state.recalled, heard, node, clock.now(), Number.POSITIVE_INFINITY).membership
      const handshakes = new Map(entries.map(({ envelope, handshakeAt }) => [envelope, handshakeAt]))
      state.proofs = new Map([...recallProofs(heard, handshakes), ...state.proofs])
      take(heard, null)
    },
    candidates: () => dialCandidates(node, remembered(state), clock.now()),
    twinMet: events.twinMet,
    neighboursChanged() {
      state.connections += 1
      events.neighboursChanged()
    },
    synced(neighbour) {
      state.heard += 1
      state.membership = confirm(state.membership, [neighbour])
      events.met(neighbour)
      if (state.synced) return
      state.synced = true
      state.recalled = new Map()
      events.synced()
    },
  }
}

function createSyncSource(
  parts: DaemonParts,
  state: State,
  admitAll: (entries: readonly OpenedSyncedEnvelope[], from: NodeId | null) => void,
): SyncSource {
  const setHash = perMembership(state, () => hashMembers(everyone(state)))
  const digest = perMembership(state, () => digestOf(everyone(state)))

  return {
    setHash,
    digest,
    envelopes(nodes) {
      const now = parts.clock.now()
      return nodes.flatMap(node => {
        const member = node === parts.node ? state.own : state.membership.get(node)
        if (member === null || member === undefined) return []
        // Our own word is as fresh as we are.
        const ageMilliseconds = member === state.own ? 0 : Math.max(0, now - member.heardAt)
        return [{ envelope: member.envelope, ageMilliseconds }]
      })
    },
    admit: (entries, from) => admitAll(entries, from ?? null),
  }
}

/** Worked out again only when somebody said something since. */
function perMembership<Value>(state: State, workOut: () => Value): () => Value {
  let known: { membership: Membership; own: Member | null; value: Value } | null = null
  return () => {
    const { membership, own } = state
    if (known?.membership !== membership || known.own !== own) known = { membership, own, value: workOut() }
    return known.value
  }
}

function dialCandidates(self: NodeId, membership: Membership, now: number): readonly DialCandidate[] {
  const { wanted, spare } = chooseNeighbours(self, membership, now)
  const candidate = (node: NodeId, isWanted: boolean): DialCandidate => ({
    node,
    addresses: membership.get(node)?.announcement.gossip ?? [],
    wanted: isWanted,
  })
  return [...wanted.map(node => candidate(node, true)), ...spare.map(node => candidate(node, false))]
}
