import type { Port } from '../model/address.ts'
import type { BridgeState, SegmentState, TunnelState } from '../model/kernel-state.ts'
import { ageingSecondsDefault } from '../model/limits.ts'
import { freshlyMade, type Trusting } from '../model/link-trust.ts'
import type { SegmentIdentity, Step } from '../model/step.ts'
import { canBecome, diffGuard } from './diff-guard.ts'

/**
 * The steps that make one device what it should be; `observed` is undefined when there is none yet. `anyPort`: VXLAN ports
 * on which a device stays that sends from any source port.
 */
export function diffSegment(
  desired: SegmentState,
  observed: SegmentState | undefined,
  anyPort: ReadonlySet<Port>,
): readonly Step[] {
  const device = desired.interface
  const steps: Step[] = []
  const keep = observed !== undefined && canBecome(observed, desired)
  if (observed !== undefined && !keep) steps.push({ kind: 'segment.remove', interface: device })
  if (!keep) steps.push({ kind: 'segment.create', segment: identityOf(desired) })
  const current = keep ? withoutFlushed(observed, desired) : blankSegment(desired, observed)
  steps.push(...diffGuard(desired, current, anyPort))
  if (desired.local !== current.local)
    steps.push({ kind: 'segment.local', interface: device, local: desired.local })
  if (desired.ageingSeconds !== current.ageingSeconds)
    steps.push({ kind: 'segment.ageing', interface: device, seconds: desired.ageingSeconds })
  if (desired.mac !== current.mac) steps.push({ kind: 'link.mac', interface: device, mac: desired.mac })
  if (desired.bridge !== current.bridge)
    steps.push({ kind: 'segment.bridge', interface: device, bridge: desired.bridge })
  return [
    ...steps,
    ...diffLink(desired, current),
    ...diffEntries(desired, current),
    ...diffPort(desired, current),
    ...diffLimit(desired, current),
  ]
}

function identityOf(segment: SegmentState): SegmentIdentity {
  const { interface: device, vni, port, local, lower, mac, mtu } = segment
  return { interface: device, vni, port, local, lower, mac, mtu }
}

/** What tunnel and segments have in common. */
export function diffLink(
  desired: TunnelState | SegmentState,
  observed: TunnelState | SegmentState,
): readonly Step[] {
  const device = desired.interface
  const steps: Step[] = []
  if (desired.mtu !== observed.mtu) steps.push({ kind: 'link.mtu', interface: device, mtu: desired.mtu })
  if (desired.ipv6 && !observed.ipv6) steps.push({ kind: 'link.ipv6', interface: device })
  steps.push(...diffTrust(desired, observed))
  if (desired.up && !observed.up) steps.push({ kind: 'link.up', interface: device })
  const { added, removed } = compare(desired.addresses, observed.addresses, itself)
  return [
    ...steps,
    ...added.map((address): Step => ({ kind: 'address.add', interface: device, address })),
    ...removed.map((address): Step => ({ kind: 'address.remove', interface: device, address })),
  ]
}

/** What was learned stays in the kernel when a device does not trust any more. */
export function diffTrust(
  { interface: device, trusts }: TunnelState | SegmentState | BridgeState,
  observed: Trusting,
): readonly Step[] {
  if (trusts === 'open') return []
  return [
    ...(trusts === observed.trusts
      ? []
      : [{ kind: 'link.trust', interface: device, trust: trusts } as const]),
    ...(trusts === 'none' && observed.learned
      ? [{ kind: 'learned.remove', interface: device } as const]
      : []),
  ]
}

