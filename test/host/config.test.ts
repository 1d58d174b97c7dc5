import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkConfiguration,
  describeConfigurationProblem,
  type LoadedConfiguration,
  loadConfiguration,
  parseConfiguration,
} from '../../src/host/config.ts'
import type { Configuration } from '../../src/model/configuration.ts'
import { configBytesMax } from '../../src/model/limits.ts'
import { testDirectory } from './directory.ts'

const inlineSecret = Buffer.alloc(32, 7).toString('base64')
const secretFile = 'mesh: { secret_file: /etc/lnetd/mesh.secret }\n'
const sample = readFileSync('config/lnetd.yaml', 'utf8')

describe('a configuration with nothing but its secret', () => {
  it('has the defaults of the design', () => {
    expect(accepted(secretFile)).toEqual({
      name: 'gauss',
      mesh: { secret: { kind: 'file', path: '/etc/lnetd/mesh.secret' }, id: null },
      bootstrap: [],
      discovery: { mdns: true },
      gossip: { port: 51_821, heartbeatSeconds: 60 },
      tunnel: {
        interface: 'lnet0',
        port: 51_820,
        endpoints: [],
        prefix: null,
        address: null,
        keepaliveSeconds: 25,
        takeOver: false,
        implementation: null,
      },
      segments: [
        {
          interface: 'vlnet0',
          vni: 49_371,
          port: 4789,
          prefixes: ['192.168.102.0/24'],
          addresses: null,
          mtu: null,
          ageingSeconds: 300,
          routerAdvertisements: false,
          floodLimit: 10_000,
          deriveIpv6: true,
          bridge: null,
        },
      ],
      staticMembers: [],
      gateway: null,
      defaultVia: null,
      acceptRoutes: 'none',
      forgetAfterSeconds: 7 * 24 * 3600,
      stateDir: '/var/lib/lnetd',
      socket: '/run/lnetd/lnetd.sock',
      metrics: null,
      names: false,
      log: { level: 'info' },
    })
  })

  it('may hold the secret itself, which does not get into the configuration', () => {
    const loaded = parseConfiguration(`mesh:\n  secret: ${inlineSecret}\n`, 'gauss')
    expect(loaded).toMatchObject({ ok: true, inlineSecret })
    if (loaded.ok) expect(JSON.stringify(loaded.configuration)).not.toContain(inlineSecret)
  })

  it('counts keys without a value as left out', () => {
    expect(accepted(`${secretFile}bootstrap:\ntunnel:\nsegments: ~\n`)).toEqual(accepted(secretFile))
  })
})

describe('a gateway', () => {
  const base = `${secretFile}gateway:\n  interface: eth0\n  segments: [vlnet0]\n`

  it('is for everywhere unless it has routes', () => {
    expect(accepted(base).gateway).toEqual({
      interface: 'eth0',
      segments: ['vlnet0'],
      nat: true,
      everywhere: true,
      routes: [],
    })
    expect(accepted(`${base}  routes: [10.20.0.0/16]\n`).gateway).toMatchObject({ everywhere: false })
    expect(accepted(`${secretFile}default_via: auto\n`).defaultVia).toBe('auto')
  })

  it('is named by its name, or by its name and id where two have one name', () => {
    const id = `12D3KooW${'1'.repeat(44)}`
    expect(accepted(`${secretFile}default_via: gauss\n`).defaultVia).toEqual({ name: 'gauss', node: null })
    expect(accepted(`${secretFile}default_via: gauss/${id}\n`).defaultVia).toEqual({
      name: 'gauss',
      node: id,
    })
  })

  it('offers routes that are taken where they are private, or listed by network or node', () => {
    const taken = (value: string) => accepted(`${secretFile}accept_routes: ${value}\n`).acceptRoutes
    expect([taken('false'), taken('true')]).toEqual(['none', 'private'])
    expect(taken('[10.0.0.0/8, gauss, "fd00::/8"]')).toEqual({
      networks: ['10.0.0.0/8', 'fd00::/8'],
      members: [{ name: 'gauss', node: null }],
    })
  })

  it.each([
    ['accept_routes: [10.0.0.1/8]', 'has host bits: the network of 10.0.0.1/8 is 10.0.0.0/8'],
    ['accept_routes: [gauss/12D3]', 'must be a network such as 10.20.0.0/16, or a node'],
    ['accept_routes: [true]', 'must be a network such as 10.20.0.0/16, or a node'],
    ['accept_routes: sometimes', 'must be true or false'],
    ['accept_routes: {}', 'must be a single value'],
    [`accept_routes: [${'a,'.repeat(65)}]`, 'must have at most 64 entries'],
    ['default_via: gauss/euler', "must be a node's name such as gauss"],
    ['default_via: gauss/', "must be a node's name such as gauss"],
  ])('is refused where it names nothing: %s', (line, reason) => {
    expect(problems(`${secretFile}${line}\n`).join('\n')).toContain(reason)
  })

  it.each([
    [base.replace('[vlnet0]', '[vlan9]'), 'there is no segment vlan9'],
    [base.replace('  segments: [vlnet0]\n', ''), 'gateway.segments: is missing'],
    [base.replace('eth0', 'vlnet0'), 'vlnet0 is inside the mesh'],
    [`${base}  everywhere: false\n`, 'lead nowhere'],
    [`${base}  routes: ["fd00::/64"]\n`, 'fd00::/64 is not IPv4'],
    [`${base}default_via: gauss\n`, 'packets would go in circles'],
    [`${secretFile}gateway: eth0\n`, 'gateway: must be a map'],
  ])('is refused where it cannot work: %#', (text, reason) => {
    expect(problems(text).join('\n')).toContain(reason)
  })
})

