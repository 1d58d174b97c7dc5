import { describe, expect, it } from 'vitest'
import type { Probe } from '../../src/control/walk-conditions.ts'
import { obstacleTo } from '../../src/control/walk-ruleset.ts'
import { readIpsets } from '../../src/kernel/readers/ipset.ts'
import { readIptables } from '../../src/kernel/readers/iptables.ts'
import type { IpAddress } from '../../src/model/address.ts'

const udp: Probe = {
  hook: 'input',
  family: 4,
  protocol: 'udp',
  port: 51_820,
  from: null,
  to: null,
  ours: ['lnet0', 'vlnet0'],
  sources: ['203.0.113.7' as IpAddress],
}

function outcome(lines: readonly string[], probe: Partial<Probe> = {}): string {
  const text = ['*filter', ':INPUT ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]', ...lines, 'COMMIT'].join('\n')
  const obstacle = obstacleTo({ chains: readIptables(text, 'ip', 'iptables-legacy') }, { ...udp, ...probe })
  return obstacle === null ? 'passes' : `${obstacle.isSure ? 'drops' : 'may drop'} in ${obstacle.chain}`
}

const closed = ':INPUT DROP [0:0]'
const ports = '-A INPUT -p udp -m multiport --dports 500,4500,51000:52000 -m state --state NEW -j ACCEPT'

describe('what iptables-save prints', () => {
  it.each<[string, readonly string[], Partial<Probe>, string]>([
    ['a policy', [closed], {}, 'drops in ip filter INPUT'],
    ['a policy of the other family', [closed], { family: 6 }, 'passes'],
    ['an accepted list of ports', [closed, ports], {}, 'passes'],
    ['a list without the port', [closed, ports], { port: 53 }, 'drops in ip filter INPUT'],
    [
      'established alone',
      [closed, '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'],
      {},
      'drops in ip filter INPUT',
    ],
    ['a device', [closed, '-A INPUT -i lnet+ -j ACCEPT'], { from: 'lnet0' }, 'passes'],
    ['a drop of sources no member has', ['-A INPUT -s 198.51.100.0/24 -p udp -j DROP'], {}, 'passes'],
    ['a drop of a member', ['-A INPUT -s 203.0.113.0/24 -p udp -j DROP'], {}, 'drops in ip filter INPUT'],
    ['a drop of all but a source', ['-A INPUT ! -s 203.0.113.0/24 -j DROP'], {}, 'passes'],
    ['a set', ['-A INPUT -m set --match-set bad src -j DROP'], {}, 'may drop in ip filter INPUT'],
    [
      'a chain',
      [':LAN - [0:0]', '-A INPUT -j LAN', '-A LAN -p udp -j REJECT --reject-with icmp-port-unreachable'],
      {},
      'drops in ip filter LAN',
    ],
    ['a log', ['-A INPUT -j LOG --log-prefix "drop -j DROP: "'], {}, 'passes'],
    ['a target nobody knows', ['-A INPUT -p udp -j TARPIT'], {}, 'may drop in ip filter INPUT'],
    ['OUTPUT', [':OUTPUT DROP [0:0]'], { hook: 'output' }, 'drops in ip filter OUTPUT'],
    [
      'OUTPUT by a device',
      [':OUTPUT DROP [0:0]', '-A OUTPUT -o eth0 -j ACCEPT'],
      { hook: 'output' },
      'may drop in ip filter OUTPUT',
    ],
    ['raw', ['*raw', ':PREROUTING DROP [0:0]'], {}, 'drops in ip raw PREROUTING'],
    ['nat', ['*nat', ':PREROUTING DROP [0:0]'], {}, 'passes'],
    ['nonsense', ['-A', '-A INPUT', ':', '-A NONE -j DROP', '\u0000'], {}, 'passes'],
  ])('is followed: %s', (_, lines, probe, expected) => {
    expect(outcome(lines, probe)).toBe(expected)
  })
})

describe('a set of ipset', () => {
  const rule = '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m set --match-set bad src -j DROP\nCOMMIT\n'
  it.each([
    ['with a member', 'hash:net', ['203.0.113.0/24 timeout 9'], 'drops'],
    ['without one', 'hash:ip', ['198.51.100.1'], 'passes'],
    ['that is empty', 'hash:ip', [], 'passes'],
    ['with an exception', 'hash:net', ['203.0.113.0/24', '203.0.113.7 nomatch'], 'may drop'],
    ['of ports, too', 'hash:net,port', ['203.0.113.0/24,udp:51820'], 'may drop'],
  ])('%s', (_, kind, entries, expected) => {
    const saved = [`create bad ${kind} family inet`, ...entries.map(entry => `add bad ${entry}`)].join('\n')
    const chains = readIptables(rule, 'ip', 'iptables', readIpsets(saved))
    const obstacle = obstacleTo({ chains }, udp)
    expect(obstacle === null ? 'passes' : obstacle.isSure ? 'drops' : 'may drop').toBe(expected)
  })
})
