import type { Examination } from '../model/examination.ts'
import { asFinding, type DaemonWords, type Finding, notice, problemChecks, wrong } from './finding.ts'
import { openPort } from './firewall-fixes.ts'

export function judgeConfiguration({
  configurationProblems,
  unexamined,
  file,
}: Examination): readonly Finding[] {
  return [
    ...configurationProblems.map(({ what, why, remedy }) =>
      wrong(what, why ?? 'lnetd does not start with it', remedy ?? `lnetd --check --config ${file}`),
    ),
    ...unexamined.map(({ what, why, remedy }) => notice(what, why, remedy)),
  ]
}

export function judgeMachine({ missing, untried }: Examination): readonly Finding[] {
  return [
    ...missing.map(({ what, why, remedy }) => wrong(what, why ?? 'lnetd cannot start without it', remedy)),
    ...untried.map(({ what, why, remedy }) => notice(what, why, remedy)),
  ]
}

/** Problems that belong to another check are told there. */
export function judgeDaemon(found: Examination, daemon: DaemonWords | null): readonly Finding[] {
  if (daemon === null) return [absentDaemon(found)]
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

/** A start that would be refused again is no advice. */
function absentDaemon(found: Examination): Finding {
  const { refusal, hasUnit, missing, configurationProblems, file, isForbidden } = found
  if (isForbidden)
    return notice(
      'lnetd was not asked, and what only it knows was not examined',
      'only root may use its socket',
      'run lnetctl doctor as root',
    )
  const isBarred = missing.length > 0 || configurationProblems.length > 0
  const start = hasUnit
    ? 'systemctl enable --now lnetd'
    : `lnetd --config ${file}   # there is no lnetd.service here`
  return wrong(
    'lnetd does not answer, and what only it knows was not examined',
    refusal === null ? 'nobody keeps this node in the mesh' : `its last start was refused: ${refusal}`,
    isBarred ? 'mend what is wrong above, then start lnetd' : start,
  )
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
  const opening = (protocol: 'udp' | 'tcp') => {
    const port = ports.find(each => each.protocol === protocol)?.port
    return port === undefined ? null : openPort(firewall, protocol, port, null)
  }
  const [udp, tcp] = [opening('udp'), opening('tcp')]
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
    ...silentMembers(daemon),
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

const namedSilentMax = 5

function silentMembers({ status: { silent = [] } }: DaemonWords): readonly Finding[] {
  const [first] = silent
  if (first === undefined) return []
  const names = silent.slice(0, namedSilentMax).map(({ name }) => name)
  const more = silent.length > names.length ? ` and ${silent.length - names.length} more` : ''
  return [
    notice(
      `the lnetd of ${names.join(', ')}${more} does not answer`,
      'traffic goes on, but changes of the mesh are not followed there',
      `systemctl status lnetd   # on ${first.name}`,
    ),
  ]
}
