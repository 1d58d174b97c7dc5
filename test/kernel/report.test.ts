import { expect, it } from 'vitest'
import { publicKeysIn } from '../../src/kernel/report.ts'

it('finds the public keys in what wg show prints, and no other', () => {
  const [own, peer, secret] = ['o', 'p', 's'].map(letter => `${letter.repeat(42)}A=`)
  const text = [
    ...['interface: wg0', `  public key: ${own}`, `  private key: ${secret}`, '  listening port: 51820', ''],
    ...[`peer: ${peer}`, `  preshared key: ${secret}`, '  endpoint: 192.0.2.1:51820', ''],
  ].join('\n')
  expect(publicKeysIn(text)).toEqual([own, peer])
})
