import { isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { redact } from '../../src/mesh/redact.ts'
import { encodeToken } from '../../src/mesh/token.ts'
import type { MeshId } from '../../src/model/node.ts'
import type { Sensitive } from '../../src/model/report.ts'

function redacted(text: string, known: Partial<Sensitive> = {}, ownWords: readonly string[] = []): string {
  const sensitive = { secrets: [], publicKeys: [], hosts: [], ...known }
  return redact([text], { sensitive, ownWords })[0] as string
}

/** How the report's texts hold a word, `~` standing for it. */
const anywhere = fc.constantFrom(
  ...['~', '  ~\n', 'x ~, y', '"~"', "'~'", '(~)', '[~]', '{"reason":"no ~ here","n":1}', '{a: ~, b: 1}'],
  ...['key=~', '# ~', 'said ~\nand ~ again', '\t~\t', 'at ~: refused', '<~>', '|~|', '~;', 'was\u00a0~'],
)
const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytes => Buffer.from(bytes))

function put(word: string, into: string): string {
  return into.replaceAll('~', () => word)
}

/** No piece of a secret that is worth anything. */
function expectNothingOf(secret: string, text: string): void {
  for (let start = 0; start + 10 <= secret.length; start += 1)
    expect(text).not.toContain(secret.slice(start, start + 10))
}

describe('secrets', () => {
  it('go when they are keys of WireGuard, known or not', () => {
    fc.assert(
      fc.property(key, anywhere, (bytes, context) => {
        const secret = bytes.toString('base64')
        expectNothingOf(secret, redacted(put(secret, context)))
      }),
    )
  })

  it('go in every spelling that is known', () => {
    const spelling = fc.constantFrom('base64', 'base64url', 'hex')
    fc.assert(
      fc.property(key, spelling, anywhere, (bytes, how, context) => {
        const secret = bytes.toString(how as BufferEncoding).replace(/=$/, '')
        expectNothingOf(secret, redacted(put(secret, context), { secrets: [secret] }))
      }),
    )
  })

  it('go as the value of what is called a secret, whatever they are and however YAML writes it', () => {
    const value = fc.stringMatching(/^[A-Za-z0-9!%$?*=+/~ ]{12,60}$/).filter(text => text.trim().length > 11)
    const style = fc.constantFrom('PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'BLOCK_FOLDED', 'BLOCK_LITERAL')
    fc.assert(
      fc.property(value, style, (secret, defaultStringType) => {
        const document = { name: 'gauss', mesh: { secret, after: 'kept' } }
        const text = redacted(stringify(document, { defaultStringType, lineWidth: 30 }))
        for (const line of secret.split(/\s+/).filter(word => word.length > 5))
          expect(text).not.toContain(line)
        expect(text).toContain('gauss')
        expect(text).toContain('kept')
      }),
    )
  })

  it.each([
    ['JSON', '{"presharedKey":"~","name":"gauss"}', '{"presharedKey":"(secret)","name":"gauss"}'],
    ['escaped JSON', '"{\\"token\\":\\"~\\"}"', '"{\\"token\\":\\"(secret)\\"}"'],
    [
      'a sentence in JSON',
      '{"text":"with LNETD_TOKEN=~","n":1}',
      '{"text":"with LNETD_TOKEN=(secret)","n":1}',
    ],
    ['escaped quotes', '{"token":"a\\"~\\"b","n":1}', '{"token":"(secret)","n":1}'],
    ['single quotes', "{secret: '~'}", "{secret: '(secret)'}"],
    ['an open quote', 'token="~', 'token=(secret)'],
    ['flow YAML', 'mesh: {secret: ~, id: 00}', 'mesh: {secret: (secret), id: 00}'],
    ['a wg-quick file', 'PrivateKey = ~\nAddress', 'PrivateKey = (secret)\nAddress'],
    ['an environment', 'LNETD_TOKEN=~', 'LNETD_TOKEN=(secret)'],
  ])('go as the value in %s', (_, text, expected) => {
    expect(redacted(put('h-u-n-t-e-r-2', text))).toContain(expected)
    expect(redacted(put('h-u-n-t-e-r-2', text))).not.toContain('h-u-n-t-e-r-2')
  })

  it('go as a value in JSON, which stays JSON', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), token => {
        const text = redacted(JSON.stringify({ before: 1, token, after: 'kept' }))
        expect(JSON.parse(text)).toEqual({ before: 1, token: '(secret)', after: 'kept' })
      }),
    )
  })

  it('go with the token they are in, also where it is broken into lines', () => {
    fc.assert(
      fc.property(key, fc.integer({ min: 40, max: 100 }), anywhere, (secret, width, context) => {
        const mesh = '00112233445566778899aabbccddeeff' as MeshId
        const made = encodeToken({ mesh, secret, bootstrap: [], tunnelPrefix: null, segments: [] })
        const token = made.ok ? made.value : ''
        expectNothingOf(token, redacted(put(token, context)))
        const lines = token.match(new RegExp(`.{${width},}?(?=.{${width}}|$)`, 'g')) ?? []
        expect(lines.join('')).toBe(token)
        expectNothingOf(token.slice(20), redacted(put(lines.join('\n'), context)))
      }),
    )
  })

  it('leave public keys, in short, unless they are secret as well', () => {
    fc.assert(
      fc.property(key, anywhere, (bytes, context) => {
        const publicKey = bytes.toString('base64')
        const short = redacted(put(publicKey, context), { publicKeys: [publicKey] })
        expect(short).not.toContain(publicKey)
        if (!context.includes('=~')) expect(short).toContain(`${publicKey.slice(0, 8)}...`)
        const both = { publicKeys: [publicKey], secrets: [publicKey] }
        expectNothingOf(publicKey, redacted(put(publicKey, context), both))
      }),
    )
  })
})

