import type { BridgeState } from '../model/kernel-state.ts'
import { freshlyMade } from '../model/link-trust.ts'
import type { Step } from '../model/step.ts'
import { compare, diffTrust } from './diff-device.ts'

/** Makes and removes bridges of ours, and puts on any bridge what should be there of ours, and takes off what should not. */
export function diffBridges(
  desired: readonly BridgeState[],
  observed: readonly BridgeState[],
): readonly Step[] {
  const current = new Map(observed.map(bridge => [bridge.interface, bridge]))
  const wanted = new Set(desired.map(bridge => bridge.interface))
  const removed = observed
    .filter(bridge => !wanted.has(bridge.interface))
    .flatMap(bridge => (bridge.mac === null ? clear(bridge) : [removal(bridge)]))
  return [...desired.flatMap(bridge => diffBridge(bridge, current.get(bridge.interface))), ...removed]
}

function diffBridge(desired: BridgeState, observed: BridgeState | undefined): readonly Step[] {
  const { interface: device, mac } = desired
  if (mac === null) return diffContent(desired, observed ?? bare(desired))
  const isMissing = observed === undefined || observed.mac === null
  return [
    ...(isMissing ? [{ kind: 'bridge.create', interface: device, mac } as const] : []),
    ...(!isMissing && observed.mac !== mac ? [{ kind: 'link.mac', interface: device, mac } as const] : []),
    ...diffTrust(desired, isMissing ? freshlyMade : observed),
    ...(isMissing || !observed.up ? [{ kind: 'link.up', interface: device } as const] : []),
    ...diffContent(desired, observed ?? bare(desired)),
  ]
}

function diffContent(desired: BridgeState, observed: BridgeState): readonly Step[] {
  const { interface: device } = desired
  const addresses = compare(desired.addresses, observed.addresses, address => address)
  const neighbours = compare(
    desired.neighbours,
    // The kernel forgets a device's neighbours when its MAC changes.
    desired.mac === observed.mac ? observed.neighbours : [],
    ({ address, mac }) => `${address} ${mac}`,
  )
  const kept = new Set(desired.neighbours.map(({ address }) => address))
  return [
    ...addresses.added.map((address): Step => ({ kind: 'bridge.address.add', interface: device, address })),
    ...addresses.removed.map(
      (address): Step => ({ kind: 'bridge.address.remove', interface: device, address }),
    ),
    ...neighbours.added.map((entry): Step => ({ kind: 'bridge.neighbour.set', interface: device, entry })),
    ...neighbours.removed
      .filter(({ address }) => !kept.has(address))
      .map((entry): Step => ({ kind: 'bridge.neighbour.remove', interface: device, entry })),
  ]
}

/** All at once: a bridge that loses its segment may take another MAC, and then forgets its neighbours by itself. */
function clear(bridge: BridgeState): readonly Step[] {
  const { interface: device, addresses, neighbours } = bridge
  return [
    ...addresses.map((address): Step => ({ kind: 'bridge.address.remove', interface: device, address })),
    ...(neighbours.length > 0 ? [{ kind: 'bridge.neighbours.remove', interface: device } as const] : []),
  ]
}

function removal({ interface: device }: BridgeState): Step {
  return { kind: 'bridge.remove', interface: device }
}

function bare(bridge: BridgeState): BridgeState {
  return { ...bridge, addresses: [], neighbours: [] }
}
