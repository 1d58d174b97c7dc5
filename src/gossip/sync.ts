import type { Connection, Stream } from '@libp2p/interface'
import { Allowances } from '../mesh/allowances.ts'
import { nextLink, overdueLinks } from '../mesh/sync-turns.ts'
import {
  allowancesMax,
  syncAgainMilliseconds,
  syncAllowance,
  syncIntervalSecondsMax,
  syncIntervalSecondsMin,
  syncProbeSecondsMax,
  syncStepSecondsMax,
  syncTickSeconds,
} from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import { type Cascade, cascadeTo } from './cascade.ts'
import { channelOver, openChannel } from './channel.ts'
import { type Answered, answer, ask } from './exchange.ts'
import { type Link, newLink } from './link.ts'
import { MalformedMessage } from './messages.ts'
import { createQueue } from './one-by-one.ts'
import type { GossipHandlers, GossipOptions } from './port.ts'
import type { Swarm } from './swarm.ts'

/** What syncing tells and asks the daemon. */
export type SyncHandlers = Pick<GossipHandlers, 'sync' | 'refused' | 'synced'>

export const syncProtocol = '/lnet/sync/1'

/** Keeps the sets of neighbours equal, and finds out by it which connections are dead. */
export interface Sync {
  /** Asks every neighbour now, or this one, with little patience: dead connections are likely. */
  probe(node?: NodeId): void
  /** There is something new here that these know: the other neighbours learn it by an exchange. */
  tell(informed: ReadonlySet<string>): void
  stop(): Promise<void>
}

export async function startSync(
  swarm: Swarm,
  options: Pick<GossipOptions, 'now' | 'random'>,
  handlers: SyncHandlers,
): Promise<Sync> {
  const syncing = new Syncing(swarm, options, handlers)
  await swarm.handle(syncProtocol, (stream, connection) => syncing.answer(stream, connection), {
    maxInboundStreams: 2,
    maxOutboundStreams: 2,
  })
  syncing.start()
  return syncing
}

class Syncing implements Sync {
  private readonly swarm: Swarm
  private readonly options: Pick<GossipOptions, 'now' | 'random'>
  private readonly handlers: SyncHandlers
  private readonly links = new Map<string, Link>()
  private readonly allowances = new Allowances<NodeId>(syncAllowance, allowancesMax)
  private readonly alone = createQueue()
  private ticking: NodeJS.Timeout | null = null
  private nextAskAt = 0
  private readonly cascade: Cascade

  constructor(swarm: Swarm, options: Pick<GossipOptions, 'now' | 'random'>, handlers: SyncHandlers) {
    this.swarm = swarm
    this.options = options
    this.handlers = handlers
    this.cascade = cascadeTo(handlers, options.random, informed => this.tell(informed))
  }

  start(): void {
    this.swarm.addEventListener('connection:open', this.opened)
    this.swarm.addEventListener('connection:close', this.closed)
    // Whoever was quick enough to connect before this moment.
    for (const connection of this.swarm.getConnections()) this.open(connection)
    this.nextAskAt = this.options.now() + intervalMilliseconds(this.options.random)
    this.ticking = setInterval(() => this.tick(), syncTickSeconds * 1000)
  }

  probe(node?: NodeId): void {
    const links = [...this.links.values()].filter(link => node === undefined || link.node === node)
    for (const link of links) this.askSoon(link, syncProbeSecondsMax)
  }

  tell(heard: ReadonlySet<string>): void {
    for (const link of this.links.values()) if (!heard.has(link.node)) this.askSoon(link)
  }

  async stop(): Promise<void> {
    this.swarm.removeEventListener('connection:open', this.opened)
    this.swarm.removeEventListener('connection:close', this.closed)
    if (this.ticking !== null) clearInterval(this.ticking)
    this.cascade.stop()
    for (const link of this.links.values()) link.channel?.abort()
    this.links.clear()
    await this.swarm.unhandle(syncProtocol)
  }