/** How addresses stand in what tools and lnet say, beside `anywhere`. */
const placed = fc.oneof(
  anywhere,
  fc.constantFrom(
    ...['inet ~/24 brd', 'via ~ dev eth0', 'endpoint: ~:51820', '[~]:51820', '/ip4/~/tcp/51821/p2p/x', '~.'],
    ...[
      'IP ~.51820 > 10.0.0.1.51820',
      'from ~-~',
      'inet~',
      'x~x',
      '{ ~, ~/32 }',
      'https://~/',
      '~%eth0',
      '~ ',
    ],
    ...['~: no route', 'to ~:51820: timed out', 'failed:~', 'the end is ~. Then', '"~,~"', '10.0.0.1,~'],
  ),
)

/** IANA special-purpose registries: what is private, local, or of a group. */
function isLocalIpv4(address: string): boolean {
  const [a = 0, b = 0] = address.split('.').map(Number)
  if ([0, 10, 127].includes(a) || (a >= 224 && a < 240) || address === '255.255.255.255') return true
  if (a === 100) return b >= 64 && b < 128
  if (a === 172) return b >= 16 && b < 32
  return (a === 192 && b === 168) || (a === 169 && b === 254)
}

function canonical(address: string): string {
  return new URL(`http://[${address}]/`).hostname
}

function isLocalIpv6(address: string): boolean {
  return /^\[(f[cdf][0-9a-f]{2}:|fe[89ab][0-9a-f]:|::1?\])/.test(canonical(address))
}

const ipv4 = fc.ipV4()
const publicIpv4 = ipv4.filter(address => !isLocalIpv4(address))
const publicIpv6 = fc.ipV6().filter(address => !isLocalIpv6(address))

describe('addresses', () => {
  it('go when they are public IPv4', () => {
    fc.assert(
      fc.property(publicIpv4, placed, (address, context) => {
        expect(redacted(put(address, context))).not.toContain(address)
      }),
    )
  })

  it('go when they are public IPv6, in any spelling', () => {
    fc.assert(
      fc.property(publicIpv6, fc.boolean(), placed, (address, upper, context) => {
        const spelled = upper ? address.toUpperCase() : address
        // A letter of a word before it may be a digit of it.
        const text = redacted(put(spelled, context))
        expect(text).not.toContain(spelled)
        const left = (text.match(/[0-9a-f:.]+/gi) ?? []).filter(isIPv6).map(canonical)
        expect(left).not.toContain(canonical(address))
      }),
      { numRuns: 500 },
    )
  })

  it('stay when they are private, local or of a group', () => {
    const local4 = ipv4.filter(isLocalIpv4)
    const local6 = fc
      .tuple(
        fc.constantFrom('fd00', 'fc12', 'fe80', 'ff02'),
        fc.ipV6().filter(text => /^[1-9a-f]{1,4}:[^:.][^.]*:[^.]*$/.test(text)),
      )
      .map(([head, tail]) => tail.replace(/^[^:]+/, head))
    fc.assert(
      fc.property(
        fc.oneof(local4, local6),
        fc.constantFrom('inet ~/24', '[~]:51820', 'x ~\n'),
        (address, context) => {
          expect(redacted(put(address, context))).toBe(put(address, context))
        },
      ),
    )
  })

  it.each([
    ['the IPv4 mapped into it', '::ffff:203.0.113.7'],
    ['6to4', '2002:cb00:7107::1'],
    ['NAT64', '64:ff9b::203.0.113.7'],
  ])('go when they hold %s', (_, address) => {
    expect(redacted(`from ${address} dev x`)).toBe('from public-ipv6-1 dev x')
  })

  it('keep who is who, over all texts and spellings', () => {
    const texts = [
      '2001:DB8::1 and 203.0.113.7',
      '203.0.113.8, 203.0.113.007, 2001:db8:0:0::1, [2001:db8::2]:51820',
    ]
    const known = { sensitive: { secrets: [], publicKeys: [], hosts: [] }, ownWords: [] }
    expect(redact(texts, known)).toEqual([
      'public-ipv6-1 and public-ipv4-1',
      'public-ipv4-2, public-ipv4-1, public-ipv6-1, [public-ipv6-2]:51820',
    ])
  })
})

