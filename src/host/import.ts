import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename } from 'node:path'
import { decodeToken } from '../mesh/token.ts'
import { type InterfaceAddress, type InterfaceName, parseInterfaceName, prefixOf } from '../model/address.ts'
import { formatBootstrapPlace } from '../model/bootstrap.ts'
import { type Explanation, explained, sentenceOf } from '../model/explanation.ts'
import { failed, ok, type Result } from '../model/failure.ts'
import { configBytesMax } from '../model/limits.ts'
import type { ObserveRunning } from '../model/running-network.ts'
import { parseWireguardSecretKey, type WireguardSecretKey } from '../model/wireguard-key.ts'
import { checkConfiguration } from './config.ts'
import { createWhole, makeDirectory, readWhole, removeQuietly } from './files.ts'
import { wireguardKeyFile } from './keyring.ts'
import { publicKeyBytes } from './public-key.ts'
import { deriveMeshId } from './secret.ts'
import { type InitialiseOptions, pathsOf, readName, type SetupDone, startHint } from './setup.ts'
import { type FilesWritten, type SetupFiles, writeSetup } from './setup-files.ts'
import { importedConfiguration, vtepOf } from './wg-quick/configuration.ts'
import { parseWgQuick, type WgQuickFile } from './wg-quick/parse.ts'
import type { Recipe } from './wg-quick/recipe.ts'
import { ownPathTunnelMtu, understand } from './wg-quick/understand.ts'

export interface ImportOptions extends InitialiseOptions {
  /** The wg-quick file; its name is that of the interface. */
  readonly file: string
  readonly stateDir: string
  /** Of the mesh to join; null: a new one. */
  readonly token: string | null
  /** Only tell. */
  readonly dryRun: boolean
}

export interface ImportDone extends SetupDone {
  /** What is understood, and kept otherwise than it was. */
  readonly notes: readonly string[]
  /** What could not be kept. */
  readonly lost: readonly string[]
  /** The configuration, where nothing was written. */
  readonly text: string | null
  /** Why nothing was written though it was asked for: something could not be kept. */
  readonly refusal: Explanation | null
}

/**
 * Turns a hand-written wg-quick file into a configuration, with its private key. Where the interface runs, what runs counts,
 * and not what the file's hooks seem to do. Overwrites nothing, and takes nothing away from what runs, unless told to.
 */
export async function importWgQuick(
  options: ImportOptions,
  observe: ObserveRunning,
  pathTunnelMtu = ownPathTunnelMtu,
): Promise<Result<ImportDone>> {
  const read = await readFileOf(options.file)
  if (!read.ok) return read
  const { device } = read.value
  const understood = await understand(read.value.file, device, observe)
  if (!understood.ok) return understood
  const { file, recipe } = understood.value
  if (file.privateKey === null)
    return failed('the file has no valid PrivateKey in [Interface]', {
      why: `and ${device} does not run`,
      remedy: `is it a wg-quick file? Bring ${device} up where a hook sets the key`,
    })
  const vtep = vtepOf(file)
  if (vtep === null)
    return failed(`${options.file} has no Address with its network`, {
      remedy: 'write the length of the network, such as 192.168.228.166/24',
    })
  const origin = meshOf(options.token, vtep)
  const name = readName(options.name)
  if (!origin.ok || !name.ok) return origin.ok ? (name as Result<never>) : origin
  const paths = pathsOf(options)
  const made = importedConfiguration(file, recipe, device, vtep, {
    ...origin.value,
    name: name.value,
    secretPath: paths.secretPath,
    stateDir: options.stateDir,
    pathTunnelMtu: pathTunnelMtu(device, recipe),
  })
  const checked = await checkConfiguration(made.text, hostname())
  if (!checked.ok)
    return failed('the file does not fit lnetd', {
      why: checked.problems.map(problem => `${problem.key} ${sentenceOf(problem)}`).join('; '),
    })
  const lost = [...understood.value.lost, ...made.lost]
  const told = {
    mesh: origin.value.mesh,
    notes: [...understood.value.notes, ...recipe.segmentNotes, ...recipe.notes],
    lost: [...lost, ...file.unknown, ...recipe.unknown.filter(command => !lost.includes(command))],
  }
  if (options.dryRun)
    return ok({ ...told, written: [], backups: [], next: [], text: made.text, refusal: null })
  if (lost.length > 0 && options.force !== true)
    return ok({ ...told, written: [], backups: [], next: [], text: null, refusal: refusal(device) })
  const written = await write(options, file.privateKey, paths, made.text, origin.value.secret)
  return written.ok
    ? ok({
        ...told,
        ...written.value,
        next: nextSteps(device, paths.configPath, recipe),
        text: null,
        refusal: null,
      })
    : written
}

