import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../lab/root.ts'

/**
 * One job for a machine of its own: a kernel that boots, runs it, powers off, and leaves nothing. Its time is virtual:
 * while nothing runs in the guest its clock leaps to the next timer, and what runs takes no time, however busy the host is.
 */
export interface Job {
  /** Shared with the guest, which sees it as /job: where the job leaves what shall outlive it. */
  readonly directory: string
  /** Shell words, run in the project's directory. */
  readonly command: string
  /** Its process 1, a script of the project and its arguments. Default: what runs `command` on the host's own files. */
  readonly init?: readonly [string, ...string[]]
  /** The guest's clock is the host's: for what must happen while programs run, which takes no virtual time. */
  readonly realTime?: boolean
  /** Of the host's clock; after that the guest is killed. */
  readonly secondsMax: number
}

/** A sentence when the job's own end was not reached, and whether the guest's kernel ended first, as in a panic. */
export type JobEnd = { readonly exitCode: number } | { readonly broken: string; readonly kernelEnded?: true }

const memoryMebibytes = 2048

/**
 * Its memory is a file in a temporary file system of its own, its network has no interface: nothing of the guest
 * reaches this machine but the job's directory, and nothing of it survives this process. The kernel is not process 1
 * of its namespace, which signals reach differently.
 */
const launch = `mount -t tmpfs -o size=${memoryMebibytes + 64}m lnet /dev/shm && "$@"
  exit $?`
const walls = ['unshare', '--net', '--ipc', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']

/** What the guest says goes to our standard output. */
export async function runJob(kernel: string, job: Job): Promise<JobEnd> {
  for (const path of [job.directory, root])
    if (/[\s"]/.test(path)) return { broken: `a kernel's command line cannot carry the blanks of ${path}` }
  writeFileSync(join(job.directory, 'command'), `${job.command}\n`)
  const [file = '', ...args] = ['setpriv', '--pdeathsig', 'KILL', ...walls, 'sh', '-c', launch, 'sh']
  const guest = spawn(file, [...args, kernel, ...commandLine(job)], {
    // A session of its own: the guest puts its console's terminal into another mode.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { PATH: process.env.PATH, HOME: job.directory, TMPDIR: '/dev/shm' },
  })
  const over = new AbortController()
  const ended = new Promise<'ended'>(resolve => guest.once('close', () => resolve('ended')))
  const hung = sleep(job.secondsMax * 1000, 'hung' as const, { signal: over.signal }).catch(() => 'ended')
  const end = await Promise.race([ended, hung])
  guest.kill('SIGKILL')
  await ended
  over.abort()
  const left = join(job.directory, 'exit')
  if (existsSync(left)) return { exitCode: Number(readFileSync(left, 'utf8')) }
  if (end === 'hung') return { broken: `the guest did not end within ${job.secondsMax} s and was killed` }
  return { broken: 'the guest ended before its job: its kernel says why above', kernelEnded: true }
}

function commandLine(job: Job): string[] {
  const [script, ...given] = job.init ?? ['test/uml/init.sh', root.replace(/\/$/, '')]
  return [
    `mem=${memoryMebibytes}M`,
    'rootfstype=hostfs',
    'root=/dev/root',
    'ro',
    'con=null',
    'con0=fd:0,fd:1',
    'ssl=null',
    'quiet',
    ...(job.realTime === true ? [] : ['time-travel=inf-cpu']),
    `init=${join(root, script)}`,
    '--',
    job.directory,
    ...given,
  ]
}
