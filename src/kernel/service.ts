import { access } from 'node:fs/promises'
import { ok, type Result } from '../model/failure.ts'
import { serviceLogLines } from '../model/limits.ts'
import { run } from './run.ts'

/** lnetd's unit, as its package calls it. */
export const unit = 'lnetd.service'
/** There exactly when systemd is the init of this machine: sd_booted(3). */
const systemdDirectory = '/run/systemd/system'

export interface StartedService {
  /** The sentences with which lnetd refused to start since then; empty where there is no journal. */
  refusals(): Promise<readonly string[]>
}

/**
 * Has the service manager start lnetd, or start it anew, now and at every boot; null where there is no systemd or no
 * unit. Does not wait until it is up: lnetd itself tells more of that.
 */
export async function startService(): Promise<Result<StartedService | null>> {
  if (!(await hasUnit())) return ok(null)
  const enabled = await run({ tool: 'systemctl', arguments: ['enable', unit] })
  if (!enabled.ok) return enabled
  // One that still runs by what was there before would answer as if it were the new one.
  const stopped = await run({ tool: 'systemctl', arguments: ['stop', unit] })
  if (!stopped.ok) return stopped
  const since = Math.floor(Date.now() / 1000)
  const started = await run({ tool: 'systemctl', arguments: ['start', '--no-block', unit] })
  return started.ok ? ok({ refusals: () => refusalsSince(since) }) : started
}

/** `wallSeconds`: since 1970. What an earlier start was refused for may have been put right. */
async function refusalsSince(wallSeconds: number): Promise<readonly string[]> {
  return refusalsOf(await journal(['--since', `@${wallSeconds}`, '--lines', String(serviceLogLines)]))
}

/** Why the service refused to start the last time; null when it did start, or nobody kept it. */
export async function lastRefusal(): Promise<string | null> {
  return lastRefusalOf(await journal(['--boot', '--lines', String(serviceLogLines)]))
}

/** What stands behind the last start that was not refused is of older ones. */
export function lastRefusalOf(text: string): string | null {
  const lines = text.split('\n')
  const ready = lines.findLastIndex(line => line.includes('"event":"daemon.ready"'))
  return refusalsOf(lines.slice(ready + 1).join('\n')).at(-1) ?? null
}

async function journal(arguments_: readonly string[]): Promise<string> {
  const told = await run({
    tool: 'journalctl',
    arguments: ['--unit', unit, '--no-pager', '--output', 'cat', ...arguments_],
  })
  return told.ok ? told.value : ''
}

function refusalsOf(text: string): readonly string[] {
  return [...new Set(text.split('\n').flatMap(line => /^lnetd: (.+)$/.exec(line)?.[1] ?? []))]
}

/** Whether systemd can start lnetd here. */
export async function hasUnit(): Promise<boolean> {
  const isBooted = await access(systemdDirectory).then(
    () => true,
    () => false,
  )
  return isBooted && (await run({ tool: 'systemctl', arguments: ['cat', unit] })).ok
}
