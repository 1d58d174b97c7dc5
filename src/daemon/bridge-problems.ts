import { bridgeRefusal, type LoopRisk, wayOutRefusal } from '../mesh/bridge.ts'
import { type LoopTrack, sharers } from '../mesh/loop.ts'
import type { ExplanationDetails } from '../model/explanation.ts'
import type { Observation } from '../model/kernel-state.ts'
import { loopDeafSeconds, loopProbePort } from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import { degraded, noticed, type Problem } from '../model/problem.ts'
import type { DaemonParts } from './parts.ts'
import { risksOf } from './situation.ts'
import type { State } from './state.ts'

/** Segments that stay out of their bridges, and why; bridges whose loops would not be seen. */
export function bridgeProblems({ clock }: Pick<DaemonParts, 'clock'>, state: State): readonly Problem[] {
  const { observation } = state
  if (observation === null) return []
  return [...refusals(state, observation), ...loops(state, observation, clock.now())]
}

function refusals({ configuration, facts }: State, { bridges }: Observation): readonly Problem[] {
  return configuration.segments.flatMap(({ interface: device, bridge }): readonly Problem[] => {
    if (bridge === null) return []
    const refusal = bridgeRefusal(bridge, bridges) ?? wayOutRefusal(bridge, bridges, facts.waysOut)
    if (refusal === null) return []
    const { what, why, remedy } = refusal
    return [
      degraded('bridge-unusable', bridge.name, `${device} stays out of its bridge: ${what}`, { why, remedy }),
    ]
  })
}

function loops(state: State, observation: Observation, now: number): readonly Problem[] {
  return risksOf(state, observation).flatMap(risk => {
    if (!observation.watchesLoops) return [unwatched(risk, noTable)]
    const track = state.loops.get(risk.segment.vni)
    if (track === undefined) return []
    const isDeaf = now - (track.echoAt ?? track.since) >= loopDeafSeconds * 1000
    return [...loop(risk, track, state, now), ...(isDeaf ? [unwatched(risk, deaf(risk))] : [])]
  })
}

function loop(risk: LoopRisk, track: LoopTrack, state: State, now: number): readonly Problem[] {
  const { exile } = track
  const other = exile ?? sharers(track, now)[0]
  if (other === undefined) return []
  const { segment, bridge } = risk
  const device = segment.interface
  const node = nodeText(state, other.node)
  const what = `${other.port} of ${bridge} leads to ${node} as ${device} does, a loop between ${state.configuration.name} and that node`
  return [
    (exile === null ? noticed : degraded)('bridge-loop', device, what, {
      why: exile === null ? 'its segment stays out of its bridge' : `${device} stays out of ${bridge}`,
      remedy:
        'remove one of the two connections (the cable, or the bridge in the configuration of one node), or use STP on both bridges',
    }),
  ]
}

function unwatched({ bridge, ports }: LoopRisk, details: ExplanationDetails): Problem {
  const what = `a loop through ${ports.join(', ')} of ${bridge} would not be seen`
  return noticed('bridge-unwatched', bridge, what, details)
}

const noTable: ExplanationDetails = {
  why: 'this kernel has no nftables of family bridge (NF_TABLES_BRIDGE)',
  remedy: 'use a kernel that has it, or STP on the bridge',
}

function deaf({ bridge }: LoopRisk): ExplanationDetails {
  return {
    why: `packets to UDP port ${loopProbePort} on ${bridge} do not arrive`,
    remedy: `accept them in the firewall, and let ${bridge} have IPv6 (sysctl -w net.ipv6.conf.${bridge}.disable_ipv6=0)`,
  }
}

function nodeText({ membership }: State, node: NodeId): string {
  const name = membership.get(node)?.announcement.name
  return name === undefined ? node : `${name} (${node})`
}
