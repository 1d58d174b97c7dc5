import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { DoctorView } from '../../src/control/doctor.ts'
import type { Finding } from '../../src/control/finding.ts'
import { createLab, eventually, type Lab } from './lab.ts'
import type { LabNode } from './node.ts'

/** What doctor says of real rules, beside a daemon and without one; rules are written by the tools people use. */
let lab: Lab
let node: LabNode

beforeAll(async () => {
  lab = await createLab({ nodes: 2 })
  node = lab.nodes[0] as LabNode
})
afterAll(() => lab.cleanup())
afterEach(async () => {
  await node.namespace.run(['sh', '-c', withoutRules])
})

const comesIn = 'what comes to UDP port 51820'
const leaves = 'what this machine sends to UDP port 51820'
const listen = `${process.execPath} -e "require('node:dgram')`
const input = 'type filter hook input priority 0'

describe('rules that doctor follows, without lnetd', () => {
  it.each<[string, string, string]>([
    ['legacy policy', 'iptables-legacy -P INPUT DROP', `ip filter INPUT drops ${comesIn}`],
    ['nft policy', 'iptables-nft -P INPUT DROP', `ip filter INPUT drops ${comesIn}`],
    [
      'legacy output',
      'iptables-legacy -A OUTPUT -p udp --dport 51820 -j DROP',
      `ip filter OUTPUT drops ${leaves}`,
    ],
    ['nft output', 'iptables-nft -P OUTPUT DROP', `ip filter OUTPUT drops ${leaves}`],
    [
      'legacy raw',
      'iptables-legacy -t raw -A PREROUTING -p udp --dport 51820 -j DROP',
      `ip raw PREROUTING drops ${comesIn}`,
    ],
    [
      'nft mangle',
      'iptables-nft -t mangle -A PREROUTING -p udp --dport 51820 -j DROP',
      `ip mangle PREROUTING drops ${comesIn}`,
    ],
    [
      'nft postrouting',
      'iptables-nft -t mangle -A POSTROUTING -p udp --dport 51820 -j DROP',
      `ip mangle POSTROUTING drops ${leaves}`,
    ],
    ['forward alone', 'iptables-nft -P FORWARD DROP; iptables-legacy -P FORWARD DROP', ''],
    [
      'multiport',
      'iptables-legacy -A INPUT -p udp -m multiport --dports 500,51000:52000 -j DROP',
      `ip filter INPUT drops ${comesIn}`,
    ],
    [
      'accepted multiport',
      'iptables-nft -A INPUT -p udp -m multiport --dports 500,51820 -m state --state NEW -j ACCEPT; iptables-nft -A INPUT -p udp -j DROP',
      '',
    ],
    [
      'a chain that drops',
      'iptables-nft -N OWN; iptables-nft -A INPUT -j OWN; iptables-nft -A OWN -p udp -j REJECT',
      `ip filter OWN drops ${comesIn}`,
    ],
    [
      'a chain that accepts',
      'iptables-legacy -N OWN; iptables-legacy -A INPUT -g OWN; iptables-legacy -A INPUT -p udp -j DROP; iptables-legacy -A OWN -p udp --dport 51820 -j ACCEPT',
      '',
    ],
    [
      'connection states',
      'iptables-nft -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; iptables-nft -A INPUT -m conntrack --ctstate INVALID -j DROP',
      '',
    ],
    [
      'a state then a drop',
      'iptables-legacy -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; iptables-legacy -A INPUT -p udp -j DROP',
      `ip filter INPUT drops ${comesIn}`,
    ],
    ['a drop on lo', 'iptables-nft -A INPUT -i lo -p udp -j DROP', ''],
    [
      'one limit',
      'iptables-nft -A INPUT -p udp -m limit --limit 9/second -j ACCEPT; iptables-nft -A INPUT -p udp -j DROP',
      `cannot tell whether ip filter INPUT drops ${comesIn}`,
    ],
    [
      'sources without lnetd',
      'iptables-nft -A INPUT -s 203.0.113.0/24 -p udp -j DROP',
      `cannot tell whether ip filter INPUT drops ${comesIn}`,
    ],
    [
      'ingress',
      nft('netdev', 'type filter hook ingress device eth0 priority 0', 'udp dport 51820 drop'),
      `cannot tell whether netdev t c drops ${comesIn}`,
    ],
    [
      'an nft set of ports',
      nft('inet', input, 'udp dport { 22, 51000-52000 } drop'),
      `inet t c drops ${comesIn}`,
    ],
    [
      'a verdict map',
      nft('inet', input, 'udp dport vmap { 53 : accept, 51820 : drop }'),
      `inet t c drops ${comesIn}`,
    ],
    ['all but', nft('inet', input, 'udp dport != { 53, 67 } drop'), `inet t c drops ${comesIn}`],
    [
      'accept, then policy',
      nft(
        'inet',
        `${input}; policy drop`,
        'meta l4proto { icmp, ipv6-icmp, tcp } accept; udp dport 51820 ct state new accept; iifname "lnet0" accept; iifname "vlnet0" accept',
      ),
      '',
    ],
    [
      'a goto that ends',
      nft(
        'inet',
        `${input}; policy drop`,
        'meta l4proto { icmp, ipv6-icmp, tcp } accept; udp dport 51820 goto empty; accept',
      ),
      `inet t c drops ${comesIn}`,
    ],
    [
      'later priority',
      nft('inet', 'type filter hook input priority 300', 'udp dport 51820 drop'),
      `inet t c drops ${comesIn}`,
    ],
    [
      'nat drops nothing',
      nft('ip', 'type nat hook prerouting priority -100', 'udp dport 51820 redirect to :51820'),
      '',
    ],
  ])('%s', async (_, rules, expected) => {
    await node.namespace.must(['sh', '-ec', rules])
    expect((await firewall()).filter(({ what }) => isOfUdp(what)).map(({ what }) => what)).toEqual(
      expected === '' ? [] : [expected],
    )
  })
})