describe('the example of the design', () => {
  it('is taken', () => {
    const configuration = accepted(`
name: gauss
mesh:
  secret_file: /etc/lnetd/mesh.secret
  id: 4f1c9a0e6d2b48b7a3c5d7e9f1a2b3c4
bootstrap:
  - 203.0.113.7
discovery: { mdns: true }
gossip: { port: 51821, heartbeat: 60s }
tunnel:
  interface: lnet0
  port: 51820
  endpoints: [vps.example.org:51820]
  prefix: 192.168.228.0/24
  address: 192.168.228.166
  keepalive: 25s
  implementation: auto
segments:
  - interface: vlnet0
    vni: 49371
    port: 4789
    prefixes: [192.168.102.0/24]
    addresses: [192.168.102.1/24, "fde9:632e:2c3f:0:62bb:bbe3:3778:37ad/64"]
    bridge: br0
state_dir: /var/lib/lnetd
socket: /run/lnetd/lnetd.sock
log: { level: info }
`)
    expect(configuration.bootstrap).toEqual([{ kind: 'host', place: '203.0.113.7:51821' }])
    expect(configuration.tunnel).toMatchObject({ prefix: '192.168.228.0/24', address: '192.168.228.166' })
    expect(configuration.segments[0]).toMatchObject({
      addresses: ['192.168.102.1/24', 'fde9:632e:2c3f:0:62bb:bbe3:3778:37ad/64'],
      bridge: { name: 'br0', create: false, allowLoopRisk: false },
    })
  })
})

describe('a bridge', () => {
  const bridgeOf = (text: string) =>
    accepted(`${secretFile}segments: [{prefixes: [], ${text}}]\n`).segments[0]?.bridge
  it.each([
    ['bridge: br0', { name: 'br0', create: false, allowLoopRisk: false }],
    [
      'bridge: {name: br0, create: true}, allow_loop_risk: true',
      { name: 'br0', create: true, allowLoopRisk: true },
    ],
    ['allow_loop_risk: true', null],
  ])('is read from %s', (text, bridge) => {
    expect(bridgeOf(text)).toEqual(bridge)
  })

  it('needs a name', () => {
    expect(problems(`${secretFile}segments: [{bridge: {create: true}}]\n`)).toEqual([
      'lnetd.yaml:2: segments[0].bridge.name: is missing',
    ])
  })
})

describe('a flood limit', () => {
  const file = (limit: unknown) => `${secretFile}segments: [{flood_limit: ${limit}}]\n`
  it.each([
    [10, 10],
    [1_000_000, 1_000_000],
    ['off', null],
  ])('can be %s', (written, limit) => {
    expect(accepted(file(written)).segments[0]?.floodLimit).toBe(limit)
  })

  it.each([9, 1_000_001, 10.5, 'none', 'true', '"100"'])('cannot be %s', written => {
    expect(problems(file(written))).toEqual([
      `lnetd.yaml:2: segments[0].flood_limit: must be off or frames a second, 10 to 1000000, got ${written === 'none' ? '"none"' : written}`,
    ])
  })
})