async function readFileOf(
  path: string,
): Promise<Result<{ readonly device: InterfaceName; readonly file: WgQuickFile }>> {
  const device = parseInterfaceName(basename(path).replace(/\.conf$/, ''))
  if (device === null)
    return failed(`${path} is not named after an interface`, { remedy: 'name it like wg0.conf' })
  const read = await readWhole(path, configBytesMax)
  if (!read.ok) return read
  if (read.value === null) return failed(`there is no file ${path}`, { remedy: 'correct the path' })
  const parsed = parseWgQuick(Buffer.from(read.value.bytes).toString('utf8'), device)
  return parsed.ok ? ok({ device, file: parsed.value }) : parsed
}

function refusal(device: string): Explanation {
  return explained('nothing was written', {
    why: `lnetd would take from ${device} what is not kept`,
    remedy: 'put it right, or import without it with --force',
  })
}

/** The key first; nothing of it stays when the rest cannot be written. */
async function write(
  { stateDir }: ImportOptions,
  privateKey: WireguardSecretKey,
  paths: SetupFiles,
  text: string,
  secret: Uint8Array,
): Promise<Result<FilesWritten>> {
  const key = await keepKey(stateDir, privateKey)
  if (!key.ok) return key
  const written = await writeSetup(paths, text, secret)
  if (written.ok) return ok({ ...written.value, written: [...key.value, ...written.value.written] })
  for (const path of key.value) await removeQuietly(path)
  return written
}

function meshOf(token: string | null, vtep: InterfaceAddress) {
  if (token === null) {
    const secret: Uint8Array = randomBytes(32)
    return ok({ secret, mesh: deriveMeshId(secret), bootstrap: [] as readonly string[] })
  }
  const joined = decodeToken(token)
  if (!joined.ok) return joined
  const { mesh, secret, bootstrap, tunnelPrefix } = joined.value
  if (tunnelPrefix !== prefixOf(vtep))
    return failed(
      `the mesh of the token has the tunnel network ${tunnelPrefix ?? 'auto'}, this file ${prefixOf(vtep)}`,
      { remedy: 'both have to be the same: import with a token of that network, or without one' },
    )
  return ok({ secret, mesh, bootstrap: bootstrap.map(formatBootstrapPlace) })
}

/** The file's key becomes this node's. Answers the files that were made. */
async function keepKey(stateDir: string, key: WireguardSecretKey): Promise<Result<readonly string[]>> {
  const directory = await makeDirectory(stateDir, 0o700)
  if (!directory.ok) return directory
  const path = wireguardKeyFile(stateDir)
  if (existsSync(path)) {
    const known = await readWhole(path, configBytesMax)
    if (known.ok && known.value !== null && isSameKey(Buffer.from(known.value.bytes), key)) return ok([])
    return failed(`${path} holds another key`, {
      why: 'this machine is a node already',
      remedy: 'remove it to become the machine of the file',
    })
  }
  const created = await createWhole(path, Buffer.from(`${key}\n`), 0o600)
  return created.ok ? ok([path]) : created
}

/** Of one public key: the kernel shows a private key with those bits fixed that X25519 ignores. */
function isSameKey(known: Buffer, key: WireguardSecretKey): boolean {
  const text = parseWireguardSecretKey(known.toString('latin1').trim())
  if (text === null) return false
  const [a, b] = [text, key].map(each => publicKeyBytes('x25519', Buffer.from(each, 'base64')))
  return a !== undefined && b !== undefined && Buffer.from(a).equals(b)
}

function nextSteps(device: string, configPath: string, { segments }: Recipe): readonly string[] {
  const devices = [device, ...segments.map(segment => segment.interface)].join(' and ')
  return [
    `Leave ${devices} running: lnetd takes over what runs, and makes what does not`,
    startHint(configPath),
    `Then let nothing start the file again: systemctl disable wg-quick@${device}, without --now`,
  ]
}
