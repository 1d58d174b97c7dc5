import type { Endpoint, IpAddress } from '../model/address.ts'
import type { LogLevel } from '../model/configuration.ts'
import type { MeshId, NodeId, NodeName } from '../model/node.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'

/** The glossary: a field of this name means this in every event. Never a secret. */
export interface LogFields {
  /** Whom it is about. */
  readonly member: NodeId
  readonly name: NodeName
  /** This node. */
  readonly node: NodeId
  readonly mesh: MeshId
  readonly publicKey: WireguardPublicKey
  readonly endpoint: Endpoint | null
  readonly addresses: readonly IpAddress[]
  readonly incarnation: number
  readonly counter: number
  /** Sentences as `lnetctl plan` prints them. */
  readonly step: string
  readonly steps: readonly string[]
  readonly repairs: readonly string[]
  /** How many neighbours there are. */
  readonly neighbours: number
  /** One sentence that names the remedy. */
  readonly reason: string
  /** Where in the program an error came from, for whoever mends it. */
  readonly stack: string
  readonly command: string | null
  readonly exitCode: number | null
  /** The first lines of what a tool said. */
  readonly stderr: string
  /** Which problem, in the words of `lnetctl status --json`. */
  readonly code: string
  readonly subject: string
  readonly file: string
  readonly software: string
  readonly signal: string
  readonly seconds: number
  readonly level: LogLevel
  readonly place: string
  /** How many more of the kind came since the last line of it. */
  readonly suppressed: number
}

interface EventEntry {
  readonly meaning: string
  readonly fields: readonly (keyof LogFields)[]
}

const failure = ['reason', 'command', 'exitCode', 'stderr'] as const

/** Every event there is: changes, not states. */
export const logEvents = {
  'daemon.starting': { meaning: 'lnetd begins', fields: ['software', 'file'] },
  'kernel.taken_over': { meaning: 'devices of a hand-written network are ours now', fields: ['subject'] },
  'daemon.ready': { meaning: 'the first plan was applied', fields: ['node', 'name', 'mesh', 'publicKey'] },
  'daemon.stopping': { meaning: 'lnetd ends, the data plane stays', fields: ['signal'] },
  'daemon.refused': { meaning: 'lnetd cannot start', fields: ['reason'] },
  'daemon.crashed': { meaning: 'a bug ends lnetd, the data plane stays', fields: ['reason', 'stack'] },
  'configuration.written': { meaning: 'made from LNETD_TOKEN', fields: ['file'] },
  'configuration.reloaded': { meaning: 'the changed configuration holds', fields: ['file'] },
  'configuration.refused': { meaning: 'the old configuration still holds', fields: ['file', 'reason'] },
  'configuration.warning': { meaning: 'works, but should not stay so', fields: ['reason'] },
  'log.lost': { meaning: 'lines before it could not be written', fields: ['suppressed'] },
  'log.level': { meaning: 'other events are shown from now on', fields: ['level'] },
  'key.created': { meaning: 'a key was made for the first time', fields: ['file'] },
  'metrics.not_served': { meaning: 'nobody can read the metrics', fields: ['reason'] },
  'names.not_kept': { meaning: 'NAME.lnet leads where it led before', fields: ['reason'] },
  'notify.failed': { meaning: 'systemd could not be told', fields: ['reason'] },
  'state.set_aside': { meaning: 'a damaged state file was put away', fields: ['subject', 'reason'] },
  'state.not_saved': { meaning: 'the state directory does not take what must be kept', fields: ['reason'] },
  'state.saved': { meaning: 'the state directory takes it again', fields: [] },
  'machine.woke': { meaning: 'the machine or the daemon slept', fields: ['seconds'] },
  'underlay.changed': { meaning: 'this machine has other addresses', fields: ['addresses'] },
  'announcement.published': { meaning: 'we said something new', fields: ['incarnation', 'counter'] },
  'announcement.spoken': { meaning: 'our heartbeat', fields: ['incarnation', 'counter'] },
  'announcement.refused': { meaning: 'what was heard was not taken', fields: ['reason', 'suppressed'] },
  'identity.met': { meaning: 'another machine has our key', fields: ['place'] },
  'identity.outbid': { meaning: 'somebody speaks with our id', fields: ['incarnation', 'counter'] },
  'identity.yielded': {
    meaning: 'the other one has it, our tunnels are closed',
    fields: ['incarnation', 'counter'],
  },
  'identity.resumed': { meaning: 'the other one is gone, our tunnels are back', fields: [] },
  'member.joined': { meaning: 'a node is new, or back after a farewell', fields: ['member', 'name'] },
  'member.changed': { meaning: 'a member said something new', fields: ['member', 'name'] },
  'member.left': { meaning: 'a member said farewell', fields: ['member', 'name'] },
  'member.silent': {
    meaning: 'its lnetd does not answer, its tunnel carries traffic',
    fields: ['member', 'name'],
  },
  'member.answers': { meaning: 'the lnetd of a silent member answers again', fields: ['member', 'name'] },
  'member.forgotten': { meaning: 'a member was gone for too long', fields: ['member', 'name'] },
  'neighbours.changed': { meaning: 'a gossip connection came or went', fields: ['neighbours'] },
  'dial.failed': { meaning: 'a place does not answer', fields: ['place', 'reason', 'suppressed'] },
  'tunnel.up': { meaning: 'a member answers through the tunnel', fields: ['member', 'name', 'endpoint'] },
  'tunnel.down': { meaning: 'a member does not answer any more', fields: ['member', 'name', 'endpoint'] },
  'tunnel.roamed': { meaning: 'a member answers from another place', fields: ['member', 'name', 'endpoint'] },
  'plan.applied': { meaning: 'the kernel was changed', fields: ['steps'] },
  'step.failed': { meaning: 'the kernel refused a change', fields: ['step', ...failure] },
  'kernel.drift': { meaning: 'somebody else changed the kernel', fields: ['repairs'] },
  'kernel.not_observed': { meaning: 'the kernel could not be looked at', fields: failure },
  'problem.raised': { meaning: 'see lnetctl status', fields: ['code', 'subject', 'reason'] },
  'problem.cleared': { meaning: 'that is over', fields: ['code', 'subject'] },
  'kernel.monitor_ended': { meaning: 'its events are not heard for a moment', fields: ['reason', 'command'] },
  'down.done': { meaning: 'the data plane was taken away', fields: [] },
  'down.failed': { meaning: 'a part of the data plane stayed', fields: failure },
} as const satisfies Record<string, EventEntry>

export type LogEvent = keyof typeof logEvents

export type FieldsOf<Event extends LogEvent> = Pick<LogFields, (typeof logEvents)[Event]['fields'][number]>
