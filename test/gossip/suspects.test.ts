import type { MultiaddrConnection } from '@libp2p/interface'
import { expect, it } from 'vitest'
import { watchSuspects } from '../../src/gossip/suspects.ts'
import { inboundFailuresMin, inboundSuspectsMax } from '../../src/model/limits.ts'

class FakeConnection extends EventTarget {
  readonly remoteAddr: string

  constructor(host: string) {
    super()
    this.remoteAddr = `/ip4/${host}/tcp/9`
  }
}

function come(suspects: ReturnType<typeof watchSuspects>, host: string, spoke: boolean): void {
  const connection = new FakeConnection(host)
  suspects.watch(connection as unknown as MultiaddrConnection)
  if (spoke) suspects.spoke(connection as unknown as MultiaddrConnection)
  connection.dispatchEvent(new Event('close'))
}

it('suspects another secret of those alone that began a handshake', () => {
  const suspects = watchSuspects(() => 0)
  for (let index = 0; index < inboundFailuresMin; index += 1) {
    come(suspects, '192.0.2.1', false)
    come(suspects, '192.0.2.2', true)
  }
  expect(suspects.reports().map(({ target, secretMayDiffer }) => [target, secretMayDiffer])).toEqual([
    ['from 192.0.2.1', false],
    ['from 192.0.2.2', true],
  ])
})

it('counts strangers of any number of addresses, in bounded memory', () => {
  const suspects = watchSuspects(() => 0)
  for (let index = 0; index < 5000; index += 1) come(suspects, `198.51.${index >> 8}.${index & 255}`, true)
  const [others, ...rest] = suspects.reports()
  expect(rest).toEqual([])
  expect(others).toMatchObject({
    target: 'from other addresses',
    direction: 'inbound',
    failures: 5000 - inboundSuspectsMax,
    secretMayDiffer: false,
  })
})
