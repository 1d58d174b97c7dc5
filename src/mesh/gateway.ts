import { compareAddresses, compareText, familyOf, type InterfaceName } from '../model/address.ts'
import type { Configuration } from '../model/configuration.ts'
import type { GatewaySource, GatewayState } from '../model/gateway.ts'
import type { BridgeFacts, KernelState } from '../model/kernel-state.ts'
import type { MeshId } from '../model/node.ts'
import type { Vni } from '../model/segment.ts'
import type { Step } from '../model/step.ts'
import { usableBridge } from './bridge.ts'
import { segmentPrefixes } from './claims.ts'
import { compare } from './diff-device.ts'

/** What a gateway is made from; `forwarding`: devices that forward now. */
export interface GatewayNeeds {
  readonly configuration: Configuration
  readonly mesh: MeshId
  readonly bridges: readonly BridgeFacts[]
  readonly keptOut: ReadonlySet<Vni>
  readonly forwarding: readonly InterfaceName[]
  readonly observed: GatewayState | null
}

/** This machine as the gateway it should be; null when it should be none. */
export function desireGateway(needs: GatewayNeeds): GatewayState | null {
  const { configuration, mesh, forwarding, observed } = needs
  const { gateway, segments } = configuration
  if (gateway === null) return null
  const sources = segments
    .filter(segment => gateway.segments.includes(segment.interface))
    .flatMap(segment => {
      const device = usableBridge(segment, needs) ?? segment.interface
      const networks = segmentPrefixes(segment, mesh).filter(network => familyOf(network) === 4)
      return networks.map((network): GatewaySource => ({ device, network }))
    })
    .sort((a, b) => compareText(a.device, b.device) || compareAddresses(a.network, b.network))
  const devices = new Set([gateway.interface, ...sources.map(({ device }) => device)])
  const borrowed = [...devices].filter(
    device => observed?.borrowed.includes(device) === true || !forwarding.includes(device),
  )
  return {
    interface: gateway.interface,
    nat: gateway.nat,
    sources,
    borrowed: borrowed.sort(compareText),
    forwards: true,
  }
}

/** Devices whose forwarding a gateway of this configuration is about. */
export function forwarders({ gateway, segments }: Configuration): readonly InterfaceName[] {
  if (gateway === null) return []
  const bearers = segments
    .filter(segment => gateway.segments.includes(segment.interface))
    .flatMap(({ interface: device, bridge }) => (bridge === null ? [device] : [device, bridge.name]))
  return [gateway.interface, ...bearers]
}

/** The steps for this machine as a gateway, and for its ways by other gateways. */
export function diffWays(desired: KernelState, observed: KernelState): readonly Step[] {
  const detours = compare(desired.detours, observed.detours, detour => JSON.stringify(detour))
  const wanted = new Set(desired.detours.map(({ prefix }) => prefix))
  const rules = compare(desired.rules, observed.rules, rule => JSON.stringify(rule))
  return [
    ...diffGateway(desired.gateway, observed.gateway),
    ...detours.added.map((detour): Step => ({ kind: 'detour.set', detour })),
    // One of the same prefix is replaced.
    ...detours.removed
      .filter(({ prefix }) => !wanted.has(prefix))
      .map((detour): Step => ({ kind: 'detour.remove', detour })),
    ...rules.added.map((rule): Step => ({ kind: 'rule.add', rule })),
    ...rules.removed.map((rule): Step => ({ kind: 'rule.remove', rule })),
  ]
}

function diffGateway(desired: GatewayState | null, observed: GatewayState | null): readonly Step[] {
  if (JSON.stringify(desired) === JSON.stringify(observed)) return []
  if (desired === null) return observed === null ? [] : [{ kind: 'gateway.remove', gateway: observed }]
  const returned = observed?.borrowed.filter(device => !desired.borrowed.includes(device)) ?? []
  return [{ kind: 'gateway.set', gateway: desired, returned }]
}
