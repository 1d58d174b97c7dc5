import { compareText } from '../model/address.ts'
import { describeStep } from '../model/describe-step.ts'
import type { SegmentState } from '../model/kernel-state.ts'
import { statusMembersMax } from '../model/limits.ts'
import type { NodeName } from '../model/node.ts'
import type { PastEvent } from '../model/past-event.ts'
import type { Plan } from '../model/step.ts'
import type { EventsView } from './events-protocol.ts'
import { problemSummary } from './problem-view.ts'
import {
  type DialSummary,
  type MemberCounts,
  type NeighbourSummary,
  type PeerRow,
  type PlanView,
  type SegmentSummary,
  type StatusView,
  schema,
  type TunnelSummary,
  type VersionView,
} from './protocol.ts'
import type { Snapshot } from './snapshot.ts'
import { peersView } from './views.ts'

/** This node in one screen; with the members' view where it was made already. */
export function statusView(snapshot: Snapshot, { self, peers } = peersView(snapshot)): StatusView {
  const waiting = waitingFor(snapshot)
  const ready = waiting.length === 0
  return {
    schema,
    mesh: snapshot.mesh,
    version: snapshot.software,
    uptime_seconds: Math.floor((snapshot.now - snapshot.startedAt) / 1000),
    ready,
    waiting,
    degraded: !ready || snapshot.problems.some(({ severity }) => severity === 'degraded'),
    self,
    endpoints: snapshot.self?.endpoints ?? [],
    tunnel: tunnelSummary(snapshot),
    segments: segmentSummaries(snapshot),
    members: countMembers(peers),
    unreachable: shown(peers, ({ state }) => state === 'down' || state === 'unknown'),
    silent: shown(peers, row => isSilent(row)),
    neighbours: neighbours(snapshot, peers),
    dials: dials(snapshot, peers),
    refused: Object.fromEntries([...snapshot.refused].sort(([a], [b]) => compareText(a, b))),
    problems: snapshot.problems.map(problemSummary),
    ...(snapshot.files === null ? {} : { files: snapshot.files }),
  }
}

export function planView(plan: Plan): PlanView {
  return { schema, steps: plan.map(step => ({ kind: step.kind, sentence: describeStep(step) })) }
}

export function eventsView(events: readonly PastEvent[]): EventsView {
  return {
    schema,
    events: events.map(({ number, at, kind, name, node, text }) => {
      return { number, time: new Date(at).toISOString(), kind, name, node, text }
    }),
  }
}

export function versionView(snapshot: Snapshot): VersionView {
  return { schema, version: snapshot.software }
}

function waitingFor({ self, state, warm }: Snapshot): readonly string[] {
  return [
    ...(state === null ? ['the first look at the kernel'] : []),
    ...(state !== null && state.tunnel?.up !== true ? ['the tunnel to come up'] : []),
    ...(self === null ? ['this node to have an address to announce'] : []),
    ...(warm ? [] : ['the first word of the mesh']),
  ]
}

function tunnelSummary({ state, implementation }: Snapshot): TunnelSummary | null {
  const tunnel = state?.tunnel ?? null
  if (tunnel === null) return null
  return {
    interface: tunnel.interface,
    implementation,
    up: tunnel.up,
    mtu: tunnel.mtu,
    port: tunnel.listenPort,
    public_key: tunnel.publicKey,
    addresses: tunnel.addresses,
  }
}

/** What is on a segment's bridge counts as the segment's. */
function segmentSummaries({ state, floods }: Snapshot): readonly SegmentSummary[] {
  const borne = new Map(state?.bridges.map(bridge => [bridge.interface, bridge.addresses]))
  return (state?.segments ?? []).map(segment => {
    const onBridge = segment.bridge === null ? undefined : borne.get(segment.bridge)
    const dropped = floods.find(reading => reading.interface === segment.interface)?.droppedFrames ?? 0
    return segmentSummary({ ...segment, addresses: onBridge ?? segment.addresses }, dropped)
  })
}

function segmentSummary(segment: SegmentState, dropped: number): SegmentSummary {
  const { vni, port, up, mtu, mac, bridge, addresses, flood } = segment
  return {
    interface: segment.interface,
    vni,
    port,
    up,
    mtu,
    mac,
    bridge,
    addresses,
    flood: flood.length,
    // 0: altered, and about to be set again.
    flood_limit: segment.floodLimit === 0 ? null : segment.floodLimit,
    flood_dropped: dropped,
  }
}

function countMembers(peers: readonly PeerRow[]): MemberCounts {
  const count = (test: (row: PeerRow) => boolean) => peers.filter(test).length
  return {
    known: peers.length,
    up: count(({ state }) => state === 'up'),
    unknown: count(({ state }) => state === 'unknown'),
    down: count(({ state }) => state === 'down'),
    left: count(({ state }) => state === 'left'),
    silent: count(({ gossip }) => gossip === 'silent'),
  }
}

function isSilent({ state, gossip, static_by: by }: PeerRow): boolean {
  return state === 'up' && gossip === 'silent' && by === undefined
}

function shown(peers: readonly PeerRow[], test: (row: PeerRow) => boolean): StatusView['unreachable'] {
  return peers
    .filter(test)
    .slice(0, statusMembersMax)
    .map(({ name, node, state, gossip, reason }) => ({ name, node, state, gossip, reason }))
}

function neighbours(snapshot: Snapshot, peers: readonly PeerRow[]): readonly NeighbourSummary[] {
  const names = namesOf(peers)
  return snapshot.neighbours.map(({ node, address, direction }) => ({
    node,
    name: names.get(node) ?? null,
    address,
    direction,
  }))
}

function dials({ dials: reports, now }: Snapshot, peers: readonly PeerRow[]): readonly DialSummary[] {
  const names = namesOf(peers)
  return reports.map(({ target, direction, failures, lastTriedAt, error, answers, secretMayDiffer }) => ({
    target,
    direction,
    name: names.get(target) ?? null,
    failures,
    tried_seconds: Math.max(0, Math.floor((now - lastTriedAt) / 1000)),
    error,
    answers,
    secret_may_differ: secretMayDiffer,
  }))
}

function namesOf(peers: readonly PeerRow[]): ReadonlyMap<string, NodeName> {
  return new Map(peers.map(({ node, name }) => [node, name]))
}
