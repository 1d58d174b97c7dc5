import { createMetricsServer, type MetricsServer } from './control/metrics-server.ts'
import { openControlServer } from './control/server.ts'
import { columnsOf, wrappedLines } from './control/wrap.ts'
import { assemble, type Machine } from './daemon/assemble.ts'
import { reload } from './daemon/reload.ts'
import { readArguments, usage } from './host/arguments.ts'
import { systemClock } from './host/clock.ts'
import { describeConfigurationProblem, type LoadedConfiguration, loadConfiguration } from './host/config.ts'
import { crashOnError, endExitCode, keepMemoryOutOfCores } from './host/crash.ts'
import { listenForHangups } from './host/hangup.ts'
import { keepHistory, openHistory } from './host/history.ts'
import { matchKeys, openKeyring } from './host/keyring.ts'
import { type Log, openLog } from './host/log.ts'
import { networkNamespace } from './host/network-namespace.ts'
import { createNotifier, feedWatchdog } from './host/notify.ts'
import { deriveMeshKeys, readMeshSecret } from './host/secret.ts'
import { openStore } from './host/store.ts'
import { setUpFromEnvironment } from './host/unattended.ts'
import { sentenceOf } from './model/explanation.ts'
import type { Result } from './model/failure.ts'
import { lookupThreads, stopSecondsMax } from './model/limits.ts'
import { software } from './model/software.ts'
import type { WireguardPublicKey } from './model/wireguard-key.ts'

// Before libuv starts its threads: how many of them name lookups may keep.
process.env.UV_THREADPOOL_SIZE ??= String(lookupThreads)

const notify = createNotifier({ environment: process.env })
const hangups = listenForHangups(process)

/** A start that cannot go on: one line each, and an exit code. */
class Refusal extends Error {
  readonly sentences: readonly string[]
  readonly exitCode: number

  constructor(sentences: readonly string[], exitCode = 1) {
    super(sentences.join('\n'))
    this.sentences = sentences
    this.exitCode = exitCode
  }
}

main().catch((error: unknown) => {
  if (!(error instanceof Refusal)) throw error
  const columns = columnsOf(process.stderr)
  for (const sentence of error.sentences) process.stderr.write(wrappedLines(`lnetd: ${sentence}\n`, columns))
  process.exit(error.exitCode)
})

async function main(): Promise<void> {
  keepMemoryOutOfCores()
  const asked = readArguments(process.argv.slice(2))
  if ('wrong' in asked) throw new Refusal([`${asked.wrong} (see lnetd --help)`], 2)
  const { config, check, version, help } = asked
  if (help) return void process.stdout.write(`${usage}\n`)
  if (version) return void process.stdout.write(`lnetd ${software}\n`)
  const written = check ? [] : must(await setUpFromEnvironment(process.env, config))
  const loaded = accepted(await loadConfiguration(config), config)
  if (check) return void process.stdout.write(checked(config, loaded.warnings))
  await run(config, loaded, written)
}

function checked(path: string, warnings: readonly string[]): string {
  const lines = warnings.length === 0 ? ['no problems'] : warnings.map(warning => `warning: ${warning}`)
  return lines.map(line => `${path}: ${line}\n`).join('')
}

type Accepted = Extract<LoadedConfiguration, { ok: true }>

function accepted(loaded: LoadedConfiguration, path: string): Accepted {
  if (loaded.ok) return loaded
  throw new Refusal(
    loaded.problems.map(problem => describeConfigurationProblem(path, problem)),
    2,
  )
}