describe('what doctor cannot see into', () => {
  const attach = 'tc qdisc add dev eth0 clsact'
  it('is named where tc filters packets, and only there', async () => {
    await node.namespace.must(['sh', '-ec', attach])
    expect(await firewall()).toEqual([])
    const program = "tc filter add dev eth0 egress bpf da bytecode '1,6 0 0 0,'"
    await node.namespace.must(['sh', '-ec', program])
    expect(await firewall()).toMatchObject([
      { state: 'notice', what: 'the tc filters on eth0 were not examined' },
    ])
  })
})

describe('a start that is refused', () => {
  it.each<[string, string, RegExp]>([
    [
      'BusyBox for ip',
      'mount --bind "$(command -v busybox)" "$(readlink -f "$(command -v ip)")"',
      /install iproute2/,
    ],
    ['no wg', 'mount --bind /dev/null "$(readlink -f "$(command -v wg)")"', /wireguard-tools/],
    ['a VXLAN on the port', 'ip link add theirs type vxlan external dstport 4789', /theirs/],
    ['a WireGuard port', `${listen}.createSocket('udp4').bind(51820)" & sleep 0.4`, /UDP port 51820/],
    [
      'a gossip port',
      `${listen.replace('dgram', 'net')}.createServer().listen(51821)" & sleep 0.4`,
      /TCP port 51821/,
    ],
  ])('by %s is told by lnetd and by doctor alike', async (_, script, expected) => {
    await node.namespace.must([
      'sh',
      '-ec',
      script.replace('& sleep', '>/dev/null 2>&1 & echo $! >/run/holder; sleep'),
    ])
    const { stderr, exitCode } = await node.lnetd({ milliseconds: 10_000 })
    const found = await findings(['--config', node.write()])
    await node.namespace.run(['sh', '-c', asBefore])
    expect(exitCode).toBe(1)
    const told = found.filter(({ check, state }) => check === 'machine' && state === 'wrong')
    expect(told).toHaveLength(1)
    const { what = '', fix = null } = told[0] ?? {}
    expect(`${what}: ${fix}`).toMatch(expected)
    const [line = ''] = stderr.split('\n').filter(each => each.startsWith('lnetd: '))
    expect(line).toContain(what)
    expect(line).toContain(`: ${fix}`)
  })
})

