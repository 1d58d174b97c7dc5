import { familyOf, hostOf, type IpAddress, parseIpAddress } from '../model/address.ts'
import type { Examination } from '../model/examination.ts'
import { sentenceOf } from '../model/explanation.ts'
import { type DaemonWords, type Finding, notice, wrong } from './finding.ts'
import { insertion, openPort } from './firewall-fixes.ts'
import type { Probe } from './walk-conditions.ts'
import { type Obstacle, obstacleTo } from './walk-ruleset.ts'

/** Something that has to pass the filters of this machine. */
interface Need {
  readonly probe: Omit<Probe, 'family' | 'ours' | 'sources'>
  readonly families: readonly (4 | 6)[]
  /** As it stands in a sentence: `UDP port 51820`. */
  readonly what: string
  readonly why: string
  /** What lets it pass. */
  readonly fix: (obstacle: Obstacle) => string
  readonly isVital: boolean
}

/** What the rules do with a first packet of each kind, without sending one. */
export function judgeFirewall(found: Examination, daemon: DaemonWords | null): readonly Finding[] {
  const { ruleset, unreadable, unseen } = found.firewall
  if (ruleset === null)
    return [
      notice(
        'the firewall was not examined',
        unreadable === null ? null : sentenceOf({ ...unreadable, remedy: null }),
        'run lnetctl doctor as root',
      ),
    ]
  const ours = [found.ways.tunnel, ...found.ways.devices]
  const sources = sourcesOf(daemon)
  const obstacles = needsOf(found, daemon).flatMap(need => {
    const obstacle = need.families
      .map(family =>
        obstacleTo(ruleset, {
          ...need.probe,
          family,
          ours,
          sources: need.probe.from === null ? sources : [],
        }),
      )
      .find(each => each !== null)
    return obstacle === undefined || obstacle === null ? [] : [findingOf(need, obstacle)]
  })
  return [...obstacles, ...unseen.map(({ what, why, remedy }) => notice(what, why, remedy))]
}

/** Whence the members' packets come: those that answered count, whatever others announce. */
function sourcesOf(daemon: DaemonWords | null): readonly IpAddress[] {
  const rows = daemon?.peers.peers.filter(({ state }) => state === 'up') ?? []
  return rows.flatMap(({ endpoint }) => (endpoint === null ? [] : (parseIpAddress(hostOf(endpoint)) ?? [])))
}

function findingOf({ what, why, fix, isVital }: Need, obstacle: Obstacle): Finding {
  const { chain, isSure, doubt } = obstacle
  if (isSure) return (isVital ? wrong : notice)(`${chain} drops ${what}`, why, fix(obstacle))
  const because = doubt === null ? 'its rules are not all understood' : `it depends on "${doubt}"`
  return notice(`cannot tell whether ${chain} drops ${what}`, `${because}; if it does, ${why}`, fix(obstacle))
}

function needsOf(found: Examination, daemon: DaemonWords | null): readonly Need[] {
  const { ways, firewall, networks } = found
  const seen = [...new Set(networks.map(({ prefix }) => familyOf(prefix)))]
  const isAnswered = (daemon?.status.members.up ?? 0) > 0
  const connects = daemon?.status.neighbours.some(({ direction }) => direction === 'inbound') ?? false
  const outside = { firewall, families: seen.length === 0 ? ([4, 6] as const) : seen, isVital: !isAnswered }
  return [
    ...found.ports
      // Whoever has come in has come past the filters.
      .filter(({ protocol }) => protocol === 'udp' || !connects)
      .map(({ protocol, port }) => portNeed(outside, 'input', protocol, port)),
    ...found.ports.map(({ protocol, port }) => portNeed(outside, 'output', protocol, port)),
    ...ways.vxlanPorts.map(port => ({
      ...portNeed({ firewall, families: [ways.tunnelFamily], isVital: true }, 'output', 'udp', port),
      probe: { hook: 'output', protocol: 'udp', port, from: null, to: ways.tunnel } as const,
      what: `UDP to port ${port} out by ${ways.tunnel}`,
      why: 'that is VXLAN: nothing leaves the segments without it',
    })),
    ...ways.vxlanPorts.map(port => ({
      ...deviceNeed(firewall, ways.tunnel, { protocol: 'udp', port }, [ways.tunnelFamily]),
      what: `UDP port ${port} in by ${ways.tunnel}`,
      why: 'that is VXLAN: nothing arrives in the segments without it',
      isVital: true,
    })),
    ...ways.devices.map(device => deviceNeed(firewall, device, { protocol: 'icmp', port: null }, [4, 6])),
    ...(firewall.filtersBridges ? ways.bridges.map(bridge => forwardNeed(firewall, bridge, bridge)) : []),
    ...(ways.gateway?.devices ?? []).map(device =>
      forwardNeed(firewall, device, ways.gateway?.interface as string),
    ),
  ]
}

