import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { eventsFollowMilliseconds, pastEventsMax } from '../model/limits.ts'
import { ask } from './client.ts'
import type { CommandSetting } from './commands.ts'
import type { EventRow } from './events-protocol.ts'
import { schema } from './protocol.ts'
import { type ExitCode, exitCodes, type Terminal } from './show.ts'
import { printable } from './text.ts'

interface GivenOptions {
  readonly socket: string
  readonly json?: boolean
  readonly follow?: boolean
  readonly lines: number
}

/** Adds `events`. */
export function describeEvents(program: Command, { terminal, exit }: CommandSetting): void {
  program
    .command('events')
    .description('tell what happened: members that came and went, tunnels, repairs, problems')
    .option('--json', 'print JSON, one event a line')
    .option('-f, --follow', 'go on telling as it happens')
    .option('-n, --lines <count>', `how many past events (at most ${pastEventsMax})`, parseCount, 50)
    .action(async (_, command: Command) => {
      exit(await tellEvents(command.optsWithGlobals<GivenOptions>(), terminal))
    })
}

/** The last events, and when followed those to come, over restarts of the daemon. */
async function tellEvents(
  { socket, json, follow, lines }: GivenOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const first = await ask(socket, 'events')
  if (!first.ok) {
    terminal.err(`lnetctl: ${first.message}\n`)
    return first.kind === 'unreachable' ? exitCodes.unreachable : exitCodes.error
  }
  const write = (events: readonly EventRow[]) => {
    terminal.out(events.map(event => (json === true ? jsonLine(event) : textLine(event))).join(''))
  }
  write(lines === 0 ? [] : first.view.events.slice(-lines))
  let last = first.view.events.at(-1)?.number ?? 0
  while (follow === true) {
    await sleep(eventsFollowMilliseconds)
    const reply = await ask(socket, 'events', `?after=${last}`)
    if (!reply.ok) continue
    write(reply.view.events)
    last = reply.view.events.at(-1)?.number ?? last
  }
  return exitCodes.ok
}

function jsonLine(event: EventRow): string {
  return `${JSON.stringify({ schema, ...event })}\n`
}

/** `2026-11-23 10:02:07  joined   gauss joined the mesh`, by this machine's zone. */
function textLine({ time, kind, text }: EventRow): string {
  const date = new Date(time)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  return `${printable(`${day} ${clock}  ${kind.padEnd(9)}  ${text}`)}\n`
}

function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count <= pastEventsMax) return count
  throw new InvalidArgumentError(`Give a number from 0 to ${pastEventsMax}.`)
}
