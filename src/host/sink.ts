import { constants, fstatSync, openSync, writeSync } from 'node:fs'
import { logBacklogBytesMax, logRetryMilliseconds } from '../model/limits.ts'
import { codeOf } from './files.ts'

/** Where lines go: standard output, or a test. */
export interface LogStream {
  write(line: string): void
}

/**
 * Lines to an open file, each before `write` returns, so that the last words before a crash are not lost. Never throws
 * and never grows: while the disk is full or a pipe's reader does not read, some lines are kept and the rest is
 * lost. `lost` hears how many, once it goes on.
 */
export function createSink(descriptor: number, lost: (lines: number) => void): LogStream {
  let backlog = Buffer.alloc(0)
  let missing = 0
  let retry: NodeJS.Timeout | null = null

  function flush(): void {
    try {
      while (backlog.length > 0) backlog = backlog.subarray(writeSync(descriptor, backlog))
    } catch (error) {
      postpone(codeOf(error))
      return
    }
    if (missing === 0) return
    const lines = missing
    missing = 0
    lost(lines)
  }

  function postpone(code: string): void {
    // Nobody will ever read it.
    if (code === 'EPIPE') backlog = Buffer.alloc(0)
    else
      retry ??= setTimeout(() => {
        retry = null
        flush()
      }, logRetryMilliseconds).unref()
  }

  return {
    write(line) {
      const bytes = Buffer.from(line)
      if (backlog.length + bytes.length > logBacklogBytesMax) missing += 1
      else backlog = backlog.length === 0 ? bytes : Buffer.concat([backlog, bytes])
      if (retry === null) flush()
    },
  }
}

/** Standard output; a pipe without waiting for its reader, because a reader that stops must not stop lnetd. */
export function standardOutput(): number {
  try {
    // Opened anew: what else has this pipe as its output is to keep waiting.
    if (fstatSync(1).isFIFO()) return openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK)
  } catch {
    // Without /proc, or without a reader: as it is.
  }
  return 1
}
