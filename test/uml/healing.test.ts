import { join } from 'node:path'
import { execa } from 'execa'
import { expect, it } from 'vitest'
import { node24, root } from '../lab/node.ts'

/**
 * Scenarios of `npm run chaos` that a kernel's own WireGuard could heal otherwise than wireguard-go. By the guest's clock
 * what they measure is the protocol alone.
 */
const scenarios = ['daemon-all-killed', 'reboot-bootstrap-dead', 'cable-60s']

it.each(scenarios)('heals: %s', async scenario => {
  const { all, exitCode } = await execa(node24, [join(root, 'test/chaos/main.ts'), scenario], {
    all: true,
    reject: false,
    stdin: 'ignore',
  })
  console.log(all)
  expect(exitCode, all).toBe(0)
})
