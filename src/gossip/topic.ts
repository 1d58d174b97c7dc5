import { createHash } from 'node:crypto'
import {
  type GossipSub,
  type GossipsubOpts,
  type Message,
  StrictNoSign,
  TopicValidatorResult,
} from '@chainsafe/libp2p-gossipsub'
import type { Envelope, Verdict } from '../model/announcement.ts'
import { publishSecondsMax, topicMessageBytesMax, topicWaitingMax } from '../model/limits.ts'
import { type NodeId, parseNodeId } from '../model/node.ts'
import { breathe, piecesWaiting } from './breathe.ts'
import { openEnvelope } from './envelope.ts'
import type { GossipHandlers, GossipOptions } from './port.ts'
import { boundRpcs } from './topic-allowance.ts'
import { within } from './within.ts'

/** The announcements of the mesh, by gossipsub. */
export interface Topic {
  /** Says it to every neighbour that listens, and answers who they were. While nobody listens it is kept and repeated. */
  publish(envelope: Envelope): Promise<ReadonlySet<string>>
  /** Node ids of those that hear what we publish. */
  listeners(): ReadonlySet<string>
  leave(): void
}

/** What was said to nobody is said again so soon while a node starts, and so often from then on. */
const repeatMilliseconds = { first: 20, later: 200 }
const firstRepeats = 250

const verdictResults: Record<Verdict['kind'], TopicValidatorResult> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

/**
 * Our envelope proves the author, so gossipsub signs nothing and names a message by its hash. A heartbeat of 2 s
 * costs no bytes while nothing is said; a missed message can be had again for 20 s.
 */
export function topicProtocolOptions(topic: string): Partial<GossipsubOpts> {
  return {
    globalSignaturePolicy: StrictNoSign,
    msgIdFn: (message: Message) => messageId(message.data),
    allowedTopics: [topic],
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    fallbackToFloodsub: false,
    floodPublish: true,
    tagMeshPeers: false,
    heartbeatInterval: 2000,
    mcacheLength: 10,
    mcacheGossip: 1,
    // Each link of this mesh carries each announcement, mostly twice; what it misses, the exchanges between neighbours bring.
    D: 3,
    Dlo: 2,
    Dhi: 4,
    Dscore: 1,
    Dout: 1,
    // Who has what is told once to one of the others: each notice costs a third of a copy, and hardly ever saves one.
    Dlazy: 1,
    gossipFactor: 0.1,
    // A notice costs a third of the copy it may save, and mostly comes too late to save one.
    idontwantMinDataSize: topicMessageBytesMax,
    maxInboundStreams: 2,
    maxOutboundStreams: 2,
    maxInboundDataLength: topicMessageBytesMax,
    maxOutboundBufferSize: 4 * topicMessageBytesMax,
    decodeRpcLimits: {
      maxSubscriptions: 16,
      maxMessages: 512,
      maxIhaveMessageIDs: 5000,
      maxIwantMessageIDs: 5000,
      maxIdontwantMessageIDs: 512,
      maxControlMessages: 64,
      maxPeerInfos: 16,
    },
    scoreParams: {
      // FACTS-gossip A: with more than ten nodes behind one address the default silently destroys the mesh.
      IPColocationFactorWeight: 0,
      decayInterval: 10_000,
      topics: { [topic]: topicScore },
    },
  }
}

/** Only what is rejected costs anything: after a handful in a minute, nothing more is taken from that neighbour. */
const topicScore = {
  topicWeight: 1,
  timeInMeshWeight: 0,
  timeInMeshQuantum: 1000,
  timeInMeshCap: 1,
  firstMessageDeliveriesWeight: 0,
  firstMessageDeliveriesDecay: 0.5,
  firstMessageDeliveriesCap: 1,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.5,
  meshMessageDeliveriesCap: 1,
  meshMessageDeliveriesThreshold: 1,
  meshMessageDeliveriesWindow: 10,
  meshMessageDeliveriesActivation: 1000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.5,
  invalidMessageDeliveriesWeight: -5,
  invalidMessageDeliveriesDecay: 0.8,
}

/** Listens to the topic. Each distinct message is opened once, and judged before it travels on. */
export function joinTopic(
  gossip: GossipSub,
  { topic, now }: Pick<GossipOptions, 'topic' | 'now'>,
  handlers: Pick<GossipHandlers, 'announced' | 'refused' | 'exceeded'>,
): Topic {
  let repeating: NodeJS.Timeout | null = null
  const publish = async (envelope: Envelope, repeats = 0): Promise<ReadonlySet<string>> => {
    if (repeating !== null) clearTimeout(repeating)
    repeating = null
    // Said to nobody, gossipsub would hold it for said and never say it again.
    if (listeners(gossip, topic).size === 0) {
      const wait = repeats < firstRepeats ? repeatMilliseconds.first : repeatMilliseconds.later
      repeating = setTimeout(() => void publish(envelope, repeats + 1), wait)
      return new Set()
    }
    const said = within(publishSecondsMax * 1000, 'the topic', gossip.publish(topic, envelope))
    const { recipients } = await said.catch(() => ({ recipients: [] }))
    return new Set(recipients.map(String))
  }
  boundRpcs(gossip, now, (from, pieces) => handlers.exceeded?.(from, pieces))
  gossip.topicValidators.set(topic, async (hop, message) =>
    judge(message.data, parseNodeId(hop.toString()), handlers),
  )
  gossip.subscribe(topic)
  return {
    publish: envelope => publish(envelope),
    listeners: () => listeners(gossip, topic),
    leave: () => clearTimeout(repeating ?? undefined),
  }
}

/** Those that subscribed and that gossipsub has a stream to: one without the other gets nothing. */
function listeners(gossip: GossipSub, topic: string): ReadonlySet<string> {
  // A public field of the class that its interface does not name.
  const { streamsOutbound } = gossip as GossipSub & { streamsOutbound: ReadonlyMap<string, unknown> }
  const subscribers = gossip.getSubscribers(topic).map(String)
  return new Set(subscribers.filter(node => streamsOutbound.has(node)))
}

/** Each after the others: a bundle of hundreds must not keep the event loop. */
async function judge(
  data: Uint8Array,
  from: NodeId | null,
  handlers: Pick<GossipHandlers, 'announced' | 'refused'>,
): Promise<TopicValidatorResult> {
  if (piecesWaiting() >= topicWaitingMax) return verdictResults.ignore
  await breathe()
  const opening = await openEnvelope(data)
  if (opening.ok) return verdictResults[handlers.announced(data, opening.opened, from ?? undefined).kind]
  handlers.refused(opening.reason, from ?? undefined)
  return verdictResults.reject
}

function messageId(data: Uint8Array): Uint8Array {
  return createHash('sha256').update(data).digest().subarray(0, 16)
}
