import type { Examination } from '../model/examination.ts'
import { asFinding, type DaemonWords, type Finding, notice, problemChecks, wrong } from './finding.ts'

export function judgeConfiguration({ configurationProblems, file }: Examination): readonly Finding[] {
  return configurationProblems.map(problem =>
    wrong(problem, 'lnetd does not start with it', `lnetd --check --config ${file}`),
  )
}

/** Each of these sentences ends with its remedy. */
export function judgeMachine({ missing }: Examination): readonly Finding[] {
  return missing.map(sentence => {
    const [what = sentence, ...remedy] = sentence.split(': ')
    return wrong(what, 'lnetd cannot start without it', remedy.join(': ') || null)
  })
}

/** Problems that belong to another check are told there. */
export function judgeDaemon(_: Examination, daemon: DaemonWords | null): readonly Finding[] {
  if (daemon === null)
    return [
      wrong(
        'lnetd does not answer, and what only it knows was not looked at',
        'nobody keeps this node in the mesh',
        'systemctl enable --now lnetd',
      ),
    ]
  const told = daemon.status.problems.filter(({ code }) => problemChecks[code] === undefined)
  const waiting = daemon.status.ready
    ? []
    : [
        notice(
          `lnetd waits for ${daemon.status.waiting.join(' and ')}`,
          'until then nothing is certain',
          'lnetctl status',
        ),
      ]
  return [...told.map(asFinding), ...waiting]
}

export function judgePorts({ ports }: Examination, daemon: DaemonWords | null): readonly Finding[] {
  if (daemon === null) return []
  return ports
    .filter(({ listening }) => !listening)
    .map(({ protocol, port }) =>
      wrong(
        `nobody listens on ${protocol.toUpperCase()} port ${port}`,
        protocol === 'udp'
          ? 'other members cannot reach the tunnel'
          : 'other members cannot begin to talk to this one',
        'systemctl restart lnetd',
      ),
    )
}

/** What others see of the ports: connections they made, tunnels that answer. */
export function judgeReach({ ports, firewall }: Examination, daemon: DaemonWords | null): readonly Finding[] {
  if (daemon === null || daemon.status.members.known === daemon.status.members.left) return []
  const { members, neighbours } = daemon.status
  const portOf = (protocol: 'udp' | 'tcp') => ports.find(each => each.protocol === protocol)?.port ?? 0
  const udp = openCommand(firewall, 'udp', portOf('udp'))
  const tcp = openCommand(firewall, 'tcp', portOf('tcp'))
  return [
    ...(members.up === 0
      ? [
          wrong(
            'no member answers through the tunnel',
            'nothing gets through: a firewall on the way is likely',
            udp,
          ),
        ]
      : members.down > 0
        ? [
            notice(
              `${members.down} of ${members.known} members do not answer`,
              'lnetctl peers tells why of each',
              udp,
            ),
          ]
        : []),
    ...(neighbours.some(({ direction }) => direction === 'inbound')
      ? []
      : [
          notice(
            'no other member has connected to this one yet',
            'newcomers cannot join by this node if they cannot',
            tcp,
          ),
        ]),
  ]
}

function openCommand({ ufw, firewalld }: Examination['firewall'], protocol: string, port: number): string {
  if (ufw) return `ufw allow ${port}/${protocol}`
  if (firewalld) return `firewall-cmd --permanent --add-port=${port}/${protocol} && firewall-cmd --reload`
  return `open ${protocol.toUpperCase()} port ${port} in the firewalls and routers on the way`
}

/** A chain that drops by default may still accept what we need; tunnels that answer show that it does. */
export function judgeFirewall({ firewall }: Examination, daemon: DaemonWords | null): readonly Finding[] {
  const { droppingChains, filtersBridges } = firewall
  const tunnel = daemon?.status.tunnel?.interface ?? 'lnet0'
  const devices = [
    tunnel,
    ...(daemon?.status.segments ?? []).map(segment => segment.bridge ?? segment.interface),
  ]
  const bridges = (daemon?.status.segments ?? []).flatMap(({ bridge }) => bridge ?? [])
  return droppingChains.flatMap(({ name, hook }) => {
    if (hook === 'input') return [inputFinding(firewall, name, devices)]
    if (bridges.length === 0 || !filtersBridges) return []
    return [
      wrong(
        `${name} drops by default, and frames in bridges go through it`,
        `machines behind ${bridges.join(' and ')} do not hear the segment (docker sets this)`,
        `iptables -I FORWARD -i ${bridges[0]} -o ${bridges[0]} -j ACCEPT`,
      ),
    ]
  })
}

function inputFinding(firewall: Examination['firewall'], name: string, devices: readonly string[]): Finding {
  const why = 'VXLAN comes in by the tunnel, and whatever you use by the segment: neither may be dropped'
  const allow = (device: string) =>
    firewall.ufw
      ? `ufw allow in on ${device}`
      : firewall.firewalld
        ? `firewall-cmd --permanent --zone=trusted --add-interface=${device}`
        : `nft insert rule ${name} iifname ${device} accept`
  return notice(`${name} drops what no rule of it accepts`, why, devices.map(allow).join(' && '))
}