describe('a static member', () => {
  const key = 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg='
  const file = (members: string, tunnel = '{prefix: 192.168.228.0/24, address: 192.168.228.1}') =>
    `${secretFile}tunnel: ${tunnel}\nstatic_members: [${members}]\n`

  it('is read with its defaults', () => {
    expect(accepted(file(`{name: a, public_key: ${key}, vtep: 192.168.228.2}`)).staticMembers).toEqual([
      { name: 'a', publicKey: key, endpoint: null, vtep: '192.168.228.2', mtu: 1420, segments: [] },
    ])
    expect(accepted(file(`{name: a, public_key: ${key}}`, '{}')).staticMembers[0]?.vtep).toBeNull()
  })

  it.each<[string, string, string?]>([
    ['no name', `{public_key: ${key}, vtep: 192.168.228.2}`],
    ['no key', '{name: a, vtep: 192.168.228.2}'],
    ['no VTEP', `{name: a, public_key: ${key}}`],
    ['a VTEP elsewhere', `{name: a, public_key: ${key}, vtep: 10.0.0.1}`],
    ["this node's VTEP", `{name: a, public_key: ${key}, vtep: 192.168.228.1}`],
    ['a VTEP where it is derived', `{name: a, public_key: ${key}, vtep: 192.168.228.2}`, '{}'],
    ['a segment without VNI', `{name: a, public_key: ${key}, vtep: 192.168.228.2, segments: [{}]}`],
    ['one VNI twice', `{name: a, public_key: ${key}, vtep: 192.168.228.2, segments: [{vni: 1}, {vni: 1}]}`],
  ])('is refused with %s', (_, member, tunnel) => {
    expect(problems(file(member, tunnel))).toHaveLength(1)
  })

  it('is refused where another has its name, key or VTEP', () => {
    const member = `{name: a, public_key: ${key}, vtep: 192.168.228.2}`
    expect(problems(file(`${member}, ${member}`))).toHaveLength(3)
  })
})

describe('the keys of static members', () => {
  const zero = `${'A'.repeat(43)}=`
  const key = 'xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg='
  const file = (...keys: string[]) =>
    `${secretFile}static_members:\n${keys.map((each, index) => `  - name: n${index}\n    public_key: ${each}\n`).join('')}`

  it('are refused with their lines when no handshake can succeed with them, beside all else that is wrong', async () => {
    const order8 = 'X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc='
    const path = join(testDirectory(), 'lnetd.yaml')
    writeFileSync(path, `${file(zero, key, order8)}colour: red\n`)
    const loaded = await loadConfiguration(path)
    expect(
      loaded.ok ? [] : loaded.problems.map(problem => describeConfigurationProblem('lnetd.yaml', problem)),
    ).toEqual([
      expect.stringMatching(/^lnetd.yaml:4: static_members\[0\]\.public_key: A{43}= is a point of low order/),
      expect.stringMatching(/^lnetd.yaml:8: static_members\[2\]\.public_key: X5yV.* is a point of low order/),
      expect.stringContaining('lnetd.yaml:9: colour'),
    ])
  })

  it('are taken otherwise', async () => {
    expect(await checkConfiguration(file(key), 'gauss')).toMatchObject({ ok: true })
  })
})

describe('the commented sample', () => {
  it('is taken', () => {
    expect(accepted(sample).segments.map(segment => segment.interface)).toEqual(['vbr0', 'vlab0', 'vlnet0'])
  })

  it('shows every key there is', () => {
    // An unknown key in each map makes the message name those that are known.
    const text =
      'zzzzz: 1\nmesh: {zzzzz: 1}\ndiscovery: {zzzzz: 1}\ngossip: {zzzzz: 1}\ntunnel: {zzzzz: 1}\nsegments: [{zzzzz: 1}]\nstatic_members: [{zzzzz: 1, segments: [{zzzzz: 1}]}]\nlog: {zzzzz: 1}\n'
    const known = problems(text).flatMap(line => /use one of (.*)$/.exec(line)?.[1]?.split(', ') ?? [])
    expect(known.length).toBeGreaterThan(25)
    for (const key of known) expect(sample).toMatch(new RegExp(`^[ #-]*${key}:`, 'm'))
  })
})

