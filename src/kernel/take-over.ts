import type { InterfaceName, IpAddress, Port } from '../model/address.ts'
import { failed, ok, type Result } from '../model/failure.ts'
import type { MeshId } from '../model/node.ts'
import type { Vni } from '../model/segment.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { markOf } from './mark.ts'
import { documents, type Fields, objects, optionalFields, optionalText, reading } from './readers/fields.ts'
import { kindOf } from './readers/links.ts'
import { run } from './run.ts'
import { ipv6Directory, writeSysctl } from './sysctl.ts'

/** What may be taken over: a running WireGuard device with our key, and on it the VXLAN devices of our segments. */
export interface TakeOver {
  readonly mesh: MeshId
  readonly tunnel: InterfaceName
  readonly publicKey: WireguardPublicKey
  /** The VTEP, which the recipe leaves to the route. */
  readonly vtep: IpAddress
  readonly segments: readonly {
    readonly interface: InterfaceName
    readonly vni: Vni
    readonly port: Port
    readonly bridge: { readonly name: InterfaceName } | null
  }[]
}

/**
 * Makes devices of a hand-written network ours, as they run: by our mark, and by what can only be set by name. From
 * then on they are reconciled like any other, and no packet is lost. Answers which; none is no failure.
 */
export async function takeOver(wanted: TakeOver): Promise<Result<readonly InterfaceName[]>> {
  const listed = await run({ tool: 'ip', arguments: ['-json', '-details', 'link', 'show'] })
  if (!listed.ok) return listed
  const found = reading('ip link', () => candidates(objects(documents(listed.value, 1)[0], 'links'), wanted))
  if (!found.ok || found.value.length === 0) return found
  const key = await run({ tool: 'wg', arguments: ['show', wanted.tunnel, 'public-key'] })
  if (!key.ok || key.value.trim() !== wanted.publicKey) return ok([])
  const astray = strangePort(objects(documents(listed.value, 1)[0], 'links'), found.value, wanted)
  if (astray !== null)
    return failed(
      `${astray.port} is a port of the bridge ${astray.bridge}, which its segment does not name`,
      {
        why: 'lnetd would take it out',
        remedy: `write \`bridge: ${astray.bridge}\` in the segment, or take it out of the bridge yourself`,
      },
    )
  for (const device of found.value) await announceItself(device)
  const input = found.value.map(device => `${adoption(device, wanted)}\n`).join('')
  const done = await run({ tool: 'ip', arguments: ['-batch', '-'], input })
  return done.ok ? found : done
}

/** The tunnel first; nothing where that is not there, or bears a mark. */
function candidates(links: readonly Fields[], { tunnel, segments }: TakeOver): readonly InterfaceName[] {
  const unmarked = links.filter(fields => optionalText(fields, 'ifalias') === null)
  if (!unmarked.some(fields => optionalText(fields, 'ifname') === tunnel)) return []
  const ours = segments.filter(({ interface: device, vni, port }) =>
    unmarked.some(fields => {
      if (optionalText(fields, 'ifname') !== device || kindOf(fields) !== 'vxlan') return false
      const data = optionalFields(optionalFields(fields.linkinfo).info_data)
      return data.id === vni && data.port === port && optionalText(data, 'link') === tunnel
    }),
  )
  return [tunnel, ...ours.map(segment => segment.interface)]
}

/** A device that lnetd would take out of the bridge it is in: whoever is behind that bridge would lose the network. */
function strangePort(
  links: readonly Fields[],
  taken: readonly InterfaceName[],
  { segments }: TakeOver,
): { readonly port: InterfaceName; readonly bridge: string } | null {
  for (const { interface: port, bridge: wanted } of segments) {
    const link = links.find(fields => optionalText(fields, 'ifname') === port)
    const bridge = link === undefined ? null : optionalText(link, 'master')
    if (taken.includes(port) && bridge !== null && bridge !== wanted?.name) return { port, bridge }
  }
  return null
}

function adoption(device: InterfaceName, { mesh, tunnel, vtep }: TakeOver): string {
  const mark = `link set dev ${device} alias ${markOf(mesh)}`
  return device === tunnel ? mark : `link set dev ${device} type vxlan local ${vtep} ttl 64\n${mark}`
}

/** Its MAC is about to change: machines that know the old one are told at once, and not by their timeouts. */
async function announceItself(device: InterfaceName): Promise<void> {
  await writeSysctl(`/proc/sys/net/ipv4/conf/${device}/arp_notify`, '1')
  await writeSysctl(`${ipv6Directory}/conf/${device}/ndisc_notify`, '1')
}
