import { describe, expect, it } from 'vitest'
import { diagnose, doctorPage, doctorView } from '../../src/control/doctor.ts'
import type { DaemonWords } from '../../src/control/finding.ts'
import { silentReason } from '../../src/control/reason.ts'
import type { Snapshot } from '../../src/control/snapshot.ts'
import { statusView } from '../../src/control/status-view.ts'
import { painter } from '../../src/control/text.ts'
import { peersView } from '../../src/control/views.ts'
import type { Prefix } from '../../src/model/address.ts'
import type { Examination } from '../../src/model/examination.ts'
import { explained } from '../../src/model/explanation.ts'
import { degraded } from '../../src/model/problem.ts'
import { announcement, kernelState, member, nodeId, snapshot, track, vtepOf } from './snapshots.ts'

const overlay = { prefix: '192.168.102.0/24' as Prefix, interface: 'vlnet0', device: 'vlnet0' }
const proof = { small: 1, full: 1, bytes: 1420 }
const well: Examination = {
  file: '/etc/lnetd/lnetd.yaml',
  configurationProblems: [],
  unexamined: [],
  untried: [],
  missing: [],
  refusal: null,
  isForbidden: false,
  isElsewhere: false,
  hasUnit: true,
  ports: [
    { protocol: 'udp', port: 51_820, listening: true },
    { protocol: 'tcp', port: 51_821, listening: true },
  ],
  firewall: {
    ufw: false,
    firewalld: false,
    docker: false,
    ruleset: { chains: [] },
    unreadable: null,
    unseen: [],
    filtersBridges: false,
  },
  ways: {
    tunnel: 'lnet0',
    tunnelFamily: 6,
    vxlanPorts: [4789],
    devices: ['vlnet0'],
    bridges: [],
    gateway: null,
  },
  clock: { synchronized: true },
  ipv6Disabled: false,
  ipv6Needed: true,
  networks: [{ prefix: '192.0.2.0/24' as Prefix, device: 'eth0' }],
  overlays: [overlay],
  paths: [{ name: 'node2', tunnel: proof, underlay: proof, overlay: 1, hasOverlay: true }],
  pathsUntried: null,
}
const neighbours = [{ node: nodeId(2), address: '203.0.113.2:51821', direction: 'inbound' as const }]

function words(changes: Partial<Snapshot> = {}): DaemonWords {
  const of = snapshot([member(2)], [track(2)], { neighbours, ...changes })
  return { status: statusView(of), peers: peersView(of) }
}

function troubles(found: Partial<Examination>, daemon: DaemonWords | null = words()) {
  return diagnose({ ...well, ...found }, daemon).filter(({ state }) => state !== 'ok')
}

describe('a machine where all is well', () => {
  it('has every check in its order, and no finding', () => {
    const findings = diagnose(well, words())
    expect(findings.map(({ check }) => check)).toEqual([
      ...['configuration', 'machine', 'daemon', 'ports', 'reach', 'firewall'],
      ...['mtu', 'clock', 'addresses', 'segments', 'bridges', 'ipv6'],
    ])
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([])
    expect(doctorView(findings).healthy).toBe(true)
  })
})

describe('the machine', () => {
  it.each([
    ['kernel' as const, /WireGuard is the kernel’s$/],
    ['userspace' as const, /WireGuard is wireguard-go, in user space$/],
  ])('tells of a tunnel whose WireGuard is %s', (implementation, told) => {
    const findings = diagnose(well, words({ state: kernelState([vtepOf(2)]), implementation }))
    expect(findings.find(({ check }) => check === 'machine')?.what).toMatch(told)
  })
})

describe('without lnetd', () => {
  it('an ordinary user reads of the machine only what was not examined', () => {
    const untried = [explained('rights were not examined', { remedy: 'run lnetctl doctor as root' })]
    const told = diagnose({ ...well, untried, isForbidden: true }, null)
    expect(told.filter(({ check }) => check === 'machine')).toMatchObject([
      { state: 'notice', what: 'rights were not examined' },
    ])
    expect(told.find(({ check }) => check === 'configuration')?.state).toBe('ok')
  })

  it('no check says that all is well with what only lnetd knows', () => {
    const checks = diagnose({ ...well, paths: [] }, null).map(({ check }) => check)
    expect(checks).toEqual([
      ...['configuration', 'machine', 'daemon', 'firewall', 'clock', 'addresses', 'ipv6'],
    ])
  })
})

