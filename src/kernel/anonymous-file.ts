import { randomUUID } from 'node:crypto'
import { openSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'

/**
 * A file without a name, in memory where there is such a place. Node's pipes are sockets, which cannot be opened
 * as /dev/stdin; the name is gone before the first byte is in, so that a secret never has one.
 */
export function anonymousFile(content: string): number {
  const name = `lnet-${randomUUID()}`
  const descriptor = openFirst(['/dev/shm', '/run', tmpdir()].map(directory => `${directory}/${name}`))
  // Written at a position, so that the reader, who shares the offset, begins at the start.
  const bytes = Buffer.from(content)
  let written = 0
  while (written < bytes.length)
    written += writeSync(descriptor, bytes, written, bytes.length - written, written)
  return descriptor
}

function openFirst(paths: readonly string[]): number {
  let reason: unknown
  for (const path of paths) {
    try {
      const descriptor = openSync(path, 'wx+', 0o600)
      unlinkSync(path)
      return descriptor
    } catch (error) {
      reason = error
    }
  }
  throw reason
}
