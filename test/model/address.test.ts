import { isIP, isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addressOf,
  compareAddresses,
  endpoint,
  familyOf,
  hostAddress,
  hostOf,
  hostPrefix,
  ipAddressBytes,
  ipAddressFromBytes,
  isHostOf,
  lengthOf,
  type Port,
  type Prefix,
  parseEndpoint,
  parseHostPort,
  parseInterfaceAddress,
  parseInterfaceName,
  parseIpAddress,
  parseMacAddress,
  parsePort,
  parsePrefix,
  portOf,
  prefixContains,
  prefixesOverlap,
  prefixOf,
} from '../../src/model/address.ts'
import { sure } from '../mesh/world.ts'

const port = 51_820 as Port

describe('addresses', () => {
  it('take what the system takes, less zones and mapped IPv4', () => {
    fc.assert(
      fc.property(anyAddressText, text => {
        const expected = isIP(text) !== 0 && !text.includes('%') && !isMapped(text)
        expect(parseIpAddress(text) !== null).toBe(expected)
      }),
    )
  })

  it('are written as URLs write them', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), text => {
        fc.pre(!isMapped(text))
        const address = sure(parseIpAddress(text))
        expect(address).toBe(isIPv4(text) ? text : new URL(`http://[${text}]/`).hostname.slice(1, -1))
        expect(parseIpAddress(address)).toBe(address)
        expect(ipAddressFromBytes(ipAddressBytes(address))).toBe(address)
      }),
    )
  })

  it.each([
    '',
    ' ',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '0x7f.0.0.1',
    '2130706433',
    '1.2.3.4 ',
    '1.2.3.4/24',
    '１.2.3.4',
    ':',
    ':::',
    '1::2::3',
    'fe80::1%eth0',
    '::ffff:1.2.3.4',
    '::ffff:102:304',
    '::1.2.3.4',
    '[::1]',
    'g::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'x'.repeat(10_000),
    '\u0000',
    '1.2.3.4\n',
  ])('refuse %j', text => {
    expect(parseIpAddress(text)).toBeNull()
  })

  it('are given out as copies', () => {
    const address = sure(parseIpAddress('10.1.2.3'))
    ipAddressBytes(address).fill(0)
    expect([...ipAddressBytes(address)]).toEqual([10, 1, 2, 3])
  })

  it('sort by family, number and length', () => {
    fc.assert(
      fc.property(addressWithLength, addressWithLength, ([a, lengthA], [b, lengthB]) => {
        const expected =
          Math.sign(bits(a).length - bits(b).length) || compareStrings(bits(a), bits(b)) || lengthA - lengthB
        expect(Math.sign(compareAddresses(`${a}/${lengthA}`, `${b}/${lengthB}`))).toBe(Math.sign(expected))
      }),
    )
  })
})

describe('prefixes', () => {
  it('are what bit arithmetic says', () => {
    fc.assert(
      fc.property(addressWithLength, anyAddress, ([text, length], other) => {
        const interfaceAddress = sure(parseInterfaceAddress(`${text}/${length}`))
        const prefix = prefixOf(interfaceAddress)
        const width = bits(text).length
        expect(bits(addressOf(prefix))).toBe(bits(text).slice(0, length).padEnd(width, '0'))
        expect(lengthOf(prefix)).toBe(length)
        expect(parsePrefix(prefix)).toBe(prefix)
        expect(prefixContains(prefix, addressOf(interfaceAddress))).toBe(true)
        const inside = bits(other).length === width && bits(other).startsWith(bits(text).slice(0, length))
        expect(prefixContains(prefix, other)).toBe(inside)
      }),
    )
  })

  it('overlap when one is in the other', () => {
    fc.assert(
      fc.property(addressWithLength, addressWithLength, ([a, lengthA], [b, lengthB]) => {
        const shortest = Math.min(lengthA, lengthB)
        const same =
          bits(a).length === bits(b).length && bits(a).slice(0, shortest) === bits(b).slice(0, shortest)
        const [left, right] = [`${a}/${lengthA}`, `${b}/${lengthB}`].map(text =>
          prefixOf(sure(parseInterfaceAddress(text))),
        ) as [Prefix, Prefix]
        expect(prefixesOverlap(left, right)).toBe(same)
        expect(prefixesOverlap(right, left)).toBe(same)
      }),
    )
  })

  it('tell hosts from the network and its broadcast address', () => {
    const hosts = (prefix: string, texts: readonly string[]) =>
      texts.filter(text => isHostOf(sure(parsePrefix(prefix)), sure(parseIpAddress(text))))
    expect(hosts('10.0.0.0/30', ['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'])).toEqual([
      '10.0.0.1',
      '10.0.0.2',
    ])
    expect(hosts('10.0.0.0/31', ['10.0.0.0', '10.0.0.1', '10.0.0.2'])).toEqual(['10.0.0.0', '10.0.0.1'])
    expect(hosts('10.0.0.5/32', ['10.0.0.4', '10.0.0.5'])).toEqual(['10.0.0.5'])
    expect(hosts('10.0.0.0/20', ['10.0.0.255', '10.0.15.255', '10.0.1.0'])).toEqual([
      '10.0.0.255',
      '10.0.1.0',
    ])
    expect(hosts('fd00::/64', ['fd00::', 'fd00::1', '10.0.0.1'])).toEqual(['fd00::', 'fd00::1'])
  })

  it('of one host', () => {
    expect(hostPrefix(sure(parseIpAddress('10.0.0.5')))).toBe('10.0.0.5/32')
    expect(hostPrefix(sure(parseIpAddress('fd00::5')))).toBe('fd00::5/128')
  })

  it.each([
    '10.0.0.1/24',
    '10.0.0.0/33',
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/024',
    '10.0.0.0/8/8',
    '::/129',
    '/8',
  ])('are not %j', text => {
    expect(parsePrefix(text)).toBeNull()
  })
})