/** What others send to a port of this machine, or it to theirs, which mostly have the same ports. */
function portNeed(
  { firewall, families, isVital }: Outside,
  hook: keyof typeof portWhys,
  protocol: 'udp' | 'tcp',
  port: number,
): Need {
  const name = `${protocol.toUpperCase()} port ${port}`
  const leaving = (obstacle: Obstacle) =>
    firewall.ufw ? `ufw allow out ${port}/${protocol}` : insertion(obstacle, { protocol, port })
  return {
    probe: { hook, protocol, port, from: null, to: null },
    families,
    what: hook === 'input' ? `what comes to ${name}` : `what this machine sends to ${name}`,
    why: portWhys[hook][protocol],
    fix: hook === 'input' ? obstacle => openPort(firewall, protocol, port, obstacle) : leaving,
    isVital,
  }
}

interface Outside {
  readonly firewall: Examination['firewall']
  readonly families: readonly (4 | 6)[]
  readonly isVital: boolean
}

const portWhys = {
  input: {
    udp: 'tunnels begin only from this side, and not at all with members in the same position',
    tcp: 'no other machine can join by this one',
  },
  output: {
    udp: 'it cannot reach the tunnels of others',
    tcp: 'it cannot begin to talk to other members',
  },
} as const

function deviceNeed(
  firewall: Examination['firewall'],
  device: string,
  { protocol, port }: Pick<Probe, 'protocol' | 'port'>,
  families: readonly (4 | 6)[],
): Need {
  return {
    probe: { hook: 'input', protocol, port, from: device, to: null },
    families,
    what: `what comes in by ${device}`,
    why: 'what you use by the segment may be meant to come in; whoever else is not, need not',
    fix: obstacle => {
      if (firewall.ufw) return `ufw allow in on ${device}`
      if (firewall.firewalld)
        return `firewall-cmd --permanent --zone=trusted --add-interface=${device} && firewall-cmd --reload`
      return insertion(obstacle, { from: device })
    },
    isVital: false,
  }
}

function forwardNeed(firewall: Examination['firewall'], from: string, to: string): Need {
  const isBridge = from === to
  return {
    probe: { hook: 'forward', protocol: 'icmp', port: null, from, to },
    families: [4],
    what: isBridge ? `what machines behind ${from} send` : `what is forwarded from ${from} to ${to}`,
    why: isBridge
      ? 'frames in bridges go through the rules of routed packets (docker sets this): the segment is not heard behind it'
      : 'others cannot leave by this gateway',
    fix: obstacle => {
      if (obstacle.base === 'ip filter FORWARD' && obstacle.tool !== 'iptables-legacy' && !firewall.ufw) {
        const chain = firewall.docker ? 'DOCKER-USER' : 'FORWARD'
        const back = isBridge ? '' : ` && iptables -I ${chain} -i ${to} -o ${from} -j ACCEPT`
        return `iptables -I ${chain} -i ${from} -o ${to} -j ACCEPT${back}`
      }
      if (firewall.ufw) return `ufw route allow in on ${from} out on ${to}`
      if (firewall.firewalld)
        return `firewall-cmd --permanent --zone=trusted --add-interface=${from} && firewall-cmd --reload`
      return insertion(obstacle, { from, to })
    },
    isVital: true,
  }
}