const silent = { small: 1, full: null, bytes: 1420 }
const closed = (hook: 'input' | 'forward') => ({
  chains: [
    {
      family: 'ip' as const,
      table: 'filter',
      name: hook.toUpperCase(),
      hook,
      policy: 'drop' as const,
      rules: [],
    },
  ],
})
const behindBridge = { ...well.ways, devices: ['br0'], bridges: ['br0'] }
const gateway = { interface: 'eth0', devices: ['vlnet0'] }
describe('what is found', () => {
  it.each<[string, string, 'wrong' | 'notice', RegExp, Partial<Examination>, DaemonWords | null]>([
    [
      'a wrong file',
      'configuration',
      'wrong',
      /lnetd --check/,
      { configurationProblems: [explained('bad')] },
      words(),
    ],
    [
      'a missing tool',
      'machine',
      'wrong',
      /apt-get install/,
      { missing: [explained('wg is not in PATH', { remedy: 'apt-get install x' })] },
      words(),
    ],
    ['no daemon', 'daemon', 'wrong', /^systemctl enable --now lnetd$/, {}, null],
    ['no daemon and no unit', 'daemon', 'wrong', /^lnetd --config/, { hasUnit: false }, null],
    ['a daemon this user may not ask', 'daemon', 'notice', /as root/, { isForbidden: true }, null],
    [
      'a file nobody may read',
      'configuration',
      'notice',
      /as root/,
      {
        unexamined: [explained('/x was not examined', { why: 'permission denied', remedy: 'do it as root' })],
      },
      words(),
    ],
    [
      'a closed port',
      'ports',
      'wrong',
      /systemctl/,
      { ports: [{ protocol: 'udp', port: 1, listening: false }] },
      words(),
    ],
    [
      'no tunnel',
      'reach',
      'wrong',
      /ufw allow 51820\/udp/,
      { firewall: { ...well.firewall, ufw: true } },
      words({
        tracks: new Map([track(2, { grewAt: null, handshakeAt: null })].map(each => [each.publicKey, each])),
      }),
    ],
    ['nobody who came in', 'reach', 'notice', /TCP port 51821/, {}, words({ neighbours: [] })],
    [
      'a firewall nobody may read',
      'firewall',
      'notice',
      /as root/,
      {
        firewall: {
          ...well.firewall,
          ruleset: null,
          unreadable: explained('nft failed', { why: 'not permitted' }),
        },
      },
      words(),
    ],
    [
      'docker and a bridge',
      'firewall',
      'wrong',
      /^iptables -I DOCKER-USER -i br0 -o br0 -j ACCEPT$/,
      {
        firewall: { ...well.firewall, docker: true, filtersBridges: true, ruleset: closed('forward') },
        ways: behindBridge,
      },
      words(),
    ],
    [
      'a gateway that may not forward',
      'firewall',
      'wrong',
      /^ufw route allow in on vlnet0 out on eth0$/,
      {
        firewall: { ...well.firewall, ufw: true, ruleset: closed('forward') },
        ways: { ...well.ways, gateway },
      },
      words(),
    ],
    ['a small path', 'mtu', 'wrong', /mtu/, { paths: [{ ...well.paths[0]!, tunnel: silent }] }, words()],
    ['a cut underlay', 'mtu', 'notice', /mtu/, { paths: [{ ...well.paths[0]!, underlay: silent }] }, words()],
    [
      'a silent overlay',
      'mtu',
      'wrong',
      /doctor/,
      { paths: [{ ...well.paths[0]!, overlay: null }] },
      words(),
    ],
    ['a free clock', 'clock', 'notice', /set-ntp/, { clock: { synchronized: false } }, words()],
    [
      'a network twice',
      'addresses',
      'wrong',
      /prefixes/,
      { networks: [{ prefix: '192.168.0.0/16' as Prefix, device: 'eth0' }] },
      words(),
    ],
    [
      'a stranger',
      'segments',
      'wrong',
      /vni/,
      {},
      words({
        self: announcement(1, {
          segments: announcement(1).segments.map(each => ({ ...each, vni: 7 as typeof each.vni })),
        }),
      }),
    ],
    [
      'another prefix',
      'segments',
      'wrong',
      /prefixes/,
      { overlays: [{ ...overlay, prefix: '10.0.0.0/8' as Prefix }] },
      words(),
    ],
    ['no IPv6', 'ipv6', 'notice', /disable_ipv6/, { ipv6Disabled: true }, words()],
  ])('%s', (_, check, state, fix, found, daemon) => {
    const findings = troubles(found, daemon)
    expect(findings).toEqual([
      { check, state, what: expect.any(String), why: expect.any(String), fix: expect.stringMatching(fix) },
    ])
  })

  it.each([
    ['clock-behind', 'clock'],
    ['address-contested', 'addresses'],
    ['bridge-unusable', 'bridges'],
    ['secret-may-differ', 'daemon'],
  ] as const)('%s is told under %s, once', (code, check) => {
    const problem = degraded(code, '', 'it is so: really', { why: 'of: it', remedy: 'do: that' })
    expect(troubles({}, words({ problems: [problem] }))).toEqual([
      { check, state: 'wrong', what: 'it is so: really', why: 'of: it', fix: 'do: that' },
    ])
  })

  it('names the last refusal of the service, and advises no start that would be refused again', () => {
    const missing = [
      explained('this ip is BusyBox’s', { why: 'it lacks options', remedy: 'install iproute2' }),
    ]
    const found = troubles({ missing, refusal: 'this ip is BusyBox’s: install iproute2' }, null)
    expect(found.map(({ check }) => check)).toEqual(['machine', 'daemon'])
    expect(found[0]).toMatchObject({ fix: 'install iproute2' })
    expect(found[1]?.why).toBe('its last start was refused: this ip is BusyBox’s: install iproute2')
    expect(found[1]?.fix).not.toContain('systemctl')
  })

  it('names members whose lnetd does not answer', () => {
    const silent = { ...member(2), heardAt: -1e9 }
    const of = snapshot([silent], [track(2)], { neighbours })
    const daemon = { status: statusView(of), peers: peersView(of) }
    expect(daemon.peers.peers[0]).toMatchObject({ state: 'up', gossip: 'silent', reason: silentReason })
    expect(troubles({}, daemon)).toMatchObject([
      { check: 'reach', state: 'notice', what: 'the lnetd of node2 does not answer' },
    ])
  })

  it('passes on the sentence of a daemon that tells no parts', () => {
    const asked = words()
    const problems = [
      { code: 'clock-behind', subject: '', message: 'it is so: do that', severity: 'notice' },
    ] as const
    const daemon = { ...asked, status: { ...asked.status, problems } }
    expect(troubles({}, daemon)).toEqual([
      { check: 'clock', state: 'notice', what: 'it is so: do that', why: null, fix: null },
    ])
  })

  it('says nothing of docker where nothing is forwarded', () => {
    const firewall = { ...well.firewall, filtersBridges: true, ruleset: closed('forward') }
    expect(troubles({ firewall })).toEqual([])
  })

  it('tells what a closed firewall has to let in, and how, whoever runs it', () => {
    const found = { ways: { ...well.ways, tunnelFamily: 4 as const } }
    const fixes = (firewall: Partial<Examination['firewall']>) =>
      troubles({ ...found, firewall: { ...well.firewall, ruleset: closed('input'), ...firewall } }, null)
        .filter(({ check }) => check === 'firewall')
        .map(({ state, fix }) => `${state} ${fix}`)
    expect(fixes({})).toEqual([
      'wrong nft insert rule ip filter INPUT udp dport 51820 accept',
      'wrong nft insert rule ip filter INPUT tcp dport 51821 accept',
      'wrong nft insert rule ip filter INPUT iifname lnet0 accept',
      'notice nft insert rule ip filter INPUT iifname vlnet0 accept',
    ])
    expect(fixes({ ufw: true })).toEqual([
      'wrong ufw allow 51820/udp',
      'wrong ufw allow 51821/tcp',
      'wrong ufw allow in on lnet0',
      'notice ufw allow in on vlnet0',
    ])
    expect(fixes({ firewalld: true })[1]).toBe(
      'wrong firewall-cmd --permanent --add-port=51821/tcp && firewall-cmd --reload',
    )
  })

  it('believes those who came in more than its own reading of the rules', () => {
    const firewall = { ...well.firewall, ruleset: closed('input') }
    const whats = (daemon: DaemonWords) =>
      troubles({ firewall }, daemon).map(({ state, what }) => `${state} ${what}`)
    expect(whats(words()).join('\n')).not.toContain('TCP')
    expect(whats(words())[0]).toMatch(/^notice .* what comes to UDP port 51820$/)
    expect(whats(words({ neighbours: [] })).join('\n')).toContain('TCP')
  })

  it('is printed with why and what to do', () => {
    const page = doctorPage(
      doctorView(troubles({ configurationProblems: [explained('bad\u001b[2J')] })),
      painter(false),
    )
    expect(page).toBe(
      `wrong   configuration  bad?[2J\n        why: lnetd does not start with it\n        fix: lnetd --check --config /etc/lnetd/lnetd.yaml\n`,
    )
  })
})
