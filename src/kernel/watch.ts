import type { Prefix } from '../model/address.ts'
import type { Failure } from '../model/failure.ts'
import { monitorLineCharactersMax, retryMillisecondsMax, retryMillisecondsMin } from '../model/limits.ts'
import type { Closeable, KernelEvent } from './port.ts'
import { type Classify, classifyForwarding, classifyLinks, classifyTables } from './readers/monitor.ts'
import { type Child, type Command, execute, follow } from './run.ts'

export interface WatchOptions {
  /** Whether a device of this name is one of ours. */
  isOwn(name: string): boolean
  /** Whether it is a bridge that holds entries of ours. */
  isHost(name: string): boolean
  /** Whether it has to forward. */
  isForwarder(name: string): boolean
  /** Whether the mesh has addresses of this network. */
  isMeshNetwork(network: Prefix): boolean
  listener(event: KernelEvent): void
  /** Lines of `nft monitor`, before what they mean is told. */
  hearTables(line: string): void
  /** A monitor ended by itself; it is started again after a while. */
  onEnded(failure: Failure): void
}

/** Follows the kernel's own events until closed. After a gap both kinds are told, since some may have been missed. */
export function watch(options: WatchOptions): Closeable {
  const links: Command = {
    tool: 'ip',
    arguments: ['-oneline', 'monitor', 'link', 'address', 'route', 'neigh', 'rule', 'netconf'],
  }
  const forwarding: Command = { tool: 'bridge', arguments: ['monitor', 'fdb'] }
  const tables: Command = { tool: 'nft', arguments: ['monitor'] }
  const monitors = [
    new Monitor(links, classifyLinks(options), options),
    new Monitor(forwarding, classifyForwarding(options.isOwn), options),
    new Monitor(tables, hearing(classifyTables, options.hearTables), options),
  ]
  return {
    close: () => {
      for (const monitor of monitors) monitor.close()
    },
  }
}

function hearing(classify: Classify, hear: (line: string) => void): Classify {
  return line => {
    hear(line)
    return classify(line)
  }
}

/** The whole lines of a stream that comes in pieces; an endless line is cut. */
export function lineSplitter(onLine: (line: string) => void): (piece: string) => void {
  let rest = ''
  return piece => {
    const lines = (rest + piece).split('\n')
    rest = (lines.pop() as string).slice(0, monitorLineCharactersMax)
    for (const line of lines) onLine(line)
  }
}

class Monitor implements Closeable {
  readonly #command: Command
  readonly #classify: Classify
  readonly #options: WatchOptions
  #child: Child | null = null
  #timer: NodeJS.Timeout | null = null
  #delayMilliseconds = retryMillisecondsMin
  #closed = false

  constructor(command: Command, classify: Classify, options: WatchOptions) {
    this.#command = command
    this.#classify = classify
    this.#options = options
    void this.#start()
  }

  close(): void {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#child?.stop()
  }

  async #start(): Promise<void> {
    const tied = await canTie()
    if (this.#closed) return
    const split = lineSplitter(line => this.#hear(line))
    this.#child = follow(this.#command, tied, split)
    const failure = await this.#child.ended
    if (this.#closed) return
    this.#options.onEnded(failure)
    this.#timer = setTimeout(() => void this.#restart(), this.#delayMilliseconds)
    this.#delayMilliseconds = Math.min(this.#delayMilliseconds * 2, retryMillisecondsMax)
  }

  async #restart(): Promise<void> {
    const started = this.#start()
    this.#options.listener('underlay')
    this.#options.listener('ours')
    await started
  }

  #hear(line: string): void {
    this.#delayMilliseconds = retryMillisecondsMin
    const event = this.#classify(line)
    if (event !== null) this.#options.listener(event)
  }
}

let tie: Promise<boolean> | null = null

/** Whether children can be made to end with us; util-linux's setpriv can, others cannot. */
function canTie(): Promise<boolean> {
  tie ??= execute({ tool: 'setpriv', arguments: ['--pdeathsig', 'TERM', '--', 'true'] }).then(
    ({ failure }) => failure === null,
  )
  return tie
}