describe('a place to ask first', () => {
  it.each([
    ['203.0.113.7', { kind: 'host', place: '203.0.113.7:51821' }],
    ['vps.Example.org', { kind: 'host', place: 'vps.example.org:51821' }],
    ['vps.example.org:1234', { kind: 'host', place: 'vps.example.org:1234' }],
    ['"[2001:db8::7]:1234"', { kind: 'host', place: '[2001:db8::7]:1234' }],
    ['2001:DB8::7', { kind: 'host', place: '[2001:db8::7]:51821' }],
    ['/ip4/203.0.113.7/tcp/51821', { kind: 'multiaddr', multiaddr: '/ip4/203.0.113.7/tcp/51821' }],
    ['/dns4/vps.example.org/tcp/1', { kind: 'multiaddr', multiaddr: '/dns4/vps.example.org/tcp/1' }],
  ])('can be %s', (text, place) => {
    expect(accepted(`${secretFile}bootstrap:\n  - ${text}\n`).bootstrap).toEqual([place])
  })

  it('takes the gossip port that is configured', () => {
    const text = `${secretFile}gossip: { port: 7000 }\nbootstrap: [192.0.2.1]\n`
    expect(accepted(text).bootstrap).toEqual([{ kind: 'host', place: '192.0.2.1:7000' }])
  })

  it.each([
    'a b',
    '192.0.2.256',
    'host:0',
    'host:70000',
    '/ip4/203.0.113.7/udp/1',
    '/ip6/192.0.2.1/tcp/1',
    '/x',
    '""',
    '[a]',
  ])('cannot be %s', text => {
    expect(problems(`${secretFile}bootstrap:\n  - ${text}\n`)).toHaveLength(1)
  })
})

describe('the place of the metrics', () => {
  it.each([
    ['off', null],
    ['127.0.0.1:51822', '127.0.0.1:51822'],
    ['127.8.9.10:1', '127.8.9.10:1'],
    ['"[::1]:51822"', '[::1]:51822'],
  ])('can be %s', (text, place) => {
    expect(accepted(`${secretFile}metrics: ${text}\n`).metrics).toBe(place)
  })

  it.each([
    '0.0.0.0:51822',
    '192.0.2.1:51822',
    '"[::]:51822"',
    '"[fe80::1]:51822"',
    '"[::ffff:127.0.0.1]:51822"',
    'localhost:51822',
    '127.0.0.1',
    '127.0.0.1:0',
    '51822',
    'on',
    'true',
  ])('cannot be %s', text => {
    const [problem, ...more] = problems(`${secretFile}metrics: ${text}\n`)
    expect(problem).toContain(
      'metrics: must be off or a loopback address with its port, such as 127.0.0.1:51822',
    )
    expect(more).toEqual([])
  })

  it('is not the port gossip needs', () => {
    expect(problems(`${secretFile}gossip: { port: 7000 }\nmetrics: 127.0.0.1:7000\n`)).toEqual([
      "lnetd.yaml:3: metrics: has gossip's port, 7000: set another one",
    ])
  })
})

