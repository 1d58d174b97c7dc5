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
  const lines = ['--since', `@${wallSeconds}`, '--lines', String(serviceLogLines)]
  const journal = await run({
    tool: 'journalctl',
    arguments: ['--unit', unit, '--no-pager', '--output', 'cat', ...lines],
  })
  if (!journal.ok) return []
  const refusals = journal.value.split('\n').flatMap(line => /^lnetd: (.+)$/.exec(line)?.[1] ?? [])
  return [...new Set(refusals)]
}

async function hasUnit(): Promise<boolean> {
  const isBooted = await access(systemdDirectory).then(
    () => true,
    () => false,
  )
  return isBooted && (await run({ tool: 'systemctl', arguments: ['cat', unit] })).ok
}
