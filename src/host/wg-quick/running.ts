import { bridgeRefusal, wayOutRefusal } from '../../mesh/bridge.ts'
import { type InterfaceAddress, type InterfaceName, parseInterfaceAddress } from '../../model/address.ts'
import type { BridgeConfiguration } from '../../model/configuration.ts'
import { sentenceOf } from '../../model/explanation.ts'
import type { WireguardPeer } from '../../model/kernel-state.ts'
import type { RunningBridge, RunningNetwork, RunningSegment } from '../../model/running-network.ts'
import { scopeOf } from '../../model/scope.ts'
import type { WgQuickFile, WgQuickPeer } from './parse.ts'
import { groupNote, makesDevices, type Recipe, type RecipeSegment, ttlNote } from './recipe.ts'

/** A network, as a file says it or as it runs. */
export interface Understood {
  readonly file: WgQuickFile
  readonly recipe: Recipe
  /** What lnetd would take away from what runs, beyond what the configuration shows. */
  readonly lost: readonly string[]
}

/**
 * What runs instead of what the file's hooks seem to do: whatever tools made it, in whatever words. The file adds names,
 * endpoints that are names, and what its hooks put on a bridge.
 */
export function asItRuns(
  file: WgQuickFile,
  recipe: Recipe,
  running: RunningNetwork,
  waysOut: readonly string[],
): Understood {
  const peers = running.peers.map(peer => runningPeer(peer, file.peers))
  const read = running.segments.map(segment => runningSegment(segment, file.commands, waysOut))
  const absent = file.peers.filter(
    ({ publicKey }) => !running.peers.some(peer => peer.publicKey === publicKey),
  )
  return {
    file: {
      ...file,
      privateKey: running.privateKey ?? file.privateKey,
      listenPort: running.listenPort ?? file.listenPort,
      addresses: running.addresses,
      mtu: running.mtu,
      peers: peers.map(({ peer }) => peer),
    },
    recipe: {
      segments: read.map(({ segment }) => segment),
      notes: [
        ...recipe.notes,
        ...peers.flatMap(({ note }) => note ?? []),
        ...absent.map(({ name, publicKey }) => `${name ?? publicKey}: it is in the file and does not run`),
      ],
      segmentNotes: read.flatMap(({ notes }) => notes),
      unknown: recipe.unknown.filter(command => !makesDevices(command)),
    },
    lost: [...running.foreign, ...read.flatMap(({ lost }) => lost)],
  }
}

/** Words of the hooks: names of devices and addresses are among them. */
export function mentionedIn(commands: readonly string[]): ReadonlySet<string> {
  return new Set(commands.flatMap(wordsOf))
}

function wordsOf(command: string): readonly string[] {
  return command.split(/[\s'"]+/).filter(word => word !== '')
}

function runningPeer(
  peer: WireguardPeer,
  written: readonly WgQuickPeer[],
): { readonly peer: WgQuickPeer; readonly note: string | null } {
  const known = written.find(({ publicKey }) => publicKey === peer.publicKey)
  const endpoint = known?.endpoint ?? peer.endpoint
  const unusable = known?.unusableEndpoint ?? null
  return {
    peer: {
      name: known?.name ?? null,
      publicKey: peer.publicKey,
      endpoint: endpoint as WgQuickPeer['endpoint'],
      unusableEndpoint: unusable,
      allowedIps: peer.allowedIps.map(prefix => prefix as string as InterfaceAddress),
      hasPresharedKey: peer.presharedKey !== null,
    },
    note:
      unusable !== null && endpoint !== null
        ? `${known?.name ?? peer.publicKey}: its endpoint as it is now, ${endpoint}, because ${unusable} is no name that lnet can announce`
        : null,
  }
}

interface ReadSegment {
  readonly segment: RecipeSegment
  readonly notes: readonly string[]
  readonly lost: readonly string[]
}

function runningSegment(
  running: RunningSegment,
  commands: readonly string[],
  waysOut: readonly string[],
): ReadSegment {
  const { interface: name, vni, port, ageingSeconds, mtu, flood, unicast, ttl, bridge } = running
  const isGroup = (address: (typeof flood)[number]) => scopeOf(address) === 'unusable'
  const used = bridge === null ? null : bridgeFor(name, bridge, commands, waysOut)
  return {
    segment: {
      interface: name,
      vni,
      port,
      ageingSeconds,
      mtu,
      unicast,
      addresses: [...running.addresses, ...(bridge === null ? [] : hookedAddresses(bridge, commands))],
      flood: flood.filter(destination => !isGroup(destination)),
      bridge: used?.configuration ?? null,
    },
    notes: [
      ...(ttl === null || ttl === 64 ? [] : [ttlNote(name, ttl)]),
      ...(flood.some(isGroup) ? [groupNote(name)] : []),
      ...(used?.configuration?.allowLoopRisk === true
        ? [
            `${name}: it stays in ${bridge?.name}, which has a physical port and no STP (allow_loop_risk: true)`,
          ]
        : []),
    ],
    lost: [
      ...(running.isBound
        ? []
        : [
            `VXLAN ${name}: it is bound to no interface (no dev), so that lnetd cannot take it over: delete it before lnetd starts, which makes its own`,
          ]),
      ...(used === null || used.refusal === null ? [] : [used.refusal]),
    ],
  }
}

/** Addresses of the bridge that the hooks give it. Others are the operator's: lnetd leaves them alone. */
function hookedAddresses(
  { addresses }: RunningBridge,
  commands: readonly string[],
): readonly InterfaceAddress[] {
  const words = new Set(commands.flatMap(wordsOf).flatMap(word => parseInterfaceAddress(word) ?? []))
  return addresses.filter(address => words.has(address))
}

/** The bridge the segment stays in, or why lnetd would take it out. */
function bridgeFor(
  segment: InterfaceName,
  { name, facts }: RunningBridge,
  commands: readonly string[],
  waysOut: readonly string[],
): { readonly configuration: BridgeConfiguration | null; readonly refusal: string | null } {
  if (facts === null)
    return { configuration: null, refusal: `${segment}: it is a port of ${name}, which lnet cannot use` }
  const configuration: BridgeConfiguration = {
    name: facts.interface,
    create: commands.map(wordsOf).some(words => makesBridge(words, name)),
    allowLoopRisk: facts.physicalPorts.length > 0 && !facts.stp,
  }
  const why = bridgeRefusal(configuration, [facts]) ?? wayOutRefusal(configuration, [facts], waysOut)
  return {
    configuration,
    refusal: why === null ? null : `${segment}: its place in ${name}: ${sentenceOf(why)}`,
  }
}

function makesBridge(words: readonly string[], name: string): boolean {
  if (!words.includes(name)) return false
  return words.includes('addbr') || (words.includes('add') && words.includes('bridge'))
}
