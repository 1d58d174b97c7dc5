import type { DeviceKind } from '../model/facts.ts'

/** What sysfs holds of a network device: the names in its directory, and two of its files. */
export interface DeviceTexts {
  /** Names in /sys/class/net/DEVICE. */
  readonly entries: readonly string[]
  /** Names in its `brif`, the ports of a bridge. */
  readonly ports: readonly string[]
  /** Its `uevent`. */
  readonly uevent: string
  /** Its `type`, an ARPHRD number. */
  readonly type: string
}

/** Null where sysfs knows no such device. */
export type ReadDevice = (device: string) => DeviceTexts | null

/** VLANs on bonds on bridges are at most this deep; what is deeper is not followed. */
const depthMax = 8

/** linux/if_arp.h: IPIP, IP6IP6, SIT, GRE, GRE over IPv6, and devices without a link layer (TUN, WireGuard, XFRM). */
const tunnelTypes = new Set(['768', '769', '776', '778', '823', '65534'])
const tunnelDevtypes = new Set(['wireguard', 'vxlan', 'geneve', 'gtp', 'bareudp'])
const radioDevtypes = new Set(['wlan', 'wwan'])
/** linux/if_arp.h: PPP, as DSL and mobile uplinks have it. */
const pppType = '512'

/**
 * The kind of a device by what the kernel says of it, never by its name: every VPN names its device as it likes.
 * Without sysfs everything counts as physical.
 */
export function deviceKindOf(device: string, read: ReadDevice, depth = 0): DeviceKind {
  const texts = read(device)
  if (texts === null) return 'physical'
  const { entries, ports, uevent, type } = texts
  const devtype = /^DEVTYPE=(.*)$/m.exec(uevent)?.[1] ?? ''
  if (entries.includes('device') || radioDevtypes.has(devtype)) return 'physical'
  if (entries.includes('tun_flags') || tunnelDevtypes.has(devtype) || tunnelTypes.has(type.trim()))
    return 'vpn'
  if (type.trim() === pppType) return 'physical'
  if (depth >= depthMax) return 'virtual'
  if (devtype === 'bridge') return kindsOf(ports, read, depth).includes('physical') ? 'physical' : 'container'
  const lower = entries.flatMap(entry => (entry.startsWith('lower_') ? entry.slice('lower_'.length) : []))
  const kinds = kindsOf(lower, read, depth)
  return kinds.find(kind => kind === 'physical') ?? kinds[0] ?? 'virtual'
}

function kindsOf(devices: readonly string[], read: ReadDevice, depth: number): readonly DeviceKind[] {
  return devices.map(device => deviceKindOf(device, read, depth + 1))
}
