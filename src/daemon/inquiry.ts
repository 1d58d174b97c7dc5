import { confirm } from '../mesh/membership.ts'
import {
  hasSpokenSince,
  isHearsay,
  isMute,
  isSuspect,
  isUnanswered,
  type SpokenWord,
} from '../mesh/suspicion.ts'
import { hearsayAskSeconds } from '../model/limits.ts'
import type { Member } from '../model/member.ts'
import type { NodeId } from '../model/node.ts'
import type { DaemonParts } from './parts.ts'
import type { State } from './state.ts'

/** Finds out whether those live whom WireGuard has not heard when they were due. */
export interface Inquiry {
  /** The kernel was looked at. True when it should be looked at again soon. */
  looked(): boolean
}

export function createInquiry({ clock, kernel }: DaemonParts, state: State): Inquiry {
  const words = new Map<NodeId, SpokenWord & { asked: boolean }>()
  let isAsking = false

  const trackOf = (node: NodeId) => {
    const member = state.membership.get(node)
    return member === undefined ? undefined : state.tracks.get(member.announcement.publicKey)
  }

  /** A question by gossip may take a connection of its own; a word through the tunnel is two packets. */
  function looked(): boolean {
    const now = clock.now()
    const suspects = [...state.membership.values()].filter(({ announcement: { node } }) => {
      const track = trackOf(node)
      return track !== undefined && isSuspect(track, now)
    })
    kernel.speak(suspects.map(({ announcement }) => announcement.vtep))
    for (const { announcement } of suspects) noteWord(announcement.node, now)
    askMute(now)
    resolveHearsay(now)
    return suspects.length > 0
  }

  function noteWord(node: NodeId, now: number): void {
    const grewAt = trackOf(node)?.grewAt
    if (grewAt === undefined || grewAt === null || words.get(node)?.grewAt === grewAt) return
    words.set(node, { at: now, grewAt, asked: false })
  }

  function askMute(now: number): void {
    for (const [node, word] of words) {
      const member = state.membership.get(node)
      const track = trackOf(node)
      if (member === undefined || track === undefined || track.grewAt !== word.grewAt) words.delete(node)
      else if (!word.asked && isMute(track, word, now)) {
        word.asked = true
        if (member.announcement.declaredBy === null) void ask(member)
      }
    }
  }

  /** Of members that are known by copies alone, one after the other is asked. */
  function resolveHearsay(now: number): void {
    const unconfirmed = [...state.membership.values()].filter(member => member.unconfirmedSince !== undefined)
    const spoke = unconfirmed.filter(({ announcement: { node }, unconfirmedSince = now }) =>
      hasSpokenSince(trackOf(node), unconfirmedSince),
    )
    state.membership = confirm(
      state.membership,
      spoke.map(({ announcement: { node } }) => node),
    )
    if (isAsking) return
    const next = unconfirmed.find(
      member =>
        !member.announcement.left &&
        isHearsay(member, trackOf(member.announcement.node), now, hearsayAskSeconds) &&
        !wasAsked(member),
    )
    if (next === undefined) return
    isAsking = true
    void ask(next).finally(() => {
      isAsking = false
    })
  }

  function wasAsked({ announcement: { node }, heardAt }: Member): boolean {
    return isUnanswered(state.unanswered.get(node), heardAt, trackOf(node))
  }

  async function ask(member: Member): Promise<void> {
    const { node } = member.announcement
    if (state.gossip === null || wasAsked(member)) return
    const askedAt = clock.now()
    const answered = await state.gossip.reaches(node)
    if (answered) {
      state.unanswered.delete(node)
      state.membership = confirm(state.membership, [node])
    }
    // One that was forgotten meanwhile would stay in it for ever.
    else if (state.membership.has(node)) state.unanswered.set(node, askedAt)
  }

  return { looked }
}
