import type { InterfaceName } from '../model/address.ts'
import type { BridgeConfiguration, SegmentConfiguration } from '../model/configuration.ts'
import type { BridgeFacts } from '../model/kernel-state.ts'

/** Why a segment stays out of the bridge it should be in: a sentence with the remedy; null when it may go in. */
export function bridgeRefusal(wanted: BridgeConfiguration, bridges: readonly BridgeFacts[]): string | null {
  const { name, create, allowLoopRisk } = wanted
  const bridge = bridges.find(facts => facts.interface === name)
  if (bridge === undefined)
    return create
      ? null
      : `there is no bridge ${name}: make it, or say \`bridge: {name: ${name}, create: true}\``
  if (!bridge.own && !bridge.up) return `bridge ${name} is down: bring it up (ip link set ${name} up)`
  if (bridge.stp || bridge.physicalPorts.length === 0 || allowLoopRisk) return null
  return (
    `bridge ${name} has the physical port ${bridge.physicalPorts.join(', ')} and no STP, so that a cable could make a loop ` +
    `of the segment: switch STP on (ip link set ${name} type bridge stp_state 1), or say \`allow_loop_risk: true\``
  )
}

/** The bridge a segment is put into now; null when it has none or stays out of it, and then bears its addresses itself. */
export function usableBridge(
  { bridge }: SegmentConfiguration,
  bridges: readonly BridgeFacts[],
): InterfaceName | null {
  return bridge === null || bridgeRefusal(bridge, bridges) !== null ? null : bridge.name
}
