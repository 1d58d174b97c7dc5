import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { playedInGuest } from './uml/played-in-guest.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Real daemons on a shared machine: what failed is tried once more, and the report counts the tries. */
const retries = 1

/**
 * `unit` runs anywhere; `lab` needs root and makes network namespaces, one file at a time, and leaves to the guest what
 * spends minutes waiting unless LNET_LAB=all; `uml` runs in a guest of
 * its own kernel, where `npm run test:kernel` takes it; `package` needs what `npm run test:package` prepares.
 */
export default defineConfig({
  test: {
    root,
    projects: [
      {
        test: {
          name: 'unit',
          root,
          include: ['test/**/*.test.ts'],
          exclude: ['test/lab/**', 'test/uml/**', 'test/package/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'lab',
          root,
          include: ['test/lab/**/*.test.ts'],
          exclude: process.env.LNET_LAB === 'all' ? [] : [...playedInGuest],
          fileParallelism: false,
          retry: retries,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'package',
          root,
          include: ['test/package/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 900_000,
        },
      },
      {
        test: {
          name: 'uml',
          root,
          include: ['test/uml/**/*.test.ts'],
          fileParallelism: false,
          retry: retries,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
})
