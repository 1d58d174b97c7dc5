import type { ProblemCode } from '../model/problem.ts'
import type { Reply } from './client.ts'
import type { ProblemSummary } from './problem-view.ts'
import type { PeersView, StatusView } from './protocol.ts'

/** One thing that was checked and what came of it. */
export interface Finding {
  readonly check: string
  /** `wrong` keeps something from working, a `notice` may. */
  readonly state: 'ok' | 'notice' | 'wrong'
  readonly what: string
  /** Why it matters; null when all is well. */
  readonly why: string | null
  /** What to do, most often a command. */
  readonly fix: string | null
}

/** What is asked of a daemon that runs; null when none does. */
export interface DaemonWords {
  readonly status: StatusView
  readonly peers: PeersView
}

/** Both replies, or as if there were no daemon. */
export function daemonWords(status: Reply<StatusView>, peers: Reply<PeersView>): DaemonWords | null {
  return status.ok && peers.ok ? { status: status.view, peers: peers.view } : null
}

/** Whether lnetd may run, and this user may not ask it. */
export function isForbidden(status: Reply<StatusView>): boolean {
  return !status.ok && status.isForbidden === true
}

/** Where a problem the daemon knows of is told; all others are under `daemon`. */
export const problemChecks: { readonly [Code in ProblemCode]?: string } = {
  'clock-behind': 'clock',
  'address-contested': 'addresses',
  'address-none-free': 'addresses',
  'tunnel-prefix-differs': 'segments',
  'bridge-unusable': 'bridges',
  'ports-unprivileged': 'segments',
  'bridge-loop': 'bridges',
  'bridge-unwatched': 'bridges',
}

export function told(check: string, daemon: DaemonWords | null): readonly Finding[] {
  const problems = daemon?.status.problems ?? []
  return problems.filter(({ code }) => problemChecks[code] === check).map(asFinding)
}

/** lnetd 0.1.0 tells a problem as one sentence. */
export function asFinding({ message, what, why, remedy, severity }: ProblemSummary): Finding {
  const make = severity === 'degraded' ? wrong : notice
  return make(what ?? message, why ?? null, remedy ?? null)
}

export function wrong(what: string, why: string | null, fix: string | null): Finding {
  return { check: '', state: 'wrong', what, why, fix }
}

export function notice(what: string, why: string | null, fix: string | null): Finding {
  return { check: '', state: 'notice', what, why, fix }
}
