import { createInterface } from 'node:readline'
import { createLinuxKernel } from '../../src/kernel/linux.ts'
import type { InterfaceName, Port } from '../../src/model/address.ts'
import { mesh, otherPrivateKey, secrets } from '../kernel/state.ts'

/** The Linux adapter behind a pipe: a request a line, an answer a line, events in between. */
export type Request =
  | { readonly method: 'observe' | 'watch' | 'unwatch' | 'preflight' }
  | { readonly method: 'apply' | 'speak' | 'glance'; readonly argument: unknown }

const kernel = createLinuxKernel({
  mesh,
  tunnel: { interface: 'lnet0' as InterfaceName, port: 51_820 as Port, implementation: null, prefix: null },
  start: { gossipPort: null, segments: [] },
  // The second node of a pair has the other key.
  secrets: process.env.KERNEL_AGENT === 'other' ? { ...secrets, privateKey: otherPrivateKey } : secrets,
  probeKey: new Uint8Array(32),
  wanted: () => ['lnet0', 'vlnet0'] as InterfaceName[],
  networks: () => [],
  forwarders: () => [],
  bridges: () => ['br0'],
  log: failure => say({ failure }),
  restored: () => undefined,
})
const watches: { close(): void }[] = []

for await (const line of createInterface({ input: process.stdin })) {
  const began = performance.now()
  const result = await answer(JSON.parse(line))
  say({ result: result ?? null, milliseconds: performance.now() - began })
}
for (const watch of watches) watch.close()

function answer(request: Request): unknown {
  switch (request.method) {
    case 'apply':
      return kernel.apply(request.argument as never)
    case 'speak':
      return kernel.speak(request.argument as never)
    case 'glance':
      return kernel.glance(request.argument as never)
    case 'watch':
      watches.push(kernel.watch(event => say({ event, at: Date.now() })))
      return null
    case 'unwatch':
      watches.pop()?.close()
      return null
    default:
      return kernel[request.method]()
  }
}

function say(message: unknown): void {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
