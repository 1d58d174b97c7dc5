import { addressOf, type InterfaceAddress, type InterfaceName } from '../../model/address.ts'
import { mtuBytesMax, mtuBytesMin } from '../../model/limits.ts'
import { agreedTunnelMtu, segmentMtu } from '../../model/segment.ts'
import type { Surroundings } from './configuration.ts'
import type { WgQuickFile } from './parse.ts'
import type { Recipe } from './recipe.ts'

export interface KeptMtus {
  /** Segments whose MTU has to be written down. */
  readonly segments: ReadonlyMap<InterfaceName, number>
  /** MTUs that cannot be kept, a sentence each. */
  readonly lost: readonly string[]
}

/** What a static member says of its tunnel: all machines of a hand-written network have the same. */
export function memberMtu(tunnelMtu: number): number {
  return Math.min(mtuBytesMax, Math.max(mtuBytesMin, tunnelMtu))
}

/** The MTUs lnetd will give these devices, compared with those they have. */
export function keptMtus(
  { mtu }: WgQuickFile,
  { segments }: Recipe,
  device: InterfaceName,
  vtep: InterfaceAddress,
  hasMembers: boolean,
  { pathTunnelMtu }: Surroundings,
): KeptMtus {
  const own = pathTunnelMtu ?? mtu
  if (own === null) return { segments: new Map(), lost: [] }
  const said = hasMembers && mtu !== null ? [memberMtu(mtu)] : []
  const tunnel = agreedTunnelMtu([own, ...said], addressOf(vtep))
  const room = segmentMtu(tunnel, addressOf(vtep))
  const kept = new Map<InterfaceName, number>()
  const lost = mtu === null || mtu === tunnel ? [] : [sentence(device, mtu, tunnel)]
  for (const { interface: name, mtu: wanted } of segments) {
    if (wanted === null || wanted === room) continue
    if (wanted < room && wanted >= mtuBytesMin) kept.set(name, wanted)
    else lost.push(sentence(name, wanted, room))
  }
  return { segments: kept, lost }
}

function sentence(device: InterfaceName, before: number, after: number): string {
  return `MTU ${before} of ${device}: lnetd gives it ${after}`
}
