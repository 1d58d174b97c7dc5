/**
 * Files of the lab that spend minutes waiting, for loops, storms, gateways and heartbeats. Where all lists run, a guest
 * plays them in virtual time on the kernel's own WireGuard; `npm test` alone leaves them out, `npm test -- --all` does not.
 */
export const playedInGuest: readonly string[] = [
  'test/lab/bridge.test.ts',
  'test/lab/loop.test.ts',
  'test/lab/flood.test.ts',
  'test/lab/gateway.test.ts',
  'test/lab/shapes.test.ts',
  'test/lab/discovery.test.ts',
  'test/lab/silence.test.ts',
  'test/lab/theft.test.ts',
]
