import { compareText, type InterfaceName, type Prefix } from '../model/address.ts'
import { ok, type Result } from '../model/failure.ts'
import type { Observation } from '../model/kernel-state.ts'
import type { MeshId } from '../model/node.ts'
import { foreignAmong } from './foreign.ts'
import { linkTrusts } from './link-trust.ts'
import { markOf, routeProtocol } from './mark.ts'
import { assemble, type Devices, type Found } from './observation.ts'
import { observeForwarding, observeTables } from './observe-tables.ts'
import { readAdvertised } from './readers/advertised.ts'
import { readBridges } from './readers/bridges.ts'
import { documents, reading } from './readers/fields.ts'
import { linkNames, type OwnLink, ownLinks } from './readers/links.ts'
import { lostMarks, type MarkedDevices } from './readers/marks.ts'
import { readNeighbours } from './readers/neighbours.ts'
import { readNetworks, routeListings } from './readers/networks.ts'
import { readDetours, readRoutes } from './readers/routes.ts'
import { readRules } from './readers/rules.ts'
import { readWireguardDump, type WireguardDump } from './readers/wireguard.ts'
import { run } from './run.ts'
import { forwardingAmong, ipv6Among, unprivilegedPortStart } from './sysctl.ts'

export interface ObserveOptions {
  readonly mesh: MeshId
  readonly tunnel: InterfaceName
  /** What bore our mark when it was last looked at. */
  readonly marked: MarkedDevices
  /** Names whose holders without our mark are reported. */
  readonly wanted: readonly InterfaceName[]
  /** Networks that this machine must not use otherwise. */
  readonly networks: readonly Prefix[]
  /** Devices that have to forward, because this machine is a gateway. */
  readonly forwarders: readonly InterfaceName[]
  /** Whether this kernel can limit what floods. */
  readonly limitsFloods: boolean
  /** Whether it can watch for loops. */
  readonly watchesLoops: boolean
}

/** Looks at everything under our mark: four processes at most. */
export async function observe(options: ObserveOptions): Promise<Result<Observation>> {
  const devices = await observeDevices(options)
  if (!devices.ok) return devices
  const { tunnel, segments } = devices.value
  const names = new Set(segments.map(segment => segment.interface))
  // One after the other, as the shell runs them anyway: the first that fails is the end.
  const wireguard = tunnel === null ? ok(null) : await observeWireguard(tunnel.interface)
  if (!wireguard.ok) return wireguard
  const forwarding = await observeForwarding(names)
  if (!forwarding.ok) return forwarding
  const forwards = await forwardingAmong(options.forwarders)
  const tables = await observeTables(forwards)
  if (!tables.ok) return tables
  const own = [...names, ...(tunnel === null ? [] : [tunnel.interface])]
  const ipv6 = await ipv6Among(own)
  const bridges = devices.value.bridges.filter(({ own }) => own).map(bridge => bridge.interface)
  const trusts = await linkTrusts([...own, ...bridges])
  const found: Found = {
    devices: devices.value,
    forwarding: forwarding.value,
    tables: tables.value,
    forwards,
    limitsFloods: options.limitsFloods,
    watchesLoops: options.watchesLoops,
    unprivilegedPortStart: await unprivilegedPortStart(),
    ipv6,
    trusts,
  }
  return ok(assemble(found, wireguard.value))
}

/** What was observed, with WireGuard as it is now: one process. */
export async function glance(before: Observation): Promise<Result<Observation>> {
  const { tunnel } = before.state
  if (tunnel === null) return ok(before)
  const dump = await observeWireguard(tunnel.interface)
  if (!dump.ok) return dump
  const { publicKey, listenPort, peers, readings } = dump.value
  const state = { ...before.state, tunnel: { ...tunnel, publicKey, listenPort, peers } }
  return ok({ ...before, state, readings })
}

const listings = `address show
route show table all proto ${routeProtocol}
route show table all proto ra
neighbour show nud permanent
rule show
`

async function observeDevices(options: ObserveOptions): Promise<Result<Devices>> {
  const around = routeListings(options.networks)
  const input = [listings, ...around].join('')
  const listed = await run({ tool: 'ip', arguments: ['-json', '-details', '-batch', '-'], input })
  if (!listed.ok) return listed
  if (await restoreMarks(listed.value, options)) return await observeDevices(options)
  return reading('ip', () => {
    const [links, routes, advertised, neighbours, rules, ...foreignRoutes] = documents(
      listed.value,
      5 + around.length,
    )
    const own = sortLinks(ownLinks(links, markOf(options.mesh)), options.tunnel)
    const all = linkNames(links)
    const segments = new Set(own.segments.map(segment => segment.interface))
    const bridges = readBridges(links, markOf(options.mesh))
    const shared = new Set(bridges.map(bridge => bridge.interface))
    return {
      ...own,
      foreign: foreignAmong(all, [options.tunnel, ...options.wanted], ownNames(own)),
      networks: readNetworks(links, foreignRoutes, markOf(options.mesh)),
      names: new Set(all.map(({ name }) => name)),
      routes: readRoutes(routes),
      advertised: readAdvertised(links, advertised),
      detours: readDetours(routes),
      rules: readRules(rules),
      bridges,
      neighbours: readNeighbours(neighbours, segments, shared),
    }
  })
}

/** Without its mark a device of ours would count as somebody else's. True: one has it again. */
async function restoreMarks(listed: string, { mesh, marked }: ObserveOptions): Promise<boolean> {
  const [line = ''] = listed.split('\n')
  const lost = reading('ip', () => lostMarks(documents(line, 1)[0], markOf(mesh), marked))
  if (!lost.ok || lost.value.length === 0) return false
  const input = lost.value.map(device => `link set dev ${device} alias ${markOf(mesh)}\n`).join('')
  return (await run({ tool: 'ip', arguments: ['-batch', '-'], input })).ok
}

/** The tunnel is the wanted one, else one that a former configuration left. */
function sortLinks(own: readonly OwnLink[], wanted: InterfaceName): Pick<Devices, 'tunnel' | 'segments'> {
  const tunnels = own.filter(({ kind }) => kind === 'wireguard' || kind === 'tun')
  const segments = own
    .filter(({ vxlan }) => vxlan !== null)
    .sort((a, b) => compareText(a.interface, b.interface))
  return { tunnel: tunnels.find(link => link.interface === wanted) ?? tunnels[0] ?? null, segments }
}

function ownNames({ tunnel, segments }: Pick<Devices, 'tunnel' | 'segments'>): ReadonlySet<string> {
  return new Set([...segments, ...(tunnel === null ? [] : [tunnel])].map(link => link.interface))
}

async function observeWireguard(tunnel: InterfaceName): Promise<Result<WireguardDump>> {
  const dump = await run({ tool: 'wg', arguments: ['show', tunnel, 'dump'] })
  return dump.ok ? readWireguardDump(dump.value) : dump
}