describe('places', () => {
  it('come apart as they were put together', () => {
    fc.assert(
      fc.property(anyAddress, fc.integer({ min: 1, max: 65_535 }), (address, number) => {
        const made = endpoint(address, sure(parsePort(number)))
        expect(parseEndpoint(made)).toBe(made)
        expect(hostAddress(made)).toBe(address)
        expect(hostOf(made)).toBe(address)
        expect(portOf(made)).toBe(number)
        expect(parseHostPort(address, sure(parsePort(number)))).toBe(made)
      }),
    )
  })

  it.each([
    ['VPS.Example.org:1', 'vps.example.org:1'],
    ['vps.example.org', 'vps.example.org:51820'],
    ['203.0.113.7', '203.0.113.7:51820'],
    ['2001:DB8::1', '[2001:db8::1]:51820'],
    ['[2001:db8::1]:7', '[2001:db8::1]:7'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example:51820'],
    ['1.example', '1.example:51820'],
  ])('%s is %s', (text, expected) => {
    expect(parseHostPort(text, port)).toBe(expected)
  })

  it.each([
    '',
    ':1',
    'a:0',
    'a:65536',
    'a:1:2',
    '[a]:1',
    '[1.2.3.4]:1',
    '2001:db8::1:',
    'a b:1',
    '-a:1',
    'a-:1',
    'a..b:1',
    '1.2.3:1',
    '0x7f.1:1',
    '127.0x1:1',
    'a.0x:1',
    '2130706433:1',
    `${'a'.repeat(64)}:1`,
    `${'a.'.repeat(150)}a:1`,
    'a:1\n',
    '$(id):1',
  ])('%j is none', text => {
    expect(parseHostPort(text, port)).toBeNull()
  })
})

describe('device words', () => {
  it.each([
    ['02:00:5E:00:53:01', '02:00:5e:00:53:01'],
    ['ff:ff:ff:ff:ff:ff', null],
    ['01:00:5e:00:00:01', null],
    ['00:00:00:00:00:00', null],
    ['02:00:5e:00:53', null],
    ['02-00-5e-00-53-01', null],
    ['02:00:5e:00:53:01 ', null],
  ])('MAC %j is %j', (text, expected) => {
    expect(parseMacAddress(text)).toBe(expected)
  })

  it.each(['lnet0', 'v-lnet_0', 'a'.repeat(15)])('interface %s', text => {
    expect(parseInterfaceName(text)).toBe(text)
  })

  it.each(['', '0lnet', 'a'.repeat(16), 'a/b', 'a.b', '..', 'a b', 'a;b', 'all', 'default', 'é'])(
    'no interface %j',
    text => {
      expect(parseInterfaceName(text)).toBeNull()
    },
  )
})

const anyAddress = fc
  .oneof(fc.ipV4(), fc.ipV6())
  .map(parseIpAddress)
  .filter(address => address !== null)

const addressWithLength = anyAddress.chain(address =>
  fc.tuple(fc.constant(address), fc.integer({ min: 0, max: familyOf(address) === 4 ? 32 : 128 })),
)

const anyAddressText = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV4Extended(),
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.%/x'), maxLength: 50 }),
  fc.string(),
)

/** ::ffff:0:0/96 is IPv4 in IPv6's clothes; `::1.2.3.4`, long deprecated, is read as such. */
function isMapped(text: string): boolean {
  if (!isIPv6(text)) return false
  const canonical = new URL(`http://[${text.replace(/%.*/, '')}]/`).hostname
  return /^\[::ffff:[0-9a-f]{1,4}:[0-9a-f]{1,4}\]$/.test(canonical) || /^::[^:]*\./.test(text)
}

function bits(address: string): string {
  return [...ipAddressBytes(sure(parseIpAddress(address)))]
    .map(byte => byte.toString(2).padStart(8, '0'))
    .join('')
}

function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
