import { placeOf } from '../gossip/places.ts'
import { dueQuestions, isAbsent, noteAnswer, type PortAnswer, suspectedAbsent } from '../mesh/absence.ts'
import type { Port } from '../model/address.ts'
import type { Announcement } from '../model/announcement.ts'
import type { NodeId } from '../model/node.ts'
import type { DaemonParts } from './parts.ts'
import type { State } from './state.ts'

/** Another one may be the port that a router forwards; a machine listens on one. */
const portsMax = 4

/**
 * Finds members whose lnetd does not run while their tunnels are up. Their kernels are asked through the tunnel, where
 * no NAT is between, whether anything listens on the gossip port. Answers what is to be called now and then.
 */
export function createAbsenceWatch(
  {
    clock,
    kernel,
  }: { readonly clock: DaemonParts['clock']; readonly kernel: Pick<DaemonParts['kernel'], 'refuses'> },
  state: State,
): () => void {
  /** Something listened there since the connection ended. */
  const listening = new Set<NodeId>()
  const answers = new Map<NodeId, PortAnswer>()
  const asking = new Set<NodeId>()

  async function ask({ node, vtep, gossip }: Announcement): Promise<void> {
    const askedAt = clock.now()
    asking.add(node)
    const refusals = await Promise.all(portsOf(gossip).map(port => kernel.refuses(vtep, port)))
    asking.delete(node)
    const refused = refusals.length > 0 && refusals.every(Boolean)
    if (!refused) listening.add(node)
    answers.set(node, noteAnswer(answers.get(node), refused, askedAt))
    publish()
  }

  function publish(): void {
    state.absent = new Set([...answers].filter(([, answer]) => isAbsent(answer)).map(([node]) => node))
  }

  return () => {
    const neighbours = new Set((state.gossip?.neighbours() ?? []).map(({ node }) => node))
    const { membership, tracks, gossipAt } = state
    for (const node of listening) if (neighbours.has(node) || !membership.has(node)) listening.delete(node)
    const lost = new Set([...gossipAt.keys()].filter(node => !neighbours.has(node) && !listening.has(node)))
    const evidence = { membership, tracks, neighbours, lost, answers, now: clock.now() }
    const suspected = suspectedAbsent(evidence)
    const kept = new Set(suspected.map(({ announcement }) => announcement.node))
    for (const node of answers.keys()) if (!kept.has(node)) answers.delete(node)
    publish()
    for (const { announcement } of dueQuestions(suspected, evidence))
      if (!asking.has(announcement.node)) void ask(announcement)
  }
}

function portsOf(addresses: readonly string[]): readonly Port[] {
  const ports = new Set(addresses.flatMap(address => placeOf(address)?.port ?? []))
  return [...ports].slice(0, portsMax) as Port[]
}
