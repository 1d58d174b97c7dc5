import { writeFileSync } from 'node:fs'
import { logStackCharactersMax } from '../model/limits.ts'
import type { Log } from './log.ts'

/** EX_SOFTWARE (sysexits.h): a bug of ours, or of a library. */
export const crashExitCode = 70

/**
 * Leaves every page of memory out of a core dump of this process and of the tools it runs, however it was started and
 * whatever handles cores on this machine: keys and the mesh secret are in there (core(5), "Controlling which mappings
 * are written"). The units also set LimitCORE=0, which a handler behind a pipe may ignore.
 */
export function keepMemoryOutOfCores(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0')
  } catch {
    // A kernel without core dumps has no such file.
  }
}

/**
 * From now on an error that nobody caught, thrown or rejected, is one event with its stack and the end of this process:
 * what it left half done cannot be known. The service manager starts lnetd again; the network stays up meanwhile.
 */
export function crashOnError(log: Pick<Log, 'error'>): void {
  process.on('uncaughtException', (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    const stack = error instanceof Error ? (error.stack ?? '') : ''
    log.error('daemon.crashed', { reason, stack: stack.slice(0, logStackCharactersMax) })
    process.exit(crashExitCode)
  })
}

/**
 * After `down` a service manager, who starts lnetd again whenever it ends, is told that this end was asked for: by a code
 * that its unit knows.
 */
export function endExitCode(signal: string, { NOTIFY_SOCKET }: NodeJS.ProcessEnv): 0 | 9 {
  return signal === 'down' && NOTIFY_SOCKET ? 9 : 0
}
