import { lstat, mkdir, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { failed, ok, type Result } from '../model/failure.ts'
import { socketPathBytesMax } from '../model/limits.ts'

/**
 * Makes room for our socket: its directory is made, a dead one is taken away. Refused when another daemon answers
 * there, and when something is there that is no socket.
 */
export async function claimSocketPath(path: string): Promise<Result<null>> {
  if (Buffer.byteLength(path) > socketPathBytesMax)
    return failed(`the socket path ${path} is longer than ${socketPathBytesMax} bytes`, {
      remedy: 'set a shorter socket',
    })
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 })
    const found = await lstat(path).catch(ignoreMissing)
    if (found === null) return ok(null)
    if (!found.isSocket())
      return failed(`${path} is not a socket`, { remedy: 'move it away, or set another socket' })
    if (await answers(path)) return failed(`another lnetd is running on ${path}`, { remedy: 'stop it first' })
    await unlink(path).catch(ignoreMissing)
    return ok(null)
  } catch (error) {
    return socketRefusal(path, error)
  }
}

/** A system error about the socket. */
export function socketRefusal(path: string, error: unknown): Result<never> {
  const code = (error as NodeJS.ErrnoException).code ?? String(error)
  const remedies: Record<string, string> = {
    EACCES: 'run lnetd as root',
    EPERM: 'run lnetd as root',
    EROFS: 'set another socket: its file system is read-only',
    ENOSPC: 'free some space on its file system',
    ENOTDIR: 'set another socket: a part of its path is a file',
    EEXIST: 'set another socket: a part of its path is a file',
    EADDRINUSE: 'stop the other lnetd, which took it just now',
  }
  const remedy = remedies[code] ?? 'set another socket'
  return failed(`cannot listen on ${path}`, { why: code, remedy })
}

/** Whether somebody takes connections there. A full backlog (EAGAIN) and a socket of another user (EACCES) are alive. */
function answers(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', error => {
      const code = (error as NodeJS.ErrnoException).code
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT')
    })
  })
}

function ignoreMissing(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
  throw error
}