describe('problems', () => {
  it('are found all at once, each with its line', () => {
    const text = `name: Gauss!
mesh:
  secret_file: mesh.secret
  id: 4f1c
bootstrap: [nowhere:0, 203.0.113.7]
discovery: { mdns: maybe }
gossip: { port: 70000, hartbeat: 60s, heartbeat: 60 }
tunnel:
  interface: a-very-long-interface
  port: abc
  prefix: 192.168.228.1/24
  keepalive: 5
  implementation: magic
segments:
  - interface: vlnet0
    vni: 0
    prefixes: [10.0.0.0/31, fd00::/80, 10.0.0.0/33]
    adresses: auto
  - just-a-word
state_dir: var
socket: 7
log: { level: loud }
colour: red
`
    expect(problems(text)).toMatchInlineSnapshot(`
      [
        "lnetd.yaml:1: name: must be a host name of lower-case letters, digits and hyphens, such as gauss, got "Gauss!"",
        "lnetd.yaml:3: mesh.secret_file: must be an absolute path, got "mesh.secret"",
        "lnetd.yaml:4: mesh.id: must be 32 hexadecimal digits, lower case, got "4f1c"",
        "lnetd.yaml:5: bootstrap[0]: must be a host, host:port, [IPv6]:port or a multiaddr such as /ip4/203.0.113.7/tcp/51821, got "nowhere:0"",
        "lnetd.yaml:6: discovery.mdns: must be true or false, got "maybe"",
        "lnetd.yaml:7: gossip.port: must be 1 to 65535, got 70000",
        "lnetd.yaml:7: gossip.heartbeat: must be a duration such as 60s or 2m, from 1s to 86400s, got 60",
        "lnetd.yaml:7: gossip.hartbeat: unknown key: did you mean heartbeat?",
        "lnetd.yaml:9: tunnel.interface: must be an interface name: a letter, then letters, digits, - and _, at most 15 together, got "a-very-long-interface"",
        "lnetd.yaml:10: tunnel.port: must be 1 to 65535, got "abc"",
        "lnetd.yaml:11: tunnel.prefix: has host bits: the network of 192.168.228.1/24 is 192.168.228.0/24",
        "lnetd.yaml:12: tunnel.keepalive: must be a duration such as 60s or 2m, from 0s to 60s, got 5",
        "lnetd.yaml:13: tunnel.implementation: must be auto or kernel or userspace, got "magic"",
        "lnetd.yaml:16: segments[0].vni: must be 1 to 16777215, got 0",
        "lnetd.yaml:17: segments[0].prefixes[0]: must be an IPv4 network of /30 or shorter: this is too small for a mesh, got "10.0.0.0/31"",
        "lnetd.yaml:17: segments[0].prefixes[1]: must be an IPv6 network of /16 to /64: the rest is the node's own, got "fd00::/80"",
        "lnetd.yaml:17: segments[0].prefixes[2]: must be a network such as 192.168.102.0/24, got "10.0.0.0/33"",
        "lnetd.yaml:18: segments[0].adresses: unknown key: did you mean addresses?",
        "lnetd.yaml:19: segments[1]: must be a map of keys and values",
        "lnetd.yaml:20: state_dir: must be an absolute path, got "var"",
        "lnetd.yaml:21: socket: must be an absolute path of at most 107 bytes, got 7",
        "lnetd.yaml:22: log.level: must be debug or info or warn or error, got "loud"",
        "lnetd.yaml:23: colour: unknown key: use one of name, mesh, gossip, bootstrap, discovery, tunnel, segments, static_members, gateway, default_via, accept_routes, forget_after, state_dir, socket, metrics, names, log",
      ]
    `)
  })

  it.each<[string, string]>([
    ['one interface for two segments', 'segments: [{vni: 1, prefixes: []}, {vni: 2, prefixes: []}]'],
    ['the tunnel and a segment under one name', 'tunnel: {interface: vlnet0}'],
    ['one VNI for two segments', 'segments: [{prefixes: []}, {interface: v1, prefixes: []}]'],
    ['one UDP port for tunnel and segment', 'tunnel: {port: 4789}'],
    ['overlapping segments', 'segments: [{}, {interface: v1, vni: 2, prefixes: [192.168.0.0/16]}]'],
    ['one network twice in a segment', 'segments: [{prefixes: [10.0.0.0/8, 10.1.0.0/16]}]'],
    ['a segment in the network of the tunnel', 'tunnel: {prefix: 192.168.102.0/25}'],
    ['a tunnel address without a prefix', 'tunnel: {address: 192.168.228.1}'],
    ['a tunnel address outside its prefix', 'tunnel: {prefix: 192.168.228.0/24, address: 192.168.229.1}'],
    ['a tunnel address with a length', 'tunnel: {prefix: 192.168.228.0/24, address: 192.168.228.1/24}'],
    ['the network as an address', 'tunnel: {prefix: 192.168.228.0/24, address: 192.168.228.0}'],
    ['the broadcast address as an address', 'tunnel: {prefix: 192.168.228.0/24, address: 192.168.228.255}'],
    ['an overlay address outside its prefixes', 'segments: [{addresses: [10.0.0.1/24]}]'],
    ['an overlay address of another length', 'segments: [{addresses: [192.168.102.1/16]}]'],
    ['an overlay address twice', 'segments: [{addresses: [192.168.102.1/24, 192.168.102.1/24]}]'],
    ['a group address', 'segments: [{prefixes: [], addresses: ["ff02::1/64"]}]'],
    ['a bridge that is the segment', 'segments: [{bridge: vlnet0}]'],
    [
      'one bridge for two segments',
      'segments: [{prefixes: [], bridge: br0}, {interface: v1, vni: 2, prefixes: [], bridge: br0}]',
    ],
    ['a bridge that is the tunnel', 'segments: [{bridge: lnet0}]'],
    ['more than an announcement holds', `segments: [${manySegments(16)}]`],
    [
      'more endpoints than an announcement holds',
      `tunnel: {endpoints: [${'a.'.repeat(120)}a:1, ${'b.'.repeat(120)}b:1]}`,
    ],
    ['a secret twice', `mesh: {secret: ${inlineSecret}, secret_file: /s}`],
    ['no secret', 'mesh: {}'],
    ['a reserved interface name', 'tunnel: {interface: all}'],
    ['a relative socket', 'socket: lnetd.sock'],
    ['a socket path too long', `socket: /${'a'.repeat(107)}`],
    ['a merge key', 'log: &a {level: info}\ngossip: {<<: *a}'],
    ['an alias', 'tunnel: {port: &a 1}\ngossip: {port: *a}'],
    ['a key twice', 'name: a\nname: b'],
    ['a list for a map', 'tunnel: []'],
    ['a map for a list', 'bootstrap: {}'],
    ['a list for a word', 'name: [a]'],
    ['two documents', '---\nname: a\n---\nname: b'],
    ['an unknown tag', 'name: !secret a'],
    ['bad YAML', 'name: "'],
  ])('are: %s', (_, text) => {
    const secret = text.startsWith('mesh') || text.startsWith('---') ? '' : secretFile
    expect(problems(`${text}\n${secret}`)).toHaveLength(1)
  })

  it('do not follow from one another', () => {
    expect(problems(`${secretFile}tunnel: {port: 99999999}\nsegments: [{port: 51820}]\n`)).toHaveLength(1)
    expect(problems(`${secretFile}tunnel: {prefix: x, address: 10.0.0.1}\n`)).toHaveLength(1)
  })

  it('stand at their own place, beside others too', () => {
    const text = `${secretFile}segments:\n  - word\n  - {interface: va, vni: 1, prefixes: []}\n  - {interface: vb, vni: 1, prefixes: []}\n`
    expect(problems(text)).toEqual([
      'lnetd.yaml:3: segments[0]: must be a map of keys and values',
      'lnetd.yaml:5: segments[2].vni: VNI 1 is that of segments[1].vni: give it another one',
    ])
  })

  it('say what was probably meant', () => {
    expect(problems(`${secretFile}boot-strap: []\n`)).toEqual([
      'lnetd.yaml:2: boot-strap: unknown key: did you mean bootstrap?',
    ])
    expect(problems(`${secretFile}tunnel: {keepAlive: 25s}\n`)).toEqual([
      'lnetd.yaml:2: tunnel.keepAlive: unknown key: did you mean keepalive?',
    ])
  })

  it('never show a secret', () => {
    for (const text of [`mesh: {secret: ${inlineSecret}x}`, `mesh: {secret: [${inlineSecret}]}`])
      expect(problems(text).join()).not.toContain(inlineSecret.slice(0, 10))
  })
})