async function run(
  path: string,
  { configuration, inlineSecret, warnings }: Accepted,
  written: readonly string[],
): Promise<void> {
  const plainLog = await openLog(configuration.log.level)
  crashOnError(plainLog)
  plainLog.info('daemon.starting', { software, file: path })
  for (const file of written) plainLog.info('configuration.written', { file })
  for (const reason of warnings) plainLog.warn('configuration.warning', { reason })
  const secret = must(await readMeshSecret(configuration, inlineSecret))
  const keys = deriveMeshKeys(secret, configuration.mesh.id)
  const keyring = must(await openKeyring(configuration.stateDir))
  for (const file of keyring.created) plainLog.info('key.created', { file })
  const store = must(await openStore(configuration.stateDir, systemClock))
  must(matchKeys(configuration.stateDir, keyring, store.saved.keys))
  const history = await openHistory(configuration.stateDir, systemClock)
  const log = keepHistory(plainLog, history)
  for (const note of store.notes)
    log.warn('state.set_aside', { subject: note.subject, reason: sentenceOf(note) })
  const own = { configurationFile: path, networkNamespace: await networkNamespace() }
  const machine = assemble({ configuration, ...own, keys, keyring, store, log })
  const missing = await machine.kernel.preflight()
  if (missing.length > 0) throw new Refusal(missing.map(sentenceOf))
  await takeOver(machine, keyring.publicKey, log)
  const signalled = nextSignal()
  const control = must(
    await openControlServer(configuration.socket, {
      ...machine.daemon,
      events: history.after,
    }),
  )
  const ended = Promise.race([signalled, machine.daemon.ended.then(() => 'down')])
  // Whatever is still waited for then, the start perhaps.
  const exit = (signal: string) => process.exit(endExitCode(signal, process.env))
  void ended.then(signal => systemClock.setTimer(stopSecondsMax * 1000, () => exit(signal)))
  const started = await machine.daemon.start()
  if (!started.ok) await control.close()
  must(started)
  const { node, publicKey } = keyring
  log.info('daemon.ready', { node, name: configuration.name, mesh: keys.meshId, publicKey })
  await tell(log, notify.ready(`node ${configuration.name}`))
  feedWatchdog(notify, systemClock, told => void tell(log, told))
  const metrics = createMetricsServer(machine.daemon)
  await serveMetrics(metrics, machine, log)
  hangups.answer(async () => {
    await tell(log, notify.reloading())
    await reload(path, machine, log)
    await serveMetrics(metrics, machine, log)
    await tell(log, notify.ready(`node ${machine.current.name}`))
  })
  const signal = await ended
  log.info('daemon.stopping', { signal })
  await tell(log, notify.stopping())
  await Promise.all([control.close(), metrics.close()])
  await machine.daemon.stop()
  await history.close()
  await store.close()
  exit(signal)
}

/** A hand-written network that runs becomes ours before anything is looked at, where the configuration says so. */
async function takeOver(
  { current, kernel }: Machine,
  publicKey: WireguardPublicKey,
  log: Log,
): Promise<void> {
  const { interface: tunnel, address: vtep, takeOver: isWanted } = current.tunnel
  if (!isWanted || vtep === null) return
  const taken = must(await kernel.takeOver({ tunnel, publicKey, vtep, segments: current.segments }))
  if (taken.length > 0) log.info('kernel.taken_over', { subject: taken.join(' ') })
}

/** Where they are configured now. Nothing else depends on them. */
async function serveMetrics(metrics: MetricsServer, { current }: Machine, log: Log): Promise<void> {
  const served = await metrics.serve(current.metrics)
  if (!served.ok) log.warn('metrics.not_served', { reason: sentenceOf(served.failure) })
}

/** Until somebody wants an end. Asked for before there is anything to end: a signal may come during the start. */
function nextSignal(): Promise<string> {
  return new Promise(resolve => {
    // Not `once`: execa's own handler, there while a tool runs, would find itself alone and end lnetd at once.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal))
  })
}

async function tell(log: Log, told: Promise<Result<void>>): Promise<void> {
  const result = await told
  if (!result.ok) log.warn('notify.failed', { reason: sentenceOf(result.failure) })
}

function must<Value>(result: Result<Value>): Value {
  if (result.ok) return result.value
  throw new Refusal([sentenceOf(result.failure)])
}