  async answer(stream: Stream, connection: Connection): Promise<void> {
    const link = this.linkOf(connection)
    await answer({
      channel: channelOver(stream),
      handlers: this.cascade.from(link.node),
      stepMilliseconds: syncStepSecondsMax * 1000,
      spend: (answers, bytes) => this.allowances.spend(link.node, answers, bytes, this.options.now()),
      heard: progress => this.answered(link, progress),
    })
  }

  private answered(link: Link, { finished, short }: Answered): void {
    link.heardAt = this.options.now()
    if (!this.links.has(link.connection.id)) return
    if (finished) this.handlers.synced(link.node)
    // It cannot go on by itself, but we can.
    if (short) this.askSoon(link)
  }

  private readonly opened = ({ detail: connection }: CustomEvent<Connection>) => this.open(connection)

  private readonly closed = ({ detail: connection }: CustomEvent<Connection>) => {
    this.links.delete(connection.id)
  }

  private open(connection: Connection): void {
    const link = this.linkOf(connection)
    // The side that dialled asks: one exchange and not two.
    if (link.direction === 'inbound') return
    for (const wait of [0, syncAgainMilliseconds]) setTimeout(() => this.askSoon(link), wait).unref()
  }

  private linkOf(connection: Connection): Link {
    const known = this.links.get(connection.id)
    if (known !== undefined) return known
    const link = newLink(connection, this.options.now())
    if (connection.status === 'open') this.links.set(connection.id, link)
    return link
  }

  /** A neighbour from time to time, and whoever was silent for long: the side that dialled first. */
  private tick(): void {
    const now = this.options.now()
    const links = [...this.links.values()]
    for (const link of overdueLinks(links, now)) this.askSoon(link)
    if (now < this.nextAskAt) return
    this.nextAskAt = now + intervalMilliseconds(this.options.random)
    const chosen = nextLink(links)
    if (chosen !== undefined) this.askSoon(chosen, syncStepSecondsMax, true)
  }

  private askSoon(link: Link, stepSeconds = syncStepSecondsMax, patient = false): void {
    if (link.asking) {
      link.askAgain ||= !patient
      return
    }
    link.asking = true
    void this.askTwice(link, stepSeconds, patient).finally(() => {
      link.asking = false
      if (!link.askAgain || !this.links.has(link.connection.id)) return
      link.askAgain = false
      this.askSoon(link, stepSeconds)
    })
  }

  /** A stream may break alone; when a fresh one does not work either, the connection is dead. */
  private async askTwice(link: Link, stepSeconds: number, patient: boolean): Promise<void> {
    let answered = await this.askOnce(link, stepSeconds, patient)
    if (!answered) answered = await this.askOnce(link, stepSeconds, false)
    if (!this.links.has(link.connection.id)) return
    if (!answered) return link.connection.abort(new Error('neighbour does not answer'))
    link.heardAt = this.options.now()
    this.handlers.synced(link.node)
  }

  private async askOnce(link: Link, stepSeconds: number, patient: boolean): Promise<boolean> {
    if (!this.links.has(link.connection.id)) return false
    const stepMilliseconds = stepSeconds * 1000
    try {
      if (link.channel === null || !link.channel.isOpen()) {
        link.channel = await openChannel(link.connection, syncProtocol, stepMilliseconds)
      }
      const { channel, memory, node } = link
      await ask({
        ...{ channel, memory, patient, stepMilliseconds, alone: this.alone },
        handlers: this.cascade.from(node),
        now: this.options.now,
        spend: (answers, bytes) => this.allowances.spend(node, answers, bytes, this.options.now()),
      })
      return true
    } catch (error) {
      if (error instanceof MalformedMessage) this.handlers.refused('malformed', link.node)
      link.channel?.abort()
      link.channel = null
      return false
    }
  }
}

function intervalMilliseconds(random: () => number): number {
  const span = syncIntervalSecondsMax - syncIntervalSecondsMin
  return (syncIntervalSecondsMin + random() * span) * 1000
}
