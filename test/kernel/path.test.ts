import { describe, expect, it } from 'vitest'
import { askPath } from '../../src/kernel/path.ts'
import type { IpAddress } from '../../src/model/address.ts'

describe('the path to an address', () => {
  it('begins at this machine’s own address and device', async () => {
    expect(await askPath('127.0.0.1' as IpAddress)).toEqual({ ok: true, source: '127.0.0.1', device: 'lo' })
  })

  it('is an error, and nothing thrown, where there is none', async () => {
    // Limited broadcast: refused by the socket, whatever routes there are.
    expect(await askPath('255.255.255.255' as IpAddress)).toEqual({ ok: false, error: 'EACCES' })
  })
})
