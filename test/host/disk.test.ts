import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { testDirectory } from './directory.ts'

/** Mounting needs root, or the right to make user namespaces. */
const canMount = spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt']).status === 0

describe.skipIf(!canMount)('a full disk', () => {
  it('loses nothing that was there, is told with its remedy, and is over when there is space', () => {
    const outcome = JSON.parse(onMount('size=128k', 'test/host/small-disk.ts'))
    const isFull = {
      ok: false,
      failure: {
        what: expect.stringMatching(/^cannot /),
        why: 'the disk is full',
        remedy: 'free some space',
      },
    }
    expect(outcome).toMatchObject({
      before: { ok: true },
      full: { state: isFull, members: isFull, keyring: isFull, init: isFull },
      reopenedFull: { incarnation: 1 },
      kept: { incarnation: 1 },
      after: { ok: true },
      leftovers: [],
    })
  })
})

describe.skipIf(!canMount)('a read-only disk', () => {
  it('is told with its remedy', () => {
    const outcome = JSON.parse(onMount('size=128k,ro', 'test/host/read-only-disk.ts'))
    const isReadOnly = { ok: false, failure: { why: expect.stringContaining('read-only') } }
    expect(outcome).toMatchObject({ store: isReadOnly, keyring: isReadOnly, init: isReadOnly })
  })
})

/** Runs a script on a file system of its own, which goes with its mount namespace. */
function onMount(options: string, script: string): string {
  const directory = testDirectory()
  const command = 'mount -t tmpfs -o "$1" tmpfs "$2" && exec "$3" "$4" "$2"'
  const run = spawnSync('unshare', [
    '-m',
    'sh',
    '-c',
    command,
    'sh',
    options,
    directory,
    process.execPath,
    script,
  ])
  expect(run.stderr.toString()).toBe('')
  return run.stdout.toString()
}
