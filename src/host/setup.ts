import { randomBytes } from 'node:crypto'
import { dirname, join as joinPath, resolve as resolvePath } from 'node:path'
import { offeredAddresses } from '../mesh/offered-addresses.ts'
import { decodeToken, encodeToken, type TokenSegment } from '../mesh/token.ts'
import { endpoint, hostOf, type Port, parseHostPort } from '../model/address.ts'
import { parseBootstrapPlace } from '../model/bootstrap.ts'
import type { BootstrapPlace, Configuration } from '../model/configuration.ts'
import type { Facts } from '../model/facts.ts'
import { noFacts } from '../model/facts.ts'
import { failed, ok, type Result } from '../model/failure.ts'
import { tokenBootstrapPlacesMax } from '../model/limits.ts'
import { type MeshId, type NodeName, nodeNameFromHostname, parseNodeName } from '../model/node.ts'
import { defaultPrefix, defaultSegment } from './config/sections.ts'
import { loadConfiguration, refusedConfiguration } from './config.ts'
import { readFacts } from './facts.ts'
import { deriveMeshId, deriveMeshKeys, readMeshSecret } from './secret.ts'
import { type SetupFiles, writeSetup } from './setup-files.ts'
import { firstConfiguration, joiningConfiguration } from './setup-text.ts'
import { freeNetwork, overlapOf, readUsedNetworks, type UsedNetwork } from './used-networks.ts'

export interface SetupPaths {
  /** Default: /etc/lnetd/lnetd.yaml */
  readonly configPath?: string | undefined
  /** Default: mesh.secret beside the configuration. */
  readonly secretPath?: string | undefined
}

export interface InitialiseOptions extends SetupPaths {
  /** Default: the hostname, whenever lnetd starts. */
  readonly name?: string | undefined
  /** Puts aside what is there already, instead of refusing. */
  readonly force?: boolean | undefined
  /** What this machine uses already. Default: it is looked at. */
  readonly used?: readonly UsedNetwork[] | undefined
}

export interface JoinOptions extends InitialiseOptions {
  readonly token: string
}

export interface TokenOptions {
  readonly configPath?: string | undefined
  /** Places to put first: `host`, `host:port` or a multiaddr. */
  readonly bootstrap?: readonly string[] | undefined
}

/** What was done, and what the operator does next, in sentences. */
export interface SetupDone {
  readonly mesh: MeshId
  readonly written: readonly string[]
  /** Where what was there before is now. */
  readonly backups: readonly string[]
  readonly next: readonly string[]
}

export const defaultConfigPath = '/etc/lnetd/lnetd.yaml'

/** Makes the configuration and the secret of a new mesh. Overwrites nothing; leaves nothing half-made. */
export async function initialise(options: InitialiseOptions): Promise<Result<SetupDone>> {
  const secret = randomBytes(32)
  const name = readName(options.name)
  if (!name.ok) return name
  const paths = pathsOf(options)
  const mesh = deriveMeshId(secret)
  const prefix = freeNetwork(defaultPrefix, usedBy(options)) ?? defaultPrefix
  const written = await writeSetup(
    paths,
    firstConfiguration(name.value, mesh, paths.secretPath, prefix),
    secret,
  )
  return written.ok
    ? ok({
        mesh,
        ...written.value,
        next: [
          startHint(paths.configPath),
          'Print a token with `lnetctl token`, run `sudo lnetctl join --start` on each other machine, and paste it there',
        ],
      })
    : written
}

/** Makes the configuration and the secret of a node that joins. Overwrites nothing; leaves nothing half-made. */
export async function join(options: JoinOptions): Promise<Result<SetupDone>> {
  const token = decodeToken(options.token)
  if (!token.ok) return token
  const name = readName(options.name)
  if (!name.ok) return name
  const paths = pathsOf(options)
  const text = joiningConfiguration(name.value, token.value, paths.secretPath)
  const written = await writeSetup(paths, text, token.value.secret)
  return written.ok
    ? ok({
        mesh: token.value.mesh,
        ...written.value,
        next: [startHint(paths.configPath), ...joinHints(token.value.segments, usedBy(options))],
      })
    : written
}

