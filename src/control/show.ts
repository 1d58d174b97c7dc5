import { setTimeout as sleep } from 'node:timers/promises'
import type { Reply } from './client.ts'

/** Scripts rely on them. */
export const exitCodes = { ok: 0, error: 1, usage: 2, unreachable: 3, degraded: 4 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Where a command writes: the process, or a test. */
export interface Terminal {
  out(text: string): void
  err(text: string): void
  readonly isTerminal: boolean
  /** No colour even on a terminal: https://no-color.org. */
  readonly isPlain: boolean
  /** How wide it is now; null where it is no terminal, and nothing is wrapped. */
  readonly columns: number | null
}

export interface ShowOptions {
  readonly json: boolean
  /** Null: once. */
  readonly watchSeconds: number | null
}

/** One answer, for people and for programs. */
export interface Page {
  readonly text: string
  readonly json: object
  readonly code: ExitCode
}

export interface Refusal {
  readonly code: ExitCode
  readonly message: string
}

/** What a question came to: its page, or why there is none. */
export type Answered = { readonly page: Page } | { readonly refusal: Refusal }

/** A reply through the function that makes a page of its view. */
export function answered<View>(reply: Reply<View>, page: (view: View) => Answered): Answered {
  if (reply.ok) return page(reply.view)
  const code = reply.kind === 'unreachable' ? exitCodes.unreachable : exitCodes.error
  return { refusal: { code, message: reply.message } }
}

/**
 * Asks and shows, once or for ever. A watch that has begun outlives a restart of the daemon: it tells why there is
 * nothing to see and goes on asking.
 */
export async function show(
  question: () => Promise<Answered>,
  options: ShowOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const first = await question()
  if (options.watchSeconds === null || 'refusal' in first) return write(first, options, terminal)
  for (let current: Answered = first; ; current = await question()) {
    if (terminal.isTerminal && !options.json) terminal.out(clearScreen)
    write(current, options, terminal)
    await sleep(options.watchSeconds * 1000)
  }
}

const clearScreen = '\u001b[H\u001b[2J\u001b[3J'

function write(shown: Answered, { json, watchSeconds }: ShowOptions, terminal: Terminal): ExitCode {
  if ('refusal' in shown) {
    terminal.err(`lnetctl: ${shown.refusal.message}\n`)
    return shown.refusal.code
  }
  // Watched, a program reads one document a line.
  const indent = watchSeconds === null ? 2 : 0
  terminal.out(json ? `${JSON.stringify(shown.page.json, null, indent)}\n` : shown.page.text)
  return shown.page.code
}
