import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { refuses } from '../../src/kernel/refuses.ts'
import type { IpAddress, Port } from '../../src/model/address.ts'

it('tells a port where nothing listens from one that is open', async () => {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  expect(await refuses('127.0.0.1' as IpAddress, port as Port)).toBe(false)
  await new Promise(resolve => server.close(resolve))
  expect(await refuses('127.0.0.1' as IpAddress, port as Port)).toBe(true)
})
