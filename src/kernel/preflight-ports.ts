import type { InterfaceName, Port } from '../model/address.ts'
import type { StartNeeds } from '../model/examination.ts'
import { type Failure, failureOf } from '../model/failure.ts'
import { portHolder } from './port-holder.ts'
import { hasInterface, isPortTaken } from './port-taken.ts'
import { type OtherVxlan, readVxlans } from './readers/vxlans.ts'
import { run } from './run.ts'

/** Ports that others hold: of the tunnel, of gossip, and of the segments. */
export async function takenPorts({ tunnel, gossipPort, segments }: StartNeeds): Promise<readonly Failure[]> {
  const vxlans = segments.length === 0 ? [] : await otherVxlans(segments)
  return [
    ...((await isPortTaken(tunnel.interface, tunnel.port)) ? [await tunnelPortTaken(tunnel.port)] : []),
    ...(gossipPort === null ? [] : await gossipPortTaken(gossipPort)),
    ...segments.flatMap(segment => vxlanTaken(segment, vxlans)),
    ...(await segmentPortsTaken(segments, vxlans)),
  ]
}

async function tunnelPortTaken(port: Port): Promise<Failure> {
  const devices = await wireguardsOn(port)
  const by = devices.length > 0 ? `WireGuard device ${devices.join(', ')}` : await holderOf('udp', port)
  return taken('UDP', port, by, 'tunnel.port')
}

async function gossipPortTaken(port: Port): Promise<readonly Failure[]> {
  const holder = await portHolder('tcp', port)
  return holder === null ? [] : [taken('TCP', port, holder.by, 'gossip.port')]
}

async function holderOf(protocol: 'tcp' | 'udp', port: Port): Promise<string | null> {
  return (await portHolder(protocol, port))?.by ?? null
}

function taken(protocol: string, port: Port, by: string | null, key: string): Failure {
  const which = by === null ? ` (ss -${protocol === 'UDP' ? 'u' : 't'}lpn shows which)` : ''
  return failureOf(`${protocol} port ${port} is taken by ${by ?? 'another program'}`, {
    remedy: `end that${which}, or set another ${key}`,
  })
}

async function wireguardsOn(port: Port): Promise<readonly string[]> {
  const shown = await run({ tool: 'wg', arguments: ['show', 'all', 'listen-port'] })
  if (!shown.ok) return []
  return shown.value.split('\n').flatMap(line => {
    const [device = '', listening] = line.split('\t')
    return Number(listening) === port ? [device] : []
  })
}

async function otherVxlans(segments: StartNeeds['segments']): Promise<readonly OtherVxlan[]> {
  const shown = await run({ tool: 'ip', arguments: ['-json', '-details', 'link', 'show', 'type', 'vxlan'] })
  const read = shown.ok ? readVxlans(shown.value) : shown
  const own = new Set<string>(segments.map(segment => segment.interface))
  return read.ok ? read.value.filter(each => !own.has(each.interface)) : []
}

/** The kernel refuses a second device with the VNI and port of another, and a plain one beside an `external` one. */
export function vxlanTaken(
  { interface: device, vni, port }: StartNeeds['segments'][number],
  others: readonly OtherVxlan[],
): readonly Failure[] {
  const other = others.find(each => each.port === port && (each.vni === null || each.vni === vni))
  if (other === undefined) return []
  const what =
    other.vni === null
      ? `UDP port ${port} of segment ${device} is taken by VXLAN device ${other.interface}`
      : `VNI ${vni} on UDP port ${port} of segment ${device} is taken by VXLAN device ${other.interface}`
  return [
    failureOf(what, {
      remedy: `remove it (ip link del ${other.interface}), or set another port${other.vni === null ? '' : ' or vni'} of that segment on every node`,
    }),
  ]
}

/** Plain VXLAN devices share a port; a program does not. */
async function segmentPortsTaken(
  segments: StartNeeds['segments'],
  others: readonly OtherVxlan[],
): Promise<readonly Failure[]> {
  const failures: Failure[] = []
  for (const port of new Set(segments.map(each => each.port))) {
    const sharing = segments.filter(each => each.port === port)
    if (others.some(each => each.port === port) || (await someExist(sharing))) continue
    const [first] = sharing
    if (first === undefined || !(await isPortTaken(first.interface, port))) continue
    failures.push(taken('UDP', port, await holderOf('udp', port), `port of segment ${first.interface}`))
  }
  return failures
}

async function someExist(segments: readonly { readonly interface: InterfaceName }[]): Promise<boolean> {
  const found = await Promise.all(segments.map(each => hasInterface(each.interface)))
  return found.includes(true)
}