function diffEntries(desired: SegmentState, observed: SegmentState): readonly Step[] {
  const { interface: device, lower } = desired
  const flood = compare(desired.flood, observed.flood, itself)
  const unicast = compare(desired.unicast, observed.unicast, ({ mac, vtep }) => `${mac} ${vtep}`)
  const neighbours = compare(
    desired.neighbours,
    observed.neighbours,
    ({ address, mac }) => `${address} ${mac}`,
  )
  const keptMacs = new Set(desired.unicast.map(({ mac }) => mac))
  const keptAddresses = new Set(desired.neighbours.map(({ address }) => address))
  return [
    ...neighbours.added.map((entry): Step => ({ kind: 'neighbour.set', interface: device, entry })),
    ...unicast.added.map((entry): Step => ({ kind: 'unicast.set', interface: device, lower, entry })),
    ...flood.added.map((vtep): Step => ({ kind: 'flood.add', interface: device, lower, vtep })),
    ...flood.removed.map((vtep): Step => ({ kind: 'flood.remove', interface: device, lower, vtep })),
    ...unicast.removed
      .filter(({ mac }) => !keptMacs.has(mac))
      .map((entry): Step => ({ kind: 'unicast.remove', interface: device, entry })),
    ...neighbours.removed
      .filter(({ address }) => !keptAddresses.has(address))
      .map((entry): Step => ({ kind: 'neighbour.remove', interface: device, entry })),
  ]
}

/** What it is as a port of a bridge. All of that is lost when it changes the bridge. */
function diffPort(desired: SegmentState, observed: SegmentState): readonly Step[] {
  const { interface: device } = desired
  if (desired.bridge === null) return []
  const isNew = desired.bridge !== observed.bridge
  const { added, removed } = compare(desired.portMacs, isNew ? [] : observed.portMacs, itself)
  return [
    ...(desired.suppression && (isNew || !observed.suppression)
      ? [{ kind: 'port.suppress', interface: device } as const]
      : []),
    ...added.map((mac): Step => ({ kind: 'port.mac.set', interface: device, mac })),
    ...removed.map((mac): Step => ({ kind: 'port.mac.remove', interface: device, mac })),
  ]
}

function diffLimit(desired: SegmentState, observed: SegmentState): readonly Step[] {
  const { interface: device, floodLimit } = desired
  if (floodLimit === observed.floodLimit) return []
  return floodLimit === null
    ? [{ kind: 'limit.remove', interface: device }]
    : [{ kind: 'limit.set', interface: device, framesPerSecond: floodLimit }]
}

/** What only one of two lists has; items are told apart by their keys. */
export function compare<Item>(
  desired: readonly Item[],
  observed: readonly Item[],
  keyOf: (item: Item) => string,
) {
  const wanted = desired.map(keyOf)
  const current = observed.map(keyOf)
  // Nearly always: both are sorted, and nothing is to be done.
  if (wanted.length === current.length && wanted.every((key, index) => key === current[index]))
    return { added: [], removed: [] }
  return { added: without(desired, wanted, current), removed: without(observed, current, wanted) }
}

function without<Item>(items: readonly Item[], keys: readonly string[], others: readonly string[]): Item[] {
  const known = new Set(others)
  return items.filter((_, index) => !known.has(keys[index] as string))
}

function itself(text: string): string {
  return text
}

/** The kernel forgets a device's neighbours when its MAC changes. */
function withoutFlushed(observed: SegmentState, desired: SegmentState): SegmentState {
  return observed.mac === desired.mac ? observed : { ...observed, neighbours: [] }
}

/** A device just made: bare, but for the guard that outlived its predecessor. Whether its limit did, kernels differ in. */
function blankSegment(desired: SegmentState, observed: SegmentState | undefined): SegmentState {
  return {
    ...desired,
    up: false,
    ipv6: false,
    ...freshlyMade,
    ageingSeconds: ageingSecondsDefault,
    bridge: null,
    suppression: false,
    portMacs: [],
    addresses: [],
    flood: [],
    unicast: [],
    neighbours: [],
    guard: observed?.guard ?? null,
    floodLimit: desired.floodLimit === null ? (observed?.floodLimit ?? null) : null,
  }
}
