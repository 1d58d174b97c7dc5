import { closeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import type { Failure, Result } from '../model/failure.ts'
import {
  toolEndSecondsMax,
  toolErrorCharactersMax,
  toolErrorLinesMax,
  toolOutputBytesMax,
  toolSecondsMax,
  toolsStuckMax,
} from '../model/limits.ts'
import { anonymousFile } from './anonymous-file.ts'
import { explain, missingTool, notStarted } from './explain.ts'

/** One process to run to its end. Nothing in `arguments` may be secret; `input` may be. */
export interface Command {
  readonly tool: string
  readonly arguments: readonly string[]
  /** Read by the tool as standard input, by descriptor or as /dev/stdin. */
  readonly input?: string
}

/** How a process ended. `failure` is null exactly when it exited with 0. */
export interface Execution {
  readonly stdout: string
  readonly stderr: string
  readonly failure: Failure | null
}

/** A process that goes on running. */
export interface Child {
  readonly pid: number | undefined
  /** Resolves when it ended, however it did. Never rejects. */
  readonly ended: Promise<Failure>
  stop(): void
}

/** Where tools are looked for: PATH as it is given, as for any other program. */
export const toolPath = process.env.PATH || '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

const environment = { LC_ALL: 'C', PATH: toolPath }

/** Standard output of a process that must succeed. */
export async function run(command: Command): Promise<Result<string>> {
  const { stdout, failure } = await execute(command)
  return failure === null ? { ok: true, value: stdout } : { ok: false, failure }
}

/** Runs to the end, within `toolSecondsMax` and `toolOutputBytesMax`. Never throws, and never waits for longer. */
export async function execute(command: Command): Promise<Execution> {
  if (stuck >= toolsStuckMax)
    return notRun(command, `${stuck} tools hang in the kernel though they were killed: see dmesg, and reboot`)
  let stdin: number | 'ignore'
  try {
    stdin = command.input === undefined ? 'ignore' : anonymousFile(command.input)
  } catch (error) {
    return notRun(command, notStarted(command.tool, (error as NodeJS.ErrnoException).code))
  }
  try {
    return await finish(command, stdin)
  } finally {
    if (stdin !== 'ignore') closeSync(stdin)
  }
}

/** Starts a process whose lines are handed over as they come. It ends with us, even when we are killed. */
export function follow(command: Command, diesWithUs: boolean, onText: (text: string) => void): Child {
  const { tool, arguments: rest } = command
  // The kernel sends the signal when our process ends; cleanup alone would miss SIGKILL.
  const argv = diesWithUs ? ['setpriv', '--pdeathsig', 'TERM', '--', tool, ...rest] : [tool, ...rest]
  const child = execa(argv[0] as string, argv.slice(1), {
    env: environment,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: { stdout: false, stderr: true },
    maxBuffer: toolErrorCharactersMax * 10,
    reject: false,
    cleanup: true,
  })
  child.stdout.setEncoding('utf8').on('data', onText)
  return {
    pid: child.pid,
    ended: child.then(result => failureOf(command, result)),
    stop: () => child.kill('SIGTERM'),
  }
}

/** Starts a process in a session of its own that outlives us. `ended` tells if it did not even get that far. */
export function detach(command: Command): Child {
  const child = execa(command.tool, [...command.arguments], {
    env: environment,
    stdio: 'ignore',
    detached: true,
    cleanup: false,
    reject: false,
    cwd: '/',
  })
  child.nodeChildProcess.unref()
  return {
    pid: child.pid,
    ended: child.then(result => failureOf(command, result)),
    stop: () => child.kill('SIGTERM'),
  }
}

export function textOf(command: Command): string {
  return [command.tool, ...command.arguments].join(' ')
}

/** The first lines of what a tool said, bounded. */
export function firstLines(text: string): string {
  return text.trim().split('\n').slice(0, toolErrorLinesMax).join('\n').slice(0, toolErrorCharactersMax)
}

/** Tools that were killed and did not end: they wait inside the kernel, and the next ones would, too. */
let stuck = 0

function notRun(command: Command, message: string): Execution {
  const failure = { message, command: textOf(command), exitCode: null, stderr: '' }
  return { stdout: '', stderr: '', failure }
}

/** What execa tells of a process that ended. */
interface Ending {
  readonly failed: boolean
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  readonly code?: string | undefined
  readonly timedOut: boolean
  readonly isMaxBuffer: boolean
  readonly stderr?: unknown
}

async function finish(command: Command, stdin: number | 'ignore'): Promise<Execution> {
  const running = execa(command.tool, [...command.arguments], {
    env: environment,
    // execa takes any descriptor; its type only names the first few.
    stdin: stdin as 'ignore' | 3,
    timeout: toolSecondsMax * 1000,
    killSignal: 'SIGKILL',
    maxBuffer: toolOutputBytesMax,
    reject: false,
  })
  const waiting = new AbortController()
  const secondsMax = toolSecondsMax + toolEndSecondsMax
  const overdue = sleep(secondsMax * 1000, null, { signal: waiting.signal }).catch(() => null)
  const result = await Promise.race([running, overdue])
  waiting.abort()
  if (result === null) {
    stuck += 1
    void running.then(() => {
      stuck -= 1
    })
    return notRun(command, `${command.tool} did not end within ${secondsMax} s, not even when it was killed`)
  }
  const stdout = typeof result.stdout === 'string' ? result.stdout : ''
  const stderr = typeof result.stderr === 'string' ? result.stderr : ''
  return { stdout, stderr, failure: result.failed ? failureOf(command, result) : null }
}

function failureOf(command: Command, ending: Ending): Failure {
  const stderr = firstLines(typeof ending.stderr === 'string' ? ending.stderr : '')
  const details = { command: textOf(command), exitCode: ending.exitCode ?? null, stderr }
  if (ending.code === 'ENOENT') return { ...details, message: missingTool(command.tool) }
  return { ...details, message: `${endingOf(command.tool, ending)}${explain(stderr)}` }
}

function endingOf(tool: string, ending: Ending): string {
  if (ending.timedOut) return `${tool} did not end within ${toolSecondsMax} s`
  if (ending.isMaxBuffer) return `${tool} said more than ${toolOutputBytesMax} bytes`
  if (ending.signal !== undefined) return `${tool} was ended by ${ending.signal}`
  if (ending.exitCode !== undefined) return `${tool} failed with exit code ${ending.exitCode}`
  return notStarted(tool, ending.code)
}
