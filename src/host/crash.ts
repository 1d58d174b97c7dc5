import { logStackCharactersMax } from '../model/limits.ts'
import type { Log } from './log.ts'

/** EX_SOFTWARE (sysexits.h): a bug of ours, or of a library. */
export const crashExitCode = 70

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
