import { join } from 'node:path'
import { execa } from 'execa'
import { expect } from 'vitest'
import { node24, root } from '../lab/root.ts'

/** A scenario of `npm run chaos`, in the guest. By its clock what is measured is the protocol alone. */
export async function play(scenario: string): Promise<void> {
  const { all, exitCode } = await execa(node24, [join(root, 'test/chaos/main.ts'), scenario], {
    all: true,
    reject: false,
    stdin: 'ignore',
  })
  console.log(all)
  expect(exitCode, all).toBe(0)
}
