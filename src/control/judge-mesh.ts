import { type IpAddress, type Prefix, prefixContains, prefixesOverlap } from '../model/address.ts'
import type { Examination, PathProof } from '../model/examination.ts'
import { type DaemonWords, type Finding, notice, told, wrong } from './finding.ts'

export function judgePaths({ paths, pathsUntried }: Examination): readonly Finding[] {
  if (pathsUntried !== null) return [notice(pathsUntried.what, pathsUntried.why, pathsUntried.remedy)]
  return paths.flatMap(judgePath)
}

function judgePath({ name, tunnel, underlay, overlay, hasOverlay }: PathProof): readonly Finding[] {
  if (tunnel.small !== null && tunnel.full === null)
    return [
      wrong(
        `${name}: packets of ${tunnel.bytes} bytes vanish in the tunnel, small ones pass`,
        'web pages and copies hang while ping works',
        'ip link set dev DEVICE mtu 1400   # the device of the default route, on the side with the smaller path',
      ),
    ]
  if (tunnel.small !== null && hasOverlay && overlay === null)
    return [
      wrong(
        `${name} answers through the tunnel and not on the overlay`,
        'the layer-2 network does not reach it',
        `lnetctl doctor   # on ${name}: its firewall is likely to drop VXLAN`,
      ),
    ]
  if (underlay !== null && underlay.small !== null && underlay.full === null)
    return [
      notice(
        `${name}: packets of ${underlay.bytes} bytes do not pass the underlay in one piece`,
        'the tunnel works, but its packets are cut and put together again, which costs speed',
        'ip link set dev DEVICE mtu 1400   # the device of the default route',
      ),
    ]
  return []
}

export function judgeClock({ clock }: Examination, daemon: DaemonWords | null): readonly Finding[] {
  const unset = notice(
    'the clock is not synchronized',
    'WireGuard refuses a machine whose clock went back, and times in logs do not fit',
    'timedatectl set-ntp true',
  )
  return [...(clock.synchronized === false ? [unset] : []), ...told('clock', daemon)]
}

export function judgeAddresses(
  { networks, overlays }: Examination,
  daemon: DaemonWords | null,
): readonly Finding[] {
  const twice = overlays.flatMap(overlay =>
    networks
      .filter(network => network.device !== overlay.device && prefixesOverlap(network.prefix, overlay.prefix))
      .map(network =>
        wrong(
          `${overlay.prefix} of ${overlay.device} overlaps ${network.prefix} of ${network.device}`,
          'packets for one of them leave by the other',
          `set other prefixes for ${overlay.device} in lnetd.yaml, the same on every node`,
        ),
      ),
  )
  return [...told('addresses', daemon), ...twice]
}

export function judgeSegments({ overlays }: Examination, daemon: DaemonWords | null): readonly Finding[] {
  const own = daemon?.peers.self ?? null
  if (daemon === null || own === null) return []
  const members = daemon.peers.peers.filter(({ state, segments }) => state !== 'left' && segments.length > 0)
  const strangers = members.filter(
    ({ segments }) =>
      own.segments.length > 0 && !segments.some(({ vni }) => own.segments.some(each => each.vni === vni)),
  )
  const outside = members.filter(({ segments }) =>
    segments.some(
      ({ interface: device, addresses }) =>
        device !== null &&
        addresses.length > 0 &&
        !addresses.some(address =>
          overlays.some(each => each.interface === device && prefixHolds(each.prefix, address)),
        ),
    ),
  )
  return [
    ...told('segments', daemon),
    ...strangers.map(({ name }) =>
      wrong(
        `${name} shares no segment with this node`,
        'the two cannot reach each other',
        'set the same vni in lnetd.yaml on both',
      ),
    ),
    ...outside.map(({ name }) =>
      wrong(
        `${name} has no address in the prefixes of this node`,
        'the two have no way to each other',
        'set the same prefixes in lnetd.yaml on both',
      ),
    ),
  ]
}

function prefixHolds(prefix: Prefix, address: string): boolean {
  return prefixContains(prefix, address.slice(0, address.indexOf('/')) as IpAddress)
}

export function judgeBridges(_: Examination, daemon: DaemonWords | null): readonly Finding[] {
  return told('bridges', daemon)
}

export function judgeIpv6({ ipv6Disabled, ipv6Needed }: Examination): readonly Finding[] {
  if (!ipv6Disabled || !ipv6Needed) return []
  return [
    notice(
      'IPv6 is switched off on this machine',
      'lnetd switches it on for its own devices only, and a kernel without it cannot have IPv6 tunnel addresses',
      'sysctl net.ipv6.conf.all.disable_ipv6=0   # or tunnel.prefix with an IPv4 network on every node',
    ),
  ]
}
