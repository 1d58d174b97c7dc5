import { type InterfaceName, type Prefix, prefixesOverlap } from '../model/address.ts'
import type { StartNeeds } from '../model/examination.ts'
import type { Failure, Result } from '../model/failure.ts'
import type { MeshId } from '../model/node.ts'
import type { Plan } from '../model/step.ts'
import { applyPlan } from './apply.ts'
import { canLimitFloods } from './flood-limit.ts'
import { guardScript } from './guard.ts'
import { createGuardKeeper } from './guard-keeper.ts'
import { canWatchLoops } from './loop-watch.ts'
import { glance, observe } from './observe.ts'
import { askPath } from './path.ts'
import type { Kernel, TunnelSecrets } from './port.ts'
import { preflight } from './preflight.ts'
import { openProbes } from './probes.ts'
import { question } from './question.ts'
import type { MarkedDevices } from './readers/marks.ts'
import { refuses } from './refuses.ts'
import { executeAside } from './run.ts'
import { speak } from './speak.ts'
import { type TakeOver, takeOver } from './take-over.ts'
import { watch } from './watch.ts'

export interface LinuxKernelOptions {
  readonly mesh: MeshId
  readonly tunnel: StartNeeds['tunnel']
  /** What else a start takes. */
  readonly start: Omit<StartNeeds, 'tunnel'>
  readonly secrets: TunnelSecrets
  /** By which loop probes of this mesh are known. */
  readonly probeKey: Uint8Array
  /** Device names of the configuration in force: whoever holds one without our mark is reported as foreign. */
  wanted(): readonly InterfaceName[]
  /** The mesh's own networks, of the configuration in force, and those it is offered routes to. */
  networks(): readonly Prefix[]
  /** Devices that have to forward, because the configuration in force makes a gateway of this machine. */
  forwarders(): readonly InterfaceName[]
  /** The bridges its segments are in. */
  bridges(): readonly string[]
  /** A failure that nobody waits for: a monitor that ended and will be started again. */
  log(failure: Failure): void
  /** Somebody altered guards, and these steps put them back. */
  restored(steps: Plan): void
}

export interface LinuxKernel extends Kernel {
  /** What is missing on this machine, one sentence each with its remedy; empty when nothing is. */
  preflight(): Promise<readonly Failure[]>
  /** Makes devices of a hand-written network ours, as they run. Answers which. */
  takeOver(wanted: Omit<TakeOver, 'mesh'>): Promise<Result<readonly InterfaceName[]>>
}

/** This machine's kernel, by ip, bridge, wg and nft. */
export function createLinuxKernel(options: LinuxKernelOptions): LinuxKernel {
  const { mesh, tunnel, secrets } = options
  const { implementation } = tunnel
  const guards = createGuardKeeper(async steps => {
    const input = steps.map(step => guardScript(step.interface, step.guard)).join('')
    const { failure } = await executeAside({ tool: 'nft', arguments: ['-f', '-'], input })
    if (failure === null) options.restored(steps)
  })
  let limitsFloods = false
  let watchesLoops = false
  const marked: MarkedDevices = new Set()
  return {
    observe: async () => {
      // Asked again while it cannot: a module may be loaded later.
      limitsFloods ||= await canLimitFloods()
      watchesLoops ||= options.bridges().length > 0 && (await canWatchLoops())
      const observed = await observe({
        mesh,
        tunnel: tunnel.interface,
        marked,
        wanted: options.wanted(),
        networks: options.networks(),
        forwarders: options.forwarders(),
        limitsFloods,
        watchesLoops,
      })
      if (observed.ok) guards.observed(observed.value.state)
      return observed
    },
    glance,
    apply: plan => {
      guards.applying(plan)
      return applyPlan(plan, { mesh, implementation, secrets })
    },
    watch: listener =>
      watch({
        isOwn: name => name === tunnel.interface || options.wanted().some(wanted => wanted === name),
        isHost: name => options.bridges().includes(name),
        isForwarder: name => options.forwarders().some(device => device === name),
        isMeshNetwork: network => options.networks().some(each => prefixesOverlap(each, network)),
        listener,
        hearTables: guards.hear,
        onEnded: failure => options.log(failure),
      }),
    speak,
    probes: hear => openProbes(options.probeKey, hear),
    question,
    path: askPath,
    refuses,
    preflight: async () => {
      limitsFloods ||= await canLimitFloods()
      return await preflight({ tunnel, ...options.start }, limitsFloods)
    },
    takeOver: wanted => takeOver({ ...wanted, mesh }),
  }
}
