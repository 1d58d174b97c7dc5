import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { ask, type Reply } from '../../src/control/client.ts'
import type { Reading, Views } from '../../src/control/protocol.ts'
import { nodeAsPackaged } from './as-packaged.ts'
import { childrenOf, type Namespace, type Outcome, type RunOptions } from './namespace.ts'
import { node24, root } from './root.ts'

/** Anything YAML can say: tests write wrong configurations too. */
export type ConfigurationText = { [key: string]: unknown }

export interface LabNode {
  readonly name: string
  /** 1 for the first. */
  readonly index: number
  readonly namespace: Namespace
  readonly directory: string
  readonly underlay: { readonly ipv4: string; readonly ipv6: string }
  /** What the next start is told; written again before each start. */
  configuration: ConfigurationText
  /** Starts lnetd, and returns at once. */
  start(): void
  /** Until the control socket answers, or the daemon ends or the time is over, which is an error with its log. */
  listening(): Promise<void>
  /** Signals lnetd and waits for its end: its exit code, or the signal's name. */
  stop(signal?: NodeJS.Signals): Promise<number | string>
  /** lnetd's own process, seen from outside; null when it does not run. */
  pid(): number | null
  /** Writes the configuration as it is now: its file. */
  write(): string
  /** Runs lnetd inside to its end, with the configuration as it is now: for starts that must fail. */
  lnetd(options?: LnetdOptions): Promise<Outcome>
  lnetctl(args: readonly string[], options?: RunOptions): Promise<Outcome>
  /** Asks the daemon without a process in between. */
  ask<R extends Reading>(reading: R): Promise<Reply<Views[R]>>
  /** What lnetd logged over all its starts, one event a line. */
  logs(): LogLine[]
  memory(): Memory
}

export interface LnetdOptions extends RunOptions {
  /** argv put before lnetd's own: `setpriv --bounding-set -net_admin`. */
  readonly through?: readonly string[]
  /** Instead of `--config` and the node's configuration. */
  readonly args?: readonly string[]
}

export type LogLine = { readonly [key: string]: unknown }

/** MiB: resident, and resident with shared pages divided among those who share them. */
export interface Memory {
  readonly rss: number
  readonly pss: number
}

const lnetdFile = join(root, 'dist/lnetd.js')
const lnetctlFile = join(root, 'dist/lnetctl.js')
const listeningSecondsMax = 30

export function createNode(
  namespace: Namespace,
  index: number,
  directory: string,
  underlay: LabNode['underlay'],
  configuration: ConfigurationText,
): LabNode {
  mkdirSync(directory, { recursive: true })
  let daemon: ChildProcess | null = null
  const node: LabNode = {
    name: namespace.name,
    index,
    namespace,
    directory,
    underlay,
    configuration,
    start: () => {
      if (node.pid() !== null) throw new Error(`lnetd on ${node.name} runs already`)
      daemon = spawnDaemon(node)
    },
    listening: () => listening(node, () => daemon !== null && node.pid() === null),
    stop: signal => stop(node, daemon, signal ?? 'SIGTERM'),
    pid: () => pidOf(daemon),
    write: () => writeConfiguration(node),
    lnetd: (options = {}) => {
      const args = options.args ?? ['--config', node.write()]
      return namespace.run([...(options.through ?? []), node24, lnetdFile, ...args], options)
    },
    lnetctl: (args, options) => namespace.run([...nodeAsPackaged('lnetctl'), lnetctlFile, ...args], options),
    ask: reading => ask(`/proc/${namespace.pid}/root/run/lnetd/lnetd.sock`, reading),
    logs: () => readLog(node),
    memory: () => memoryOf(node),
  }
  return node
}

function writeConfiguration(node: LabNode): string {
  const file = join(node.directory, 'lnetd.yaml')
  writeFileSync(file, stringify(node.configuration))
  chmodSync(file, 0o600)
  return file
}

function spawnDaemon(node: LabNode): ChildProcess {
  const started = [...nodeAsPackaged('lnetd'), lnetdFile, '--config', writeConfiguration(node)]
  const [file, ...args] = node.namespace.argv(started)
  const log = openSync(logFile(node), 'a')
  // A session of its own, and nothing of ours held open: a lab that is kept outlives the process that made it.
  const daemon = spawn(file, args, { detached: true, stdio: ['ignore', log, log] })
  closeSync(log)
  daemon.unref()
  return daemon
}

/** nsenter's only child: it forks to enter the process namespace. */
function pidOf(daemon: ChildProcess | null): number | null {
  if (daemon?.pid === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return null
  try {
    return childrenOf(daemon.pid)[0] ?? null
  } catch {
    return null
  }
}

async function listening(node: LabNode, isGone: () => boolean): Promise<void> {
  for (let waited = 0; waited < listeningSecondsMax * 1000; waited += 50) {
    if ((await node.ask('version')).ok) return
    // Not yet forked during the first moments.
    if (waited > 1000 && isGone()) break
    await sleep(50)
  }
  throw new Error(`lnetd on ${node.name} does not answer:\n${logTail(node)}`)
}

async function stop(
  node: LabNode,
  daemon: ChildProcess | null,
  signal: NodeJS.Signals,
): Promise<number | string> {
  const pid = node.pid()
  if (pid === null || daemon === null)
    throw new Error(`lnetd on ${node.name} does not run:\n${logTail(node)}`)
  const ended = new Promise<number | string>(resolve =>
    daemon.once('exit', (code, by) => resolve(code ?? (by as string))),
  )
  process.kill(pid, signal)
  const outcome = await Promise.race([ended, sleep(20_000, null)])
  if (outcome === null) throw new Error(`lnetd on ${node.name} did not end on ${signal}:\n${logTail(node)}`)
  return outcome
}

function logFile(node: LabNode): string {
  return join(node.directory, 'lnetd.log')
}

function logText(node: LabNode): string {
  try {
    return readFileSync(logFile(node), 'utf8')
  } catch {
    return ''
  }
}

function logTail(node: LabNode): string {
  return logText(node).split('\n').slice(-15).join('\n')
}

function readLog(node: LabNode): LogLine[] {
  return logText(node)
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as LogLine)
}

function memoryOf(node: LabNode): Memory {
  const text = readFileSync(`/proc/${node.pid()}/smaps_rollup`, 'utf8')
  const mebibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024
  return { rss: mebibytes('Rss'), pss: mebibytes('Pss') }
}