describe('what is allowed', () => {
  it('is a tunnel alone', () => {
    expect(accepted(`${secretFile}segments: []\n`).segments).toEqual([])
  })

  it('is one TCP port that is also a UDP port', () => {
    expect(accepted(`${secretFile}gossip: {port: 51820}\n`).gossip.port).toBe(51_820)
  })

  it('is one VXLAN port for all segments, sorted by interface', () => {
    const text = `${secretFile}segments: [{interface: vb, vni: 2, prefixes: []}, {interface: va, vni: 1}]\n`
    expect(accepted(text).segments.map(segment => segment.interface)).toEqual(['va', 'vb'])
  })

  it('is a mesh id of digits alone', () => {
    for (const id of ['12345678901234567890123456789012', '1234567890123456789012345678e123'])
      expect(accepted(`mesh: {secret_file: /s, id: ${id}}\n`).mesh.id).toBe(id)
  })

  it.each([
    ['60s', 60],
    ['2m', 120],
    ['1h', 3600],
    ['1d', 86_400],
  ])('is a heartbeat of %s', (text, seconds) => {
    expect(accepted(`${secretFile}gossip: {heartbeat: ${text}}\n`).gossip.heartbeatSeconds).toBe(seconds)
  })
})

describe('a configuration file', () => {
  it('is read from disk', async () => {
    const path = join(testDirectory(), 'lnetd.yaml')
    writeFileSync(path, secretFile)
    expect(await loadConfiguration(path)).toMatchObject({ ok: true, warnings: [] })
  })

  it('that holds the secret and is open to others is taken with a warning', async () => {
    const path = join(testDirectory(), 'lnetd.yaml')
    writeFileSync(path, `mesh: {secret: ${inlineSecret}}\n`)
    chmodSync(path, 0o644)
    expect(await loadConfiguration(path)).toMatchObject({
      ok: true,
      warnings: [expect.stringContaining(`chmod 600 ${path}`)],
    })
  })

  it('that is missing, a directory, a pipe or too big is one problem', async () => {
    const directory = testDirectory()
    const pipe = join(directory, 'pipe')
    execFileSync('mkfifo', [pipe])
    const big = join(directory, 'big.yaml')
    writeFileSync(big, `# ${'x'.repeat(configBytesMax)}\n`)
    for (const path of [join(directory, 'none.yaml'), directory, pipe, big])
      expect(await loadConfiguration(path)).toMatchObject({ ok: false, problems: [{ key: '', line: null }] })
  })
})

