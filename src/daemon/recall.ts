import { forget } from '../mesh/membership.ts'
import type { Listener } from './listener.ts'
import type { DaemonParts } from './parts.ts'
import type { State } from './state.ts'

const recalledAtOnce = 64

/** Takes in the membership of before. A few at a time: where they are opened, others have their turn between. */
export async function recall(
  { archive, clock }: DaemonParts,
  state: State,
  listener: Listener,
): Promise<void> {
  const { members } = archive
  for (let start = 0; start < members.length; start += recalledAtOnce) {
    const opening = members.slice(start, start + recalledAtOnce).map(async member => {
      const opened = await state.gossip?.open(member.envelope)
      return opened === null || opened === undefined ? [] : [{ ...member, opened }]
    })
    listener.recall((await Promise.all(opening)).flat())
  }
  state.membership = forget(state.membership, clock.now(), state.configuration.forgetAfterSeconds)
  state.gossip?.redial()
}
