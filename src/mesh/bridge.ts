import { type InterfaceName, parseInterfaceName } from '../model/address.ts'
import type { BridgeConfiguration, SegmentConfiguration } from '../model/configuration.ts'
import { type Explanation, explained } from '../model/explanation.ts'
import type { BridgeFacts } from '../model/kernel-state.ts'
import { loopPortsMax } from '../model/limits.ts'
import type { Vni } from '../model/segment.ts'

/** Why a segment stays out of the bridge it should be in: a sentence with the remedy; null when it may go in. */
export function bridgeRefusal(
  wanted: BridgeConfiguration,
  bridges: readonly BridgeFacts[],
): Explanation | null {
  const { name, create, allowLoopRisk } = wanted
  const bridge = bridges.find(facts => facts.interface === name)
  if (bridge === undefined)
    return create
      ? null
      : explained(`there is no bridge ${name}`, {
          remedy: `make it, or set \`bridge: {name: ${name}, create: true}\``,
        })
  if (!bridge.own && !bridge.up)
    return explained(`bridge ${name} is down`, { remedy: `bring it up (ip link set ${name} up)` })
  if (bridge.stp || bridge.physicalPorts.length === 0 || allowLoopRisk) return null
  return explained(`bridge ${name} has the physical port ${bridge.physicalPorts.join(', ')} and no STP`, {
    why: 'a cable could make a loop of the segment',
    remedy: `switch STP on (ip link set ${name} type bridge stp_state 1), or set \`allow_loop_risk: true\``,
  })
}

/**
 * Why a segment stays out of a bridge that everything leaves by, the tunnel itself included: what comes in by the
 * segment, a router's advertisement or a flood, could take this machine off the network, and the bridge would take
 * over the segment's MTU, from which the tunnel's is made. Null when it may go in.
 */
export function wayOutRefusal(
  { name }: BridgeConfiguration,
  bridges: readonly BridgeFacts[],
  waysOut: readonly string[],
): Explanation | null {
  const bridge = bridges.find(facts => facts.interface === name)
  if (bridge === undefined || bridge.physicalPorts.length === 0) return null
  const way = waysOut.find(device => device === name || bridge.stacked.includes(device))
  if (way === undefined) return null
  return explained(`this machine’s default route leaves by ${way === name ? '' : `${way} on `}${name}`, {
    why: 'it could be cut off',
    remedy: 'use a bridge that this machine does not need itself, with a network card or a VLAN of its own',
  })
}

/** The bridge a segment is put into now; null when it has none or stays out of it, and then bears its addresses itself. */
export function usableBridge(
  { vni, bridge }: SegmentConfiguration,
  { bridges, keptOut }: { readonly bridges: readonly BridgeFacts[]; readonly keptOut: ReadonlySet<Vni> },
): InterfaceName | null {
  if (bridge === null || keptOut.has(vni)) return null
  return bridgeRefusal(bridge, bridges) === null ? bridge.name : null
}

/** A segment in a bridge that a cable could make a loop of, unnoticed by the bridge itself. */
export interface LoopRisk {
  readonly segment: SegmentConfiguration
  readonly bridge: InterfaceName
  /** Sorted, at least one. */
  readonly ports: readonly InterfaceName[]
}

/** Of those segments that may be in their bridges. */
export function loopRisks(
  segments: readonly SegmentConfiguration[],
  bridges: readonly BridgeFacts[],
  waysOut: readonly string[],
): readonly LoopRisk[] {
  return segments.flatMap(segment => {
    const facts = bridges.find(({ interface: name }) => name === segment.bridge?.name)
    if (segment.bridge === null || facts === undefined || facts.stp) return []
    const ports = facts.physicalPorts.flatMap(port => parseInterfaceName(port) ?? []).slice(0, loopPortsMax)
    const isIn =
      ports.length > 0 &&
      bridgeRefusal(segment.bridge, bridges) === null &&
      wayOutRefusal(segment.bridge, bridges, waysOut) === null
    return isIn ? [{ segment, bridge: facts.interface, ports }] : []
  })
}
