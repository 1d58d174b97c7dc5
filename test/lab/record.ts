import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processStart } from './namespace.ts'

/** What a lab leaves on disk so that a later one can clean up after it: processes by pid and start, never by name. */
export interface LabRecord {
  readonly id: string
  readonly directory: string
  readonly owner: ProcessMark
  /** Left up on purpose: only `--end` ends it. */
  readonly kept: boolean
  readonly holders: readonly ProcessMark[]
}

export interface ProcessMark {
  readonly pid: number
  readonly start: number
}

const prefix = 'lnet-lab-'

export function processMark(pid: number): ProcessMark {
  const start = processStart(pid)
  if (start === null) throw new Error(`process ${pid} is gone`)
  return { pid, start }
}

/** A private directory for a new lab; its name gives the lab its id. */
export function openRecord(): LabRecord {
  const directory = mkdtempSync(join(tmpdir(), prefix))
  const id = directory.slice(directory.lastIndexOf('-') + 1)
  const record = { id, directory, owner: processMark(process.pid), kept: false, holders: [] }
  writeRecord(record)
  return record
}

export function writeRecord(record: LabRecord): void {
  writeFileSync(join(record.directory, 'lab.json'), `${JSON.stringify(record, null, 2)}\n`)
}

/** Every lab of this machine's superuser; a directory anybody else could have written is not ours. */
export function readRecords(): LabRecord[] {
  return readdirSync(tmpdir())
    .filter(name => name.startsWith(prefix))
    .map(name => join(tmpdir(), name))
    .filter(directory => {
      const { uid, mode } = statSync(directory)
      return uid === process.getuid?.() && (mode & 0o077) === 0
    })
    .flatMap(directory => {
      const record = readRecord(directory)
      return record === null ? [] : [record]
    })
}

/** Ends what a lab left running and removes its directory. */
export function endRecord(record: LabRecord): void {
  for (const holder of record.holders) if (runs(holder)) process.kill(holder.pid, 'SIGKILL')
  // Those just killed may still be writing.
  rmSync(record.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
}

/** Ends labs whose owner died without cleaning up, and forgets kept ones that a reboot ended. Answers their ids. */
export function sweepRecords(): string[] {
  const dead = readRecords().filter(({ kept, owner, holders }) => !(kept ? holders.some(runs) : runs(owner)))
  for (const record of dead) endRecord(record)
  return dead.map(({ id }) => id)
}

function runs({ pid, start }: ProcessMark): boolean {
  return processStart(pid) === start
}

function readRecord(directory: string): LabRecord | null {
  try {
    return JSON.parse(readFileSync(join(directory, 'lab.json'), 'utf8')) as LabRecord
  } catch {
    // Between mkdtemp and the first write, or half removed by another sweep.
    return null
  }
}
