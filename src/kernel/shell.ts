import { randomUUID } from 'node:crypto'
import { constants } from 'node:os'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { toolEndSecondsMax, toolSecondsMax } from '../model/limits.ts'
import { Collector } from './collector.ts'
import { countHanging } from './hanging.ts'

/** How a tool ended, as far as the shell that ran it tells. */
export interface Ending {
  readonly stdout: string
  readonly stderr: string
  /** Null when something else than an exit ended it. */
  readonly exitCode: number | null
  readonly signal: string | null
  readonly trouble: Trouble | null
}

export type Trouble =
  | { readonly kind: 'timed-out' | 'too-much' }
  /** The shell ended before it told how the tool did; with the system's error code where there is one. */
  | { readonly kind: 'shell-ended'; readonly code: string | undefined }
  /** Killed, and yet not over after `toolEndSecondsMax`. */
  | { readonly kind: 'stuck' }
  /** Not run, because of so many that are stuck. */
  | { readonly kind: 'refused'; readonly stuck: number }

/**
 * A shell that stays, and runs one tool after the other. Starting a process from Node costs about ten times what it
 * costs from a small process (measured: 5 ms of CPU with execa, 0.1 ms so), and lnetd starts many.
 */
export interface Shell {
  /**
   * Runs `argv` to its end, within `toolSecondsMax` and `toolOutputBytesMax`. `inputPath` is opened as its standard
   * input. Never rejects: a shell that is lost is made anew for the next tool.
   */
  run(argv: readonly string[], inputPath: string): Promise<Ending>
}

type Environment = Readonly<Record<string, string>>

export function createShell(environment: Environment): Shell {
  let shell: ShellProcess | null = null
  let turn: Promise<unknown> = Promise.resolve()
  const hanging = countHanging()

  async function runNow(argv: readonly string[], inputPath: string): Promise<Ending> {
    const stuck = hanging.refuses()
    if (stuck !== null) return troubled({ kind: 'refused', stuck })
    if (shell === null || shell.isOver()) shell = startShell(environment)
    const current = shell
    const ending = await current.run(argv, inputPath)
    if (ending.trouble === null) hanging.none()
    if (ending.trouble === null || (await current.end())) return ending
    hanging.until(current.closed)
    return troubled({ kind: 'stuck' })
  }

  return {
    run(argv, inputPath) {
      const ending = turn.then(() => runNow(argv, inputPath))
      turn = ending
      return ending
    },
  }
}

interface ShellProcess {
  run(argv: readonly string[], inputPath: string): Promise<Ending>
  isOver(): boolean
  /** Kills it and what it runs. False: something of it is still there after `toolEndSecondsMax`. */
  end(): Promise<boolean>
  /** Nothing that it started holds its pipes any more. */
  readonly closed: Promise<unknown>
}

/** Its own messages go nowhere; tools have descriptor 3 for theirs. It ends with its input, so with us at the latest. */
function startShell(environment: Environment): ShellProcess {
  const child = execa('/bin/sh', [], {
    env: environment,
    stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
    buffer: false,
    reject: false,
    // A group of its own: a tool that hangs is ended with everything it started.
    detached: true,
    cleanup: false,
    cwd: '/',
  })
  const process = child.nodeChildProcess
  const [stdin, stdout, , stderr] = process.stdio as unknown as Pipes
  for (const handle of [process, stdin, stdout, stderr] as readonly { unref?(): void }[]) handle.unref?.()
  // A shell that is gone is told by its end.
  stdin.on('error', () => undefined)
  let over = false
  const closed = child.then(({ code }) => code)
  const exited = Promise.race([
    closed,
    new Promise<undefined>(resolve => process.once('exit', () => resolve(undefined))),
  ])
  let tell: (trouble: Trouble) => void = () => undefined
  void exited.then(code => {
    over = true
    tell({ kind: 'shell-ended', code })
  })
  return {
    closed,
    isOver: () => over,
    async run(argv, inputPath) {
      const collectors = [stdout, stderr].map(pipe => new Collector(pipe, randomUUID())) as Collectors
      // Each tool's own: what waits for a promise that lives as long as the shell is kept for as long.
      const broken = Promise.withResolvers<Trouble>()
      tell = broken.resolve
      const clock = setTimeout(() => broken.resolve({ kind: 'timed-out' }), toolSecondsMax * 1000)
      stdin.write(lineOf(argv, inputPath, collectors))
      const [out, err] = collectors
      const tooMuch = Promise.race([out.overflow, err.overflow]).then((kind): Trouble => ({ kind }))
      const told = Promise.all([out.ended, err.ended]).then(() => null)
      const trouble = await Promise.race([told, broken.promise, tooMuch])
      clearTimeout(clock)
      for (const collector of collectors) collector.stop()
      return trouble === null ? endingOf(out, err) : troubled(trouble)
    },
    async end() {
      over = true
      if (child.pid !== undefined) endGroup(child.pid)
      const waiting = new AbortController()
      const overdue = sleep(toolEndSecondsMax * 1000, false, { signal: waiting.signal }).catch(() => false)
      const isClosed = await Promise.race([closed.then(() => true), overdue])
      waiting.abort()
      return isClosed
    },
  }
}

type Collectors = [Collector, Collector]

type Pipes = [Duplex, Duplex, null, Duplex]

/** The shell's line for one tool; its last words are the mark, with the tool's exit status. */
function lineOf(argv: readonly string[], inputPath: string, [out, err]: Collectors): string {
  const words = argv.map(word => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const marks = `printf '${out.mark} %d\\n' $status; printf '${err.mark} %d\\n' $status >&3`
  return `${words} <'${inputPath}' 2>&3; status=$?; ${marks}\n`
}

/** A shell tells the signal that ended a tool as 128 and its number, and says a word of its own about it. */
function endingOf({ text: stdout, status }: Collector, { text: stderr }: Collector): Ending {
  const signals = Object.entries(constants.signals)
  const signal = signals.find(([, number]) => number === status - 128)?.[0] ?? null
  if (signal === null) return { stdout, stderr, exitCode: status, signal, trouble: null }
  return { stdout, stderr: stderr.replace(/\w+\n$/, ''), exitCode: null, signal, trouble: null }
}

function troubled(trouble: Trouble): Ending {
  return { stdout: '', stderr: '', exitCode: null, signal: null, trouble }
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}