describe('hostile text', () => {
  it('gives a configuration or problems, whatever it is', () => {
    const words = fc.constantFrom(
      ...sample.split(/(\s+|[:,[\]{}])/),
      '&a',
      '*a',
      '<<',
      '!!binary',
      '|',
      '>',
      '? ',
      '- ',
      '\0',
      '\t',
      '"',
      "'",
      '%YAML 9',
      '__proto__',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(words, { maxLength: 120 }).map(list => list.join('')),
      fc
        .tuple(fc.nat(sample.length), fc.nat(40), fc.array(words, { maxLength: 4 }))
        .map(([at, length, list]) => sample.slice(0, at) + list.join('') + sample.slice(at + length)),
    )
    fc.assert(fc.property(text, isSound), { numRuns: 1500 })
  })

  it.each([
    ['deep lists', '['.repeat(20_000)],
    ['deep maps', '{a: '.repeat(20_000)],
    ['deep block lists', '- '.repeat(20_000)],
    ['a billion laughs', billionLaughs()],
    ['many keys', Array.from({ length: 10_000 }, (_, index) => `k${index}: 1`).join('\n')],
    ['one long word', 'a'.repeat(configBytesMax)],
    ['NULs', '\0'.repeat(10_000)],
  ])('does no harm: %s', (_, text) => {
    isSound(text)
  })
})

function isSound(text: string): void {
  const loaded = parseConfiguration(text, 'gauss')
  if (!loaded.ok) expect(loaded.problems.length).toBeGreaterThan(0)
  else expect(loaded.configuration.mesh.secret.kind).toMatch(/file|inline/)
}

function accepted(text: string): Configuration {
  const loaded = parseConfiguration(text, 'gauss.example.org')
  if (!loaded.ok) throw new Error(lines(loaded).join('\n'))
  return loaded.configuration
}

function problems(text: string): readonly string[] {
  return lines(parseConfiguration(text, 'gauss'))
}

function lines(loaded: LoadedConfiguration): readonly string[] {
  return loaded.ok ? [] : loaded.problems.map(problem => describeConfigurationProblem('lnetd.yaml', problem))
}

function manySegments(count: number): string {
  return Array.from(
    { length: count },
    (_, i) => `{interface: v${i}, vni: ${i + 1}, prefixes: [10.${i}.0.0/16]}`,
  ).join(', ')
}

function billionLaughs(): string {
  const level = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(of).join(',')}]`
  return ['a: &a [x]', ...'bcdefghij'.split('').map((name, i) => level(name, `*${'abcdefghi'[i]}`))].join(
    '\n',
  )
}
