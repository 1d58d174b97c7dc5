import { type ExecFileException, execFile } from 'node:child_process'
import { failed, ok, type Result } from '../model/failure.ts'
import { notifySecondsMax } from '../model/limits.ts'
import type { Clock } from './clock.ts'

/**
 * Tells the service manager how lnetd is (sd_notify(3)). Node has no unix datagram sockets, so that each word goes by
 * a short `systemd-notify`; that waits until systemd has read it. The unit needs `Type=notify` and
 * `NotifyAccess=all`, because the word does not come from the main process.
 */
export interface Notifier {
  ready(status: string): Promise<Result<void>>
  reloading(): Promise<Result<void>>
  stopping(): Promise<Result<void>>
  /** What `systemctl status` shows. */
  status(status: string): Promise<Result<void>>
  watchdog(): Promise<Result<void>>
  /** How often `watchdog` has to be called, half of what the unit allows; null when it does not ask for it. */
  readonly watchdogMilliseconds: number | null
}

export interface NotifierOptions {
  /** NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are read from here. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Monotonic milliseconds of the machine, not of the process. */
  readonly monotonicMilliseconds?: () => number
  readonly command?: string
}

/** Does nothing, successfully, when no service manager waits for word. */
export function createNotifier({
  environment,
  monotonicMilliseconds = machineMilliseconds,
  command = 'systemd-notify',
}: NotifierOptions): Notifier {
  const send = (...assignments: readonly string[]) => {
    if (!environment.NOTIFY_SOCKET) return Promise.resolve(ok(undefined))
    return run(command, assignments, environment)
  }
  return {
    ready: status => send('READY=1', statusLine(status)),
    reloading: () => send('RELOADING=1', `MONOTONIC_USEC=${Math.round(monotonicMilliseconds() * 1000)}`),
    stopping: () => send('STOPPING=1'),
    status: status => send(statusLine(status)),
    watchdog: () => send('WATCHDOG=1'),
    watchdogMilliseconds: watchdogMilliseconds(environment),
  }
}

/** Feeds the unit's watchdog, if it has one, until the process ends. */
export function feedWatchdog(
  { watchdog, watchdogMilliseconds }: Notifier,
  clock: Pick<Clock, 'setTimer'>,
  told: (word: Promise<Result<void>>) => void,
): void {
  if (watchdogMilliseconds === null) return
  const feed = () => {
    told(watchdog())
    clock.setTimer(watchdogMilliseconds, feed)
  }
  feed()
}

function statusLine(status: string): string {
  return `STATUS=${status.replaceAll(/\s+/g, ' ').slice(0, 200)}`
}

function watchdogMilliseconds({
  WATCHDOG_USEC,
  WATCHDOG_PID,
}: NotifierOptions['environment']): number | null {
  const milliseconds = Number(WATCHDOG_USEC) / 1000
  const isForUs = WATCHDOG_PID === undefined || WATCHDOG_PID === String(process.pid)
  return isForUs && milliseconds > 0 ? milliseconds / 2 : null
}

function machineMilliseconds(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}

function run(
  command: string,
  assignments: readonly string[],
  environment: NotifierOptions['environment'],
): Promise<Result<void>> {
  return new Promise(resolve => {
    const options = { env: environment, timeout: notifySecondsMax * 1000, killSignal: 'SIGKILL' } as const
    const ended = (error: ExecFileException | null, stderr: string) => {
      if (error === null) return resolve(ok(undefined))
      const details = { command: [command, ...assignments].join(' '), stderr: stderr.slice(0, 500) }
      const isMissing = error.code === 'ENOENT'
      const why = isMissing ? `${command} is not there` : (stderr.split('\n')[0] ?? '')
      const remedy = isMissing ? `install ${command}, or run without NOTIFY_SOCKET` : null
      resolve(failed('the service manager could not be told', { why, remedy, ...details }))
    }
    try {
      execFile(command, assignments, options, (error, _, stderr) => ended(error, stderr))
    } catch (error) {
      // A machine out of memory makes no process.
      ended(error as ExecFileException, String(error))
    }
  })
}
