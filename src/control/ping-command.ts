import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, InvalidArgumentError } from 'commander'
import { sentenceOf } from '../model/explanation.ts'
import type { Result } from '../model/failure.ts'
import { pingCountDefault, pingCountMax, watchSecondsMax, watchSecondsMin } from '../model/limits.ts'
import type { PingRequest, PingTime } from '../model/ping.ts'
import { ask } from './client.ts'
import type { CommandSetting } from './commands.ts'
import { type PingRound, pingReport, pingTargets, reportPage, roundLine } from './ping-report.ts'
import { findPeer } from './questions.ts'
import { type ExitCode, exitCodes, type Terminal } from './show.ts'
import { printable } from './text.ts'

/** How this machine pings. */
export type Ping = (request: PingRequest) => Promise<Result<PingTime>>

interface GivenOptions {
  readonly socket: string
  readonly json?: boolean
  readonly count: number
  readonly interval: number
}

/** Adds `ping`. */
export function describePing(program: Command, { terminal, exit }: CommandSetting, ping: Ping): void {
  program
    .command('ping')
    .description('ping one member on the underlay, through the tunnel and on the overlay, each for itself')
    .argument('<name>', 'its name, its node id, or the beginning of its id')
    .option('--json', 'print JSON')
    .option('-c, --count <count>', 'how many rounds', numberFrom(1, pingCountMax), pingCountDefault)
    .option(
      '-i, --interval <seconds>',
      'seconds from one round to the next',
      numberFrom(watchSecondsMin, watchSecondsMax),
      1,
    )
    .addHelpText('after', '\nExits with 1 when the overlay does not answer.')
    .action(async (name: string, _, command: Command) => {
      exit(await run(name, command.optsWithGlobals<GivenOptions>(), terminal, ping))
    })
}

async function run(
  wanted: string,
  { socket, json, count, interval }: GivenOptions,
  terminal: Terminal,
  ping: Ping,
): Promise<ExitCode> {
  const refuse = (message: string, code: ExitCode = exitCodes.error) => {
    terminal.err(`lnetctl: ${printable(message)}\n`)
    return code
  }
  const reply = await ask(socket, 'peers')
  if (!reply.ok)
    return refuse(reply.message, reply.kind === 'unreachable' ? exitCodes.unreachable : exitCodes.error)
  const found = findPeer(reply.view, wanted)
  if (!found.ok) return refuse(sentenceOf(found.failure))
  const targets = pingTargets(found.value)
  const rounds: PingRound[] = []
  for (let number = 1; number <= Math.floor(count); number++) {
    const times = await Promise.all(targets.map(({ address }) => ping({ address })))
    const broken = times.find(time => !time.ok)
    if (broken?.ok === false) return refuse(sentenceOf(broken.failure))
    rounds.push(times.map(time => (time.ok ? time.value : null)))
    if (json !== true) terminal.out(roundLine(found.value.name, targets, rounds.at(-1) as PingRound))
    if (number < Math.floor(count)) await sleep(interval * 1000)
  }
  const report = pingReport(found.value, targets, rounds)
  terminal.out(json === true ? `${JSON.stringify(report, null, 2)}\n` : reportPage(report))
  return report.answers ? exitCodes.ok : exitCodes.error
}

function numberFrom(least: number, most: number): (text: string) => number {
  return text => {
    const number = Number(text)
    if (text.trim() !== '' && number >= least && number <= most) return number
    throw new InvalidArgumentError(`Give a number from ${least} to ${most}.`)
  }
}
