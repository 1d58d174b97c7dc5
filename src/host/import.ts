import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename } from 'node:path'
import { decodeToken } from '../mesh/token.ts'
import { type InterfaceAddress, parseInterfaceName, prefixOf } from '../model/address.ts'
import { formatBootstrapPlace } from '../model/bootstrap.ts'
import { sentenceOf } from '../model/explanation.ts'
import { failed, ok, type Result } from '../model/failure.ts'
import { configBytesMax } from '../model/limits.ts'
import type { WireguardSecretKey } from '../model/wireguard-key.ts'
import { checkConfiguration } from './config.ts'
import { createWhole, makeDirectory, readWhole, removeQuietly } from './files.ts'
import { wireguardKeyFile } from './keyring.ts'
import { deriveMeshId } from './secret.ts'
import { type InitialiseOptions, pathsOf, readName, type SetupDone, startHint } from './setup.ts'
import { writeSetup } from './setup-files.ts'
import { importedConfiguration, vtepOf } from './wg-quick/configuration.ts'
import { parseWgQuick } from './wg-quick/parse.ts'
import { type Recipe, readRecipe } from './wg-quick/recipe.ts'

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
}

/** Turns a hand-written wg-quick file into a configuration, with its private key. Overwrites nothing unless told to. */
export async function importWgQuick(options: ImportOptions): Promise<Result<ImportDone>> {
  const device = parseInterfaceName(basename(options.file).replace(/\.conf$/, ''))
  if (device === null)
    return failed(`${options.file} is not named after an interface`, { remedy: 'name it like wg0.conf' })
  const read = await readWhole(options.file, configBytesMax)
  if (!read.ok) return read
  if (read.value === null) return failed(`there is no file ${options.file}`, { remedy: 'correct the path' })
  const file = parseWgQuick(Buffer.from(read.value.bytes).toString('utf8'), device)
  if (!file.ok) return file
  const recipe = readRecipe(file.value.commands)
  const vtep = vtepOf(file.value)
  if (vtep === null)
    return failed(`${options.file} has no Address with its network`, {
      remedy: 'write the length of the network, such as 192.168.228.166/24',
    })
  const origin = meshOf(options.token, vtep)
  const name = readName(options.name)
  if (!origin.ok || !name.ok) return origin.ok ? (name as Result<never>) : origin
  const paths = pathsOf(options)
  const { text, lost } = importedConfiguration(file.value, recipe, device, vtep, {
    ...origin.value,
    name: name.value,
    secretPath: paths.secretPath,
    stateDir: options.stateDir,
  })
  const checked = await checkConfiguration(text, hostname())
  if (!checked.ok)
    return failed('the file does not fit lnetd', {
      why: checked.problems.map(problem => `${problem.key} ${sentenceOf(problem)}`).join('; '),
    })
  const told = {
    mesh: origin.value.mesh,
    notes: recipe.notes,
    lost: [...lost, ...file.value.unknown, ...recipe.unknown],
  }
  if (options.dryRun) return ok({ ...told, written: [], backups: [], next: [], text })
  const key = await keepKey(options.stateDir, file.value.privateKey)
  if (!key.ok) return key
  const written = await writeSetup(paths, text, origin.value.secret)
  if (!written.ok) {
    for (const path of key.value) await removeQuietly(path)
    return written
  }
  const next = nextSteps(device, paths.configPath, recipe)
  return ok({
    ...told,
    ...written.value,
    written: [...key.value, ...written.value.written],
    next,
    text: null,
  })
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
    if (known.ok && known.value !== null && Buffer.from(known.value.bytes).toString('latin1').trim() === key)
      return ok([])
    return failed(`${path} holds another key`, {
      why: 'this machine is a node already',
      remedy: 'remove it to become the machine of the file',
    })
  }
  const created = await createWhole(path, Buffer.from(`${key}\n`), 0o600)
  return created.ok ? ok([path]) : created
}

function nextSteps(device: string, configPath: string, { segments }: Recipe): readonly string[] {
  const devices = [device, ...segments.map(segment => segment.interface)].join(' and ')
  return [
    `Leave ${devices} running: lnetd takes over what runs, and makes what does not`,
    startHint(configPath),
    `Then let nothing start the file again: systemctl disable wg-quick@${device}, without --now`,
  ]
}
