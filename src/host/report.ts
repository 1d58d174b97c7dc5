import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { hostOf, parseIpAddress } from '../model/address.ts'
import { type BootstrapPlace, type Configuration, defaultStateDir } from '../model/configuration.ts'
import { sentenceOf } from '../model/explanation.ts'
import { configBytesMax, historyFileBytesMax, keyFileBytesMax } from '../model/limits.ts'
import { nodeNameFromHostname } from '../model/node.ts'
import { type ReportFile, type ReportMaterial, reportFile } from '../model/report.ts'
import { parseWireguardPublicKey } from '../model/wireguard-key.ts'
import { describeConfigurationProblem, loadConfiguration } from './config.ts'
import { logEvents } from './events.ts'
import { readWhole } from './files.ts'
import { historyFiles } from './history-files.ts'
import { identityKeyFile, wireguardKeyFile } from './keyring.ts'

/** What this machine's files tell, and which words of them no report may tell. Without a configuration, what is usual. */
export async function reportHost(configPath: string): Promise<ReportMaterial> {
  const loaded = await loadConfiguration(configPath)
  const configuration = loaded.ok ? loaded.configuration : null
  const problems = loaded.ok
    ? loaded.warnings
    : loaded.problems.map(problem => describeConfigurationProblem(configPath, problem))
  const stateDir = configuration?.stateDir ?? defaultStateDir
  const secrets = await Promise.all(
    secretFiles(configuration, stateDir, configPath).map(path => readText(path, keyFileBytesMax)),
  )
  const inline = loaded.ok && loaded.inlineSecret !== null ? [loaded.inlineSecret] : []
  const events = historyFiles(stateDir).map(path => readText(path, historyFileBytesMax))
  return {
    node: configuration?.name ?? nodeNameFromHostname(hostname()),
    files: [await configurationFile(configPath, problems)],
    savedEvents: (await Promise.all(events))
      .map(({ text }) => text)
      .join('\n')
      .trim(),
    sensitive: {
      secrets: [...secrets.map(({ text }) => text), ...inline].flatMap(spellings),
      publicKeys: configuration?.staticMembers.map(({ publicKey }) => publicKey) ?? [],
      hosts: configuration === null ? [] : hostsOf(configuration),
    },
    ownWords: [...Object.keys(logEvents), ...configurationKeys],
  }
}

/** Keys that sentences name, with their sections before them. */
const configurationKeys = [
  ...['mesh.secret', 'mesh.id', 'discovery.mdns', 'gossip.port', 'gossip.heartbeat', 'log.level'],
  ...['interface', 'port', 'endpoints', 'prefix', 'address', 'keepalive', 'implementation'].map(
    key => `tunnel.${key}`,
  ),
]

async function configurationFile(path: string, problems: readonly string[]): Promise<ReportFile> {
  const about = 'the configuration, without its secret'
  const { text, missing } = await readText(path, configBytesMax)
  const told = problems.map(problem => `# ${problem.replaceAll(/\s*\n\s*/g, ' ')}\n`).join('')
  return reportFile({ name: 'lnetd.yaml', about, text: `${told}${text}`, missing })
}

async function readText(
  path: string,
  bytesMax: number,
): Promise<{ readonly text: string; readonly missing: readonly string[] }> {
  const read = await readWhole(path, bytesMax)
  if (!read.ok) return { text: '', missing: [sentenceOf(read.failure)] }
  if (read.value === null) return { text: '', missing: [`there is no file ${path}`] }
  return { text: Buffer.from(read.value.bytes).toString('utf8'), missing: [] }
}

function secretFiles(
  configuration: Configuration | null,
  stateDir: string,
  configPath: string,
): readonly string[] {
  const secret = configuration?.mesh.secret
  return [
    secret?.kind === 'file' ? secret.path : join(dirname(configPath), 'mesh.secret'),
    identityKeyFile(stateDir),
    wireguardKeyFile(stateDir),
  ]
}

/** As it is written, and where it is 32 bytes, in all the ways those are written. */
function spellings(text: string): readonly string[] {
  const written = text.trim()
  if (written.length < secretCharactersMin) return []
  if (parseWireguardPublicKey(written) === null) return [written]
  const bytes = Buffer.from(written, 'base64')
  const hex = bytes.toString('hex')
  const base64 = [written, written.replace(/=$/, ''), bytes.toString('base64url')]
  return [...base64, hex, hex.toUpperCase()]
}

/** What is shorter is a damaged file, and would take ordinary words out. */
const secretCharactersMin = 8

function hostsOf({ bootstrap, tunnel, staticMembers }: Configuration): readonly string[] {
  const places = [...tunnel.endpoints, ...staticMembers.flatMap(({ endpoint }) => endpoint ?? [])]
  const hosts = [...bootstrap.map(bootstrapHost), ...places.map(hostOf)]
  return hosts.filter(host => parseIpAddress(host) === null)
}

/** `/dns4/vps.example.org/tcp/51821` has its host in the third place. */
function bootstrapHost(place: BootstrapPlace): string {
  return place.kind === 'host' ? hostOf(place.place) : (place.multiaddr.split('/')[2] ?? '')
}
