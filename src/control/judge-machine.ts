import type { Examination } from '../model/examination.ts'
import { asFinding, type DaemonWords, type Finding, notice, problemChecks, wrong } from './finding.ts'
import { openPort } from './judge-firewall.ts'

export function judgeConfiguration({ configurationProblems, file }: Examination): readonly Finding[] {
  return configurationProblems.map(({ what, why, remedy }) =>
    wrong(what, why ?? 'lnetd does not start with it', remedy ?? `lnetd --check --config ${file}`),
  )
}

export function judgeMachine({ missing }: Examination): readonly Finding[] {
  return missing.map(({ what, why, remedy }) => wrong(what, why ?? 'lnetd cannot start without it', remedy))
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
  const udp = openPort(firewall, 'udp', portOf('udp'), null)
  const tcp = openPort(firewall, 'tcp', portOf('tcp'), null)
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