describe('DNS names', () => {
  // The others are no endings of DNS names, but of files and units.
  const name = fc
    .domain()
    .filter(
      host =>
        !/\.(conf|deb|js|json|jsonl|key|log|old|secret|service|slice|sock|socket|timer|ts|yaml|yml)$/.test(
          host,
        ),
    )
  const named = fc.oneof(
    anywhere,
    fc.constantFrom(
      ...[
        '~:51820',
        '/dns4/~/tcp/51821',
        '/dns/~/tcp/1/p2p/12D3',
        'https://~/x',
        'user@~',
        '~.',
        '~.51820',
        '-~-',
      ],
      ...['getaddrinfo ENOTFOUND ~', 'bootstrap: [~, 10.0.0.1]', '- ~', 'see ~...', 'looking at ~ (again)'],
    ),
  )

  it('go, known or not', () => {
    fc.assert(
      fc.property(name, named, (host, context) => {
        expect(redacted(put(host, context)).toLowerCase()).not.toContain(host.toLowerCase())
      }),
    )
  })

  it('go when they are known, whatever they look like', () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9-]{6,20}[a-z0-9]$/)
    const ending = fc.constantFrom('', '.service', '.json', '.3com', '.lan')
    fc.assert(
      fc.property(label, ending, named, fc.boolean(), (first, last, context, upper) => {
        const host = `${first}${last}`
        const written = upper ? host.toUpperCase() : host
        const text = redacted(put(written, context), { hosts: [host] }, [host])
        expect(text.toLowerCase()).not.toContain(host)
      }),
    )
  })

  it('keep who is who', () => {
    expect(redacted('vps.example.org VPS.example.org:1 -- other.example.org. vps', { hosts: ['vps'] })).toBe(
      'dns-name-1 dns-name-1:1 -- dns-name-2. dns-name-3',
    )
  })
})

it('leaves alone what tells of the machine and not of where it is', () => {
  const text = [
    '2026-11-23T10:58:38.123Z {"level":"info","event":"daemon.starting","software":"0.1.0"}',
    'link/ether 02:00:5e:00:53:01 brd ff:ff:ff:ff:ff:ff',
    '00:00:00:00:00:00 dev vlnet0 dst fd12::7 via lnet0 self permanent',
    'default dev lnet0 proto 201 table 20201, 0.0.0.0/0, ::/0, fe80::1%eth0',
    'Linux 6.1.0-49-amd64 #1 SMP; nftables v1.0.6 (Lester Gooch #5); eth0.100; net.ipv4.ip_forward',
    '/etc/lnetd/lnetd.yaml:3: tunnel.prefix has to be the same; see lnetd.service and mesh.secret_file',
    'eth0.100 vlnet0 br-lan x86_64-linux-gnu',
    'Error: no at Parser.read (/usr/lib/lnetd/lnetd.js:7:31)\\n    at async Promise.all (index 0)',
    '12D3KooWQCkBm1BYtkHpocxCwMgR8yjitEeHGx8spzcDLGt2gkBm 00112233445566778899aabbccddeeff',
    'one thing e.g. this... and -- that; took 1.5 s, 10:58:38; a.b',
  ].join('\n')
  expect(redacted(text, {}, ['daemon.starting', 'tunnel.prefix'])).toBe(text)
})

it.each([
  ...'a1-.:=/ "\n',
  'a.',
  '1.',
  'a:',
  '::',
  'secret:\n',
  'at a.',
  '"\\',
  'lnet1-',
  'secret="\\',
  'token=',
])('takes long texts of %j in its stride', unit => {
  const text = unit.repeat(500_000 / unit.length)
  expect(redacted(text).length).toBeGreaterThan(0)
})
