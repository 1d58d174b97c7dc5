import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { failed, ok, type Result } from '../model/failure.ts'
import { codeOf, ioFailure, removeQuietly } from './files.ts'

export interface StateLock {
  release(): Promise<void>
}

/**
 * Keeps a second daemon off a state directory. Each daemon puts down a file named after its own process and then
 * looks for others: the names of dead processes are nobody's, so that removing one never removes a living lock, and
 * the files are empty, so that a full disk does not matter.
 */
export async function lockDirectory(directory: string): Promise<Result<StateLock>> {
  try {
    const own = await ownName()
    for (let attempt = 1; ; attempt += 1) {
      const holder = await tryLock(directory, own)
      if (holder === null) return ok({ release: () => removeQuietly(join(directory, own)) })
      if (attempt === attemptsMax)
        return failed(`another lnetd (process ${holder}) uses ${directory}`, {
          remedy: 'stop it, or give this one another state_dir',
        })
      // Two that start together both see the other and both step back; chance lets one be first.
      await sleep(10 + Math.random() * 90)
    }
  } catch (error) {
    return ioFailure('lock', directory, error)
  }
}

const attemptsMax = 5
const namePattern = /^lnetd\.lock\.([0-9a-f]{8})\.(\d+)\.(\d+)$/

/** Null when the directory is ours, otherwise the process that has it. */
async function tryLock(directory: string, own: string): Promise<string | null> {
  const path = join(directory, own)
  try {
    await (await open(path, 'wx', 0o600)).close()
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return String(process.pid)
    throw error
  }
  const holder = await findHolder(directory, own)
  if (holder !== null) await removeQuietly(path)
  return holder
}

async function findHolder(directory: string, own: string): Promise<string | null> {
  const boot = await bootName()
  for (const name of await readdir(directory)) {
    const match = namePattern.exec(name)
    if (match === null || name === own) continue
    const [, lockBoot, pid = '', start] = match
    if (lockBoot === boot && (await startOf(pid)) === start) return pid
    await removeQuietly(join(directory, name))
  }
  return null
}

async function ownName(): Promise<string> {
  const start = await startOf(String(process.pid))
  if (start === null) throw new Error('/proc is not mounted: mount it')
  return `lnetd.lock.${await bootName()}.${process.pid}.${start}`
}

/** Process ids and start times begin anew with each boot. */
async function bootName(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).slice(0, 8)
}

/** When a process started, in clock ticks since boot (proc_pid_stat(5), field 22); null when it is dead. */
async function startOf(pid: string): Promise<string | null> {
  const line = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  // The second field is the command in brackets, and may hold anything.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  const isDead = fields[0] === 'Z' || fields[0] === 'X'
  return isDead ? null : (fields[19] ?? null)
}
