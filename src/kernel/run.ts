import { closeSync } from 'node:fs'
import { execa } from 'execa'
import { type Explanation, type ExplanationDetails, explained } from '../model/explanation.ts'
import type { Failure, Result } from '../model/failure.ts'
import {
  toolEndSecondsMax,
  toolErrorCharactersMax,
  toolErrorLinesMax,
  toolOutputBytesMax,
  toolSecondsMax,
} from '../model/limits.ts'
import { anonymousFile } from './anonymous-file.ts'
import { explain, missingTool, notStarted } from './explain.ts'
import { createShell, type Shell, type Ending as ShellEnding } from './shell.ts'

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

const shell = createShell(environment)

/** Runs to the end, within `toolSecondsMax` and `toolOutputBytesMax`, after what was asked for before. Never throws. */
export function execute(command: Command): Promise<Execution> {
  return executeIn(shell, command)
}

const aside = createShell(environment)

/** The same, for what cannot wait for its turn. */
export function executeAside(command: Command): Promise<Execution> {
  return executeIn(aside, command)
}

async function executeIn(where: Shell, command: Command): Promise<Execution> {
  let input: number | null
  try {
    input = command.input === undefined ? null : anonymousFile(command.input)
  } catch (error) {
    return notRun(command, notStarted(command.tool, (error as NodeJS.ErrnoException).code))
  }
  try {
    const path = input === null ? '/dev/null' : `/proc/${process.pid}/fd/${input}`
    return executionOf(command, await where.run([command.tool, ...command.arguments], path))
  } finally {
    if (input !== null) closeSync(input)
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

function executionOf(command: Command, ending: ShellEnding): Execution {
  const { exitCode, signal, trouble } = ending
  if (trouble?.kind === 'stuck')
    return notRun(
      command,
      explained(`${command.tool} did not end within ${secondsMax} s`, {
        why: 'not even when it was killed',
        remedy: stuckRemedy,
      }),
    )
  if (trouble?.kind === 'refused')
    return notRun(
      command,
      explained(`${trouble.stuck} tools hang in the kernel though they were killed`, { remedy: stuckRemedy }),
    )
  const [stdout, stderr] = [ending.stdout, ending.stderr].map(text => text.replace(/\n$/, '')) as Texts
  // POSIX: a shell answers 127 for a command that it does not find.
  const isMissing = exitCode === 127 && stderr.endsWith('not found')
  const failure = failureOf(command, {
    exitCode: isMissing ? undefined : (exitCode ?? undefined),
    signal: signal ?? undefined,
    code: isMissing ? 'ENOENT' : trouble?.kind === 'shell-ended' ? trouble.code : undefined,
    timedOut: trouble?.kind === 'timed-out',
    isMaxBuffer: trouble?.kind === 'too-much',
    stderr,
  })
  return { stdout, stderr, failure: exitCode === 0 ? null : failure }
}

type Texts = [string, string]

const secondsMax = toolSecondsMax + toolEndSecondsMax

const stuckRemedy = 'see dmesg, and reboot'

function notRun(command: Command, explanation: Explanation): Execution {
  const failure = { ...explanation, command: textOf(command), exitCode: null, stderr: '' }
  return { stdout: '', stderr: '', failure }
}

/** How a process ended, in execa's words. */
interface Ending {
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  readonly code?: string | undefined
  readonly timedOut: boolean
  readonly isMaxBuffer: boolean
  readonly stderr?: unknown
}

function failureOf(command: Command, ending: Ending): Failure {
  const stderr = firstLines(typeof ending.stderr === 'string' ? ending.stderr : '')
  const details = { command: textOf(command), exitCode: ending.exitCode ?? null, stderr }
  if (ending.code === 'ENOENT') return { ...details, ...missingTool(command.tool) }
  return { ...details, ...endingOf(command.tool, ending, explain(stderr)) }
}

function endingOf(tool: string, ending: Ending, said: ExplanationDetails): Explanation {
  if (ending.timedOut) return explained(`${tool} did not end within ${toolSecondsMax} s`, said)
  if (ending.isMaxBuffer) return explained(`${tool} printed more than ${toolOutputBytesMax} bytes`, said)
  if (ending.signal !== undefined) return explained(`${tool} was ended by ${ending.signal}`, said)
  if (ending.exitCode !== undefined)
    return explained(`${tool} failed with exit code ${ending.exitCode}`, said)
  return notStarted(tool, ending.code)
}
