import { sentenceOf } from '../model/explanation.ts'
import { reportLogLines } from '../model/limits.ts'
import { type ReportFile, reportFile } from '../model/report.ts'
import { type Command, execute, textOf } from './run.ts'
import { unit } from './service.ts'

export interface KernelReport {
  readonly files: readonly ReportFile[]
  /** WireGuard's own and those of its peers, of lnet or not. */
  readonly publicKeys: readonly string[]
}

/** What the tools tell of this machine, a file of a bug report each. Nothing is changed; nothing is taken out yet. */
export async function reportKernel(): Promise<KernelReport> {
  const files: ReportFile[] = []
  for (const { name, about, commands, optional = [], keep } of sections) {
    const told: Told[] = []
    for (const command of [...commands, ...optional]) told.push(await tell(parse(command)))
    const text = told.map(each => each.text).join('\n')
    const missing = told.slice(0, commands.length).flatMap(each => each.missing)
    files.push(reportFile({ name, about, text, missing }, keep))
  }
  return { files, publicKeys: files.flatMap(({ text }) => publicKeysIn(text)) }
}

/** In the words of `wg show`. */
export function publicKeysIn(text: string): readonly string[] {
  const lines = text.matchAll(/^(?:peer| {2}public key): ([A-Za-z0-9+/]{43}=)$/gm)
  return [...lines].map(([, key = '']) => key)
}

interface Section {
  readonly name: string
  readonly about: string
  /** Words without a space in them. */
  readonly commands: readonly string[]
  /** What not every machine has, or needs. */
  readonly optional?: readonly string[]
  readonly keep?: 'end'
}

const journal = `journalctl --unit ${unit} --no-pager --no-hostname --output short-iso --lines ${reportLogLines}`

const properties =
  'Id,LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus,ExecMainStartTimestamp,MemoryCurrent'

/** `wg show` hides keys by itself, unlike its dump. */
const sections: readonly Section[] = [
  {
    name: 'tools.txt',
    about: 'versions of the kernel and of the tools lnetd uses',
    commands: ['uname -srvm', 'ip -V', 'wg --version', 'nft --version'],
    optional: ['wireguard-go --version'],
  },
  { name: 'links.txt', about: 'network devices', commands: ['ip -d link show'] },
  { name: 'addresses.txt', about: 'addresses of this machine', commands: ['ip address show'] },
  {
    name: 'routes.txt',
    about: 'routing rules and routes',
    commands: [
      ...['ip -4 rule show', 'ip -6 rule show'],
      ...['ip -4 route show table all', 'ip -6 route show table all'],
    ],
  },
  {
    name: 'bridges.txt',
    about: 'forwarding entries and bridge ports',
    commands: ['bridge fdb show', 'bridge -d link show'],
  },
  { name: 'wireguard.txt', about: 'tunnels of WireGuard and their handshakes', commands: ['wg show all'] },
  { name: 'nftables.txt', about: 'the firewall', commands: ['nft list ruleset'] },
  {
    name: 'service.txt',
    about: 'the state of the service',
    commands: [`systemctl show --no-pager --property ${properties} ${unit} lnetd-wireguard.service`],
  },
  {
    name: 'log.txt',
    about: `the last ${reportLogLines} lines of lnetd's log`,
    commands: [journal],
    keep: 'end',
  },
]

interface Told {
  readonly text: string
  readonly missing: readonly string[]
}

function parse(line: string): Command {
  const [tool = '', ...rest] = line.split(' ')
  return { tool, arguments: rest }
}

/** As on a terminal. A tool that fails is told of, and what it said before stays. */
async function tell(command: Command): Promise<Told> {
  const { stdout, failure } = await execute(command)
  const said = `$ ${textOf(command)}\n${stdout}${stdout === '' ? '' : '\n'}`
  if (failure === null) return { text: said, missing: [] }
  return { text: `${said}(${sentenceOf(failure)})\n`, missing: [sentenceOf(failure)] }
}
