import { stringify } from 'yaml'
import {
  addressOf,
  familyOf,
  type InterfaceAddress,
  type InterfaceName,
  type IpAddress,
  isHostOf,
  lengthOf,
  type Prefix,
  prefixContains,
  prefixOf,
} from '../../model/address.ts'
import type { BridgeConfiguration } from '../../model/configuration.ts'
import type { MeshId, NodeName } from '../../model/node.ts'
import type { WireguardPublicKey } from '../../model/wireguard-key.ts'
import { keptMtus, memberMtu } from './mtus.ts'
import type { WgQuickFile, WgQuickPeer } from './parse.ts'
import type { Recipe } from './recipe.ts'

/** What the file's network becomes part of. */
export interface Surroundings {
  readonly name: NodeName | null
  readonly mesh: MeshId
  readonly secretPath: string
  readonly stateDir: string
  /** Whom to ask first, as they are written. */
  readonly bootstrap: readonly string[]
  /** The tunnel MTU that this machine's own path allows, bytes; null where it is not known. */
  readonly pathTunnelMtu: number | null
}

export interface Imported {
  readonly text: string
  /** What of the file could not be kept, a sentence each. */
  readonly lost: readonly string[]
}

/** The address that is the machine's VTEP: the first IPv4 one, as in the recipe; null when the file has none with a network. */
export function vtepOf({ addresses }: WgQuickFile): InterfaceAddress | null {
  const inNetwork = addresses.filter(address => lengthOf(address) < (familyOf(address) === 4 ? 31 : 65))
  return inNetwork.find(address => familyOf(address) === 4) ?? inNetwork[0] ?? null
}

/** The configuration that keeps what a wg-quick file says: ports, VTEP, overlay addresses, and its peers as static members. */
export function importedConfiguration(
  file: WgQuickFile,
  recipe: Recipe,
  device: InterfaceName,
  vtep: InterfaceAddress,
  around: Surroundings,
): Imported {
  const prefix = prefixOf(vtep)
  const members = staticMembers(file, recipe, prefix)
  const mtus = keptMtus(
    file,
    recipe,
    device,
    vtep,
    members.some(({ member }) => member !== null),
    around,
  )
  const document = {
    ...(around.name === null ? {} : { name: around.name }),
    mesh: { secret_file: around.secretPath, id: around.mesh },
    bootstrap: around.bootstrap,
    tunnel: {
      interface: device,
      ...(file.listenPort === null ? {} : { port: file.listenPort }),
      prefix,
      address: addressOf(vtep),
      take_over: true,
    },
    segments: recipe.segments.map(({ interface: name, vni, port, ageingSeconds, addresses, bridge }) => ({
      interface: name,
      vni,
      port,
      prefixes: [...new Set(addresses.map(prefixOf))],
      addresses,
      // The file's machines get no address they did not have.
      ...(addresses.some(address => familyOf(address) === 6) ? {} : { derive_ipv6: false }),
      ...(mtus.segments.has(name) ? { mtu: mtus.segments.get(name) } : {}),
      ageing: `${ageingSeconds}s`,
      ...(bridge === null ? {} : bridgeText(bridge)),
    })),
    static_members: members.flatMap(({ member }) => member ?? []),
    state_dir: around.stateDir,
  }
  const others = file.addresses.filter(address => address !== vtep)
  return {
    text: `${heading}${stringify(document)}`,
    lost: [
      ...others.map(address => `Address ${address}: the tunnel has one address, ${vtep}`),
      ...members.flatMap(({ lost }) => lost),
      ...lostFloods(
        recipe,
        members.flatMap(({ vtep }) => vtep ?? []),
      ),
      ...mtus.lost,
    ],
  }
}

const heading = `# Configuration of lnetd, written by \`lnetctl import\`. Machines under static_members are still on their hand-written
# files; whoever runs lnetd later speaks for itself and can be taken out of here.
`

function bridgeText({ name, create, allowLoopRisk }: BridgeConfiguration): object {
  return {
    bridge: create ? { name, create } : name,
    ...(allowLoopRisk ? { allow_loop_risk: true } : {}),
  }
}

/** Flood entries that lead to no member. */
function lostFloods({ segments }: Recipe, vteps: readonly IpAddress[]): readonly string[] {
  return segments.flatMap(({ interface: name, flood }) =>
    flood
      .filter(destination => !vteps.includes(destination))
      .map(destination => `${name}: its flood entry to ${destination}, which is no peer's address`),
  )
}

interface ImportedMember {
  /** Null where it can be none. */
  readonly member: object | null
  readonly vtep: IpAddress | null
  readonly lost: readonly string[]
}

function staticMembers(
  { peers, mtu }: WgQuickFile,
  recipe: Recipe,
  prefix: Prefix,
): readonly ImportedMember[] {
  const names = new Set<string>()
  const overlays = recipe.segments.flatMap(({ addresses }) => addresses.map(prefixOf))
  return peers.map(peer => {
    const vtep = peer.allowedIps.map(addressOf).find(address => isHostOf(prefix, address))
    const name = freeName(peer.name ?? nameFromKey(peer.publicKey), names)
    if (vtep === undefined)
      return {
        member: null,
        vtep: null,
        lost: [`${name} (${peer.publicKey}): it has no AllowedIPs in ${prefix}`],
      }
    const member = {
      name,
      public_key: peer.publicKey,
      ...(peer.endpoint === null ? {} : { endpoint: peer.endpoint }),
      vtep,
      ...(mtu === null ? {} : { mtu: memberMtu(mtu) }),
      segments: recipe.segments
        .filter(({ flood }) => flood.includes(vtep))
        .map(({ vni, unicast }) => {
          const mac = unicast.find(entry => entry.vtep === vtep)?.mac
          return mac === undefined ? { vni } : { vni, mac }
        }),
    }
    return { member, vtep, lost: lostOf(name, peer, vtep, overlays) }
  })
}

function lostOf(
  name: string,
  peer: WgQuickPeer,
  vtep: string,
  overlays: readonly Prefix[],
): readonly string[] {
  // Overlay addresses go by VXLAN: as AllowedIPs they have no effect.
  const further = peer.allowedIps.filter(
    address =>
      addressOf(address) !== vtep && !overlays.some(overlay => prefixContains(overlay, addressOf(address))),
  )
  return [
    ...further.map(address => `${name}: AllowedIPs ${address}, beyond its VTEP ${vtep}`),
    ...(peer.hasPresharedKey
      ? [`${name}: its PresharedKey; take it out of that machine's file too, or the two cannot talk`]
      : []),
    ...(peer.endpoint === null && peer.unusableEndpoint !== null
      ? [`${name}: its Endpoint ${peer.unusableEndpoint}, no name that lnet can announce`]
      : []),
  ]
}

function nameFromKey(key: WireguardPublicKey): NodeName {
  return `peer-${key
    .slice(0, 6)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '0')}` as NodeName
}

function freeName(wanted: NodeName, taken: Set<string>): string {
  let name: string = wanted
  for (let number = 2; taken.has(name); number += 1) name = `${wanted.slice(0, 55)}-${number}`
  taken.add(name)
  return name
}
