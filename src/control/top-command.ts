import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { watchSecondsDefault } from '../model/limits.ts'
import { ask, type Reply } from './client.ts'
import { type CommandSetting, isColoured, parseSeconds } from './commands.ts'
import { type PeersView, schema } from './protocol.ts'
import { type Look, type RateRow, ratesBetween, sumOfRates } from './rates.ts'
import type { Screen } from './screen.ts'
import { type ExitCode, exitCodes, type Terminal } from './show.ts'
import { painter } from './text.ts'
import { topText } from './top-view.ts'

interface GivenOptions {
  readonly socket: string
  readonly json?: boolean
  readonly once?: boolean
  readonly interval: number
}

/** Adds `top`. `open`: takes the terminal, as long as it is drawn on. */
export function describeTop(program: Command, { terminal, exit }: CommandSetting, open: () => Screen): void {
  program
    .command('top')
    .description('show who sends and receives how much, the busiest first, until q is pressed')
    .option('--json', 'print JSON, one document a line')
    .option('--once', 'look twice, print once and end; so it does where there is no terminal')
    .option('--interval <seconds>', 'how often to look', parseSeconds, watchSecondsDefault)
    .action(async (_, command: Command) => {
      exit(await top(command.optsWithGlobals<GivenOptions>(), terminal, open))
    })
}

async function top(options: GivenOptions, terminal: Terminal, open: () => Screen): Promise<ExitCode> {
  const first = await look(options.socket)
  if (!first.ok) return refuse(first, terminal)
  if (options.json === true) return tellJson(first.view, options, terminal)
  if (options.once === true || !terminal.isTerminal) return tellOnce(first.view, options, terminal)
  const screen = open()
  try {
    await drawUntilLeft(first.view, options, terminal, screen)
  } finally {
    screen.close()
  }
  return exitCodes.ok
}

async function drawUntilLeft(
  first: Look,
  options: GivenOptions,
  terminal: Terminal,
  screen: Screen,
): Promise<void> {
  const paint = painter(isColoured({}, terminal))
  let latest: Look = first
  let rows: readonly RateRow[] = ratesBetween(null, first)
  let remark: string | null = null
  const draw = () => screen.draw(topText(latest.view, rows, remark, screen.frame, paint))
  screen.onResize(draw)
  for (;;) {
    draw()
    await sleep(options.interval * 1000, undefined, { signal: screen.left }).catch(() => undefined)
    if (screen.left.aborted) return
    const reply = await look(options.socket)
    remark = reply.ok ? null : `not of now: ${reply.message}`
    if (!reply.ok) continue
    rows = ratesBetween(latest, reply.view)
    latest = reply.view
  }
}

/** For ever, over restarts of the daemon, or once. */
async function tellJson(first: Look, options: GivenOptions, terminal: Terminal): Promise<ExitCode> {
  for (let before = first; ; ) {
    await sleep(options.interval * 1000)
    const reply = await look(options.socket)
    if (reply.ok) terminal.out(`${JSON.stringify(topJson(before, reply.view))}\n`)
    const code = reply.ok ? exitCodes.ok : refuse(reply, terminal)
    if (options.once === true) return code
    if (reply.ok) before = reply.view
  }
}

async function tellOnce(first: Look, options: GivenOptions, terminal: Terminal): Promise<ExitCode> {
  await sleep(options.interval * 1000)
  const reply = await look(options.socket)
  if (!reply.ok) return refuse(reply, terminal)
  const { view } = reply.view
  const paint = painter(isColoured({}, terminal))
  terminal.out(topText(view, ratesBetween(first, reply.view), null, null, paint))
  return exitCodes.ok
}

function topJson(before: Look, after: Look): object {
  const peers = ratesBetween(before, after)
  const { rx, tx } = sumOfRates(peers)
  const seconds = Math.round(after.at - before.at) / 1000
  return { schema, mesh: after.view.mesh, seconds, rx_bytes_per_second: rx, tx_bytes_per_second: tx, peers }
}

async function look(socket: string): Promise<Reply<Look>> {
  const reply: Reply<PeersView> = await ask(socket, 'peers')
  return reply.ok ? { ok: true, view: { at: performance.now(), view: reply.view } } : reply
}

function refuse({ kind, message }: Exclude<Reply<Look>, { ok: true }>, terminal: Terminal): ExitCode {
  terminal.err(`lnetctl: ${message}\n`)
  return kind === 'unreachable' ? exitCodes.unreachable : exitCodes.error
}