describe('beside lnetd, whose configuration stands elsewhere', () => {
  let member = ''
  beforeAll(async () => {
    for (const each of lab.nodes) each.start()
    for (const each of lab.nodes) await each.listening()
    member = await eventually('both are up', async () => {
      const reply = await node.ask('peers')
      const row = reply.ok ? reply.view.peers.find(({ state }) => state === 'up') : undefined
      return row?.endpoint ?? null
    })
  })

  it('doctor, token, export and status go by the running one', async () => {
    const file = `${node.directory}/lnetd.yaml`
    expect((await findings()).filter(({ state }) => state === 'wrong')).toEqual([])
    expect(await node.lnetctl(['token'])).toMatchObject({ exitCode: 0 })
    expect((await node.lnetctl(['export', 'wg-quick'])).stdout).toContain('[Interface]')
    const status = await node.ask('status')
    expect(status.ok && status.view.files?.configuration).toBe(file)
  })

  it.each([
    ['no member has', false, false],
    ['a member has', true, true],
    ['no member has, in a set', false, false],
    ['a member has, in a set', true, true],
  ])('a drop of sources that %s', async (kind, isMember, drops) => {
    const six = member.startsWith('[')
    const host = six ? member.slice(1, member.indexOf(']')) : (member.split(':')[0] as string)
    const source = isMember ? host : six ? '2001:db8:ffff::/48' : '203.0.113.0/24'
    const tool = six ? 'ip6tables-nft' : 'iptables-nft'
    const match = kind.endsWith('set') ? '-m set --match-set lab src' : `-s ${source}`
    const set = `ipset create lab hash:net family ${six ? 'inet6' : 'inet'}; ipset add lab ${source}`
    await node.namespace.must(['sh', '-ec', `${set}; ${tool} -A INPUT ${match} -p udp --dport 51820 -j DROP`])
    const told = (await firewall()).map(({ what }) => what).filter(isOfUdp)
    expect(told).toEqual(drops ? [`${six ? 'ip6' : 'ip'} filter INPUT drops ${comesIn}`] : [])
  })

  it.each([
    ['BusyBox', 'busybox', /BusyBox/],
    ['no program', '/dev/null', /exit code 12[67]/],
  ])('calls no path bad where ping is %s', async (_, instead, why) => {
    const cover = `mount --bind "$(command -v ${instead} || echo ${instead})" "$(readlink -f "$(command -v ping)")"`
    await node.namespace.must(['sh', '-ec', cover])
    const found = await findings()
    await node.namespace.must(['sh', '-ec', 'umount "$(readlink -f /usr/bin/ping || readlink -f /bin/ping)"'])
    expect(found.filter(({ check }) => check === 'mtu')).toMatchObject([
      { state: 'notice', why: expect.stringMatching(why), fix: expect.stringContaining('iputils-ping') },
    ])
  })

  it('judges no network but that of lnetd', async () => {
    const lnetctl = fileURLToPath(new URL('../../dist/lnetctl.js', import.meta.url))
    const asked = ['unshare', '--net', process.execPath, lnetctl, 'doctor', '--json']
    const found = (JSON.parse((await node.namespace.run(asked)).stdout) as DoctorView).findings
    expect(found.filter(({ state }) => state === 'wrong')).toEqual([])
    const local = ['ports', 'firewall', 'mtu', 'ipv6']
    expect(found.filter(({ check }) => local.includes(check))).toEqual([])
    expect(found.find(({ check }) => check === 'machine')).toMatchObject({
      state: 'notice',
      why: expect.stringContaining('another network namespace'),
    })
  })

  it('says what it does not know once lnetd is stopped', async () => {
    expect(await node.stop()).toBe(0)
    const found = await findings()
    const asked = ['ports', 'reach', 'mtu', 'segments', 'bridges']
    expect(found.map(({ check }) => check).filter(check => asked.includes(check))).toEqual([])
    expect(found.find(({ check }) => check === 'daemon')).toMatchObject({
      state: 'wrong',
      what: 'lnetd does not answer, and what only it knows was not examined',
    })
    const given = await findings(['--config', `${node.directory}/lnetd.yaml`])
    expect(given.filter(({ state }) => state === 'wrong').map(({ check }) => check)).toEqual(['daemon'])
  })
})

/** Takes back what kept lnetd from starting. */
const asBefore = `
  for tool in ip wg; do umount "$(readlink -f /usr/sbin/$tool || true)"; umount "$(readlink -f /usr/bin/$tool || true)"; umount "$(readlink -f /sbin/$tool || true)"; done
  ip link del theirs
  [ ! -e /run/holder ] || kill "$(cat /run/holder)"
  rm -f /run/holder`

/** A table of one chain of nft, with its jumps' empty target. */
function nft(family: string, chain: string, rules: string): string {
  const empty = family === 'netdev' ? '' : 'chain empty {\n}\n'
  const lines = rules.split('; ').join('\n')
  return `printf '%s' 'table ${family} t {\n${empty}chain c {\n${chain.split('; ').join('\n')}\n${lines}\n}\n}\n' | nft -f -`
}

/** Of what the cases made, lnetd's own tables apart. */
const withoutRules = `
  for tool in iptables-nft ip6tables-nft iptables-legacy; do
    for table in filter raw mangle; do $tool -t $table -F; $tool -t $table -X; done
    for chain in INPUT OUTPUT FORWARD; do $tool -P $chain ACCEPT; done
  done
  for family in inet ip netdev; do nft delete table $family t; done
  ipset destroy lab
  tc qdisc del dev eth0 clsact`

function isOfUdp(what: string): boolean {
  return what.includes('UDP port 51820')
}

async function findings(args: readonly string[] = []): Promise<readonly Finding[]> {
  const { stdout, stderr } = await node.lnetctl(['doctor', '--json', ...args])
  if (!stdout.startsWith('{')) throw new Error(`doctor said: ${stdout} ${stderr}`)
  return (JSON.parse(stdout) as DoctorView).findings
}

async function firewall(): Promise<readonly Finding[]> {
  return (await findings()).filter(({ check, state }) => check === 'firewall' && state !== 'ok')
}
