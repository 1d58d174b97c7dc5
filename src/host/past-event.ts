import { pastEventTextCharactersMax, pastRepairsMax } from '../model/limits.ts'
import type { PastEvent } from '../model/past-event.ts'
import type { FieldsOf, LogEvent } from './events.ts'

type Told = Pick<PastEvent, 'kind' | 'node' | 'name' | 'text'>

/** The events of the log that are kept, each in one sentence. */
const tellers: { readonly [Event in LogEvent]?: (fields: FieldsOf<Event>) => Told } = {
  'daemon.ready': ({ name }) => ours('started', `lnetd runs as ${name}`),
  'daemon.stopping': ({ signal }) => ours('stopped', `lnetd ends (${signal})`),
  'member.joined': fields => theirs('joined', fields, `${fields.name} joined the mesh`),
  'member.left': fields => theirs('left', fields, `${fields.name} left the mesh`),
  'member.silent': fields =>
    theirs('silent', fields, `${fields.name}: its lnetd does not answer; traffic goes on`),
  'member.answers': fields => theirs('answers', fields, `${fields.name}: its lnetd answers again`),
  'member.forgotten': fields => theirs('forgotten', fields, `${fields.name} was gone for too long`),
  'tunnel.up': fields => theirs('up', fields, `${fields.name} answers${placeOf(fields)}`),
  'tunnel.down': fields => theirs('down', fields, `${fields.name} does not answer${placeOf(fields)}`),
  'tunnel.roamed': fields => theirs('roamed', fields, `${fields.name} moved${placeOf(fields, 'to')}`),
  'kernel.drift': ({ repairs }) => ours('drift', `somebody else changed the kernel: ${repairsOf(repairs)}`),
  'problem.raised': ({ reason }) => ours('problem', reason),
  'problem.cleared': ({ code, subject }) => ours('solved', subject === '' ? code : `${code} (${subject})`),
}

/** What is kept of an event of the log; null for one that is not. */
export function pastEventOf<Event extends LogEvent>(event: Event, fields: FieldsOf<Event>): Told | null {
  const told = tellers[event]?.(fields) ?? null
  return told === null ? null : { ...told, text: told.text.slice(0, pastEventTextCharactersMax) }
}

function ours(kind: Told['kind'], text: string): Told {
  return { kind, node: null, name: null, text }
}

function theirs(kind: Told['kind'], { member, name }: FieldsOf<'member.joined'>, text: string): Told {
  return { kind, node: member, name, text }
}

function placeOf({ endpoint }: Pick<FieldsOf<'tunnel.up'>, 'endpoint'>, word = 'at'): string {
  return endpoint === null ? '' : ` ${word} ${endpoint}`
}

function repairsOf(repairs: readonly string[]): string {
  const shown = repairs.slice(0, pastRepairsMax).join('; ')
  return repairs.length > pastRepairsMax ? `${shown}; and ${repairs.length - pastRepairsMax} more` : shown
}