function usedBy({ used }: InitialiseOptions): readonly UsedNetwork[] {
  return used ?? readUsedNetworks(new Set(['lnet0', defaultSegment.interface]))
}

/** A mesh's network cannot be chosen by who joins, but who joins should know. */
function joinHints(segments: readonly TokenSegment[], used: readonly UsedNetwork[]): readonly string[] {
  const overlaps = segments.flatMap(({ interface: device, prefixes }) =>
    prefixes.flatMap(prefix => {
      const found = overlapOf(prefix, used)
      if (found === null) return []
      return `Change ${prefix} of ${device} on every node, or ${found.network} of ${found.device} here: while they overlap, this machine has no address in ${prefix}`
    }),
  )
  return ['See the others with `lnetctl peers`', ...overlaps]
}

/** The token of the mesh this machine is configured for, with the places it can be reached at. */
export async function makeToken({
  configPath = defaultConfigPath,
  bootstrap = [],
}: TokenOptions): Promise<Result<string>> {
  const loaded = await loadConfiguration(configPath)
  if (!loaded.ok) return refusedConfiguration(configPath, loaded.problems)
  const { configuration } = loaded
  const secret = await readMeshSecret(configuration, loaded.inlineSecret)
  if (!secret.ok) return secret
  const extra = bootstrap.map(text => parseBootstrapPlace(text, configuration.gossip.port))
  const wrong = bootstrap.find((_, index) => extra[index] === null)
  if (wrong !== undefined)
    return failed(`${JSON.stringify(wrong)} is no place to ask`, {
      remedy: 'write host, host:port or a multiaddr',
    })
  return encodeToken({
    mesh: deriveMeshKeys(secret.value, configuration.mesh.id).meshId,
    secret: secret.value,
    bootstrap: placesOf(
      configuration,
      readFacts({ ours: ownInterfaces(configuration) }) ?? noFacts,
      extra as BootstrapPlace[],
    ),
    tunnelPrefix: configuration.tunnel.prefix,
    segments: configuration.segments,
  })
}

/** Where this machine's gossip can be reached, best first: as asked for, as configured, public, on the LAN; then other members. */
export function placesOf(
  configuration: Configuration,
  facts: Facts,
  extra: readonly BootstrapPlace[],
): readonly BootstrapPlace[] {
  const { port } = configuration.gossip
  const configured = configuration.tunnel.endpoints.flatMap(place => hostPlace(hostOf(place), port))
  const found = offeredAddresses(facts).flatMap(({ address }) => hostPlace(endpoint(address, port), port))
  const all = [...extra, ...configured, ...found, ...configuration.bootstrap]
  const distinct = new Map(all.map(place => [JSON.stringify(place), place]))
  return [...distinct.values()].slice(0, tokenBootstrapPlacesMax)
}

function ownInterfaces({ tunnel, segments }: Configuration) {
  return new Set([tunnel.interface, ...segments.map(segment => segment.interface)])
}

function hostPlace(host: string, port: Port): readonly BootstrapPlace[] {
  const place = parseHostPort(host, port)
  return place === null ? [] : [{ kind: 'host', place }]
}

/** Where to write, defaults filled in. */
export function pathsOf({
  configPath = defaultConfigPath,
  secretPath,
  force,
}: InitialiseOptions): SetupFiles {
  const config = resolvePath(configPath)
  return {
    configPath: config,
    secretPath: resolvePath(secretPath ?? joinPath(dirname(config), 'mesh.secret')),
    replace: force === true,
  }
}

/** Null where none is given. */
export function readName(name: string | undefined): Result<NodeName | null> {
  if (name === undefined) return ok(null)
  const parsed = parseNodeName(name)
  return parsed === null
    ? failed(`${JSON.stringify(name)} is no name for a node`, {
        remedy: `write letters, digits and hyphens, such as ${nodeNameFromHostname(name)}`,
      })
    : ok(parsed)
}

/** What to do once everything is written. */
export function startHint(configPath: string): string {
  return configPath === defaultConfigPath
    ? 'Start lnetd with `lnetd`, or where it is a service with `systemctl enable --now lnetd`'
    : `Start lnetd with \`lnetd --config ${configPath}\``
}
