import type { MultiaddrConnection } from '@libp2p/interface'
import { inboundFailuresMin, inboundSuspectSeconds, inboundSuspectsMax } from '../model/limits.ts'
import type { DialReport } from '../model/neighbour.ts'
import { placeOf } from './places.ts'

interface Suspect {
  readonly failures: number
  /** Of these the ones that began a handshake. */
  readonly handshakes: number
  readonly at: number
}

/** Hosts that connect again and again and never complete a handshake: strangers, or a member with another mesh secret. */
export interface Suspects {
  /** Someone connected: the handshake is still to come. */
  watch(connection: MultiaddrConnection): void
  /** It began the handshake of a private network. */
  spoke(connection: MultiaddrConnection): void
  /** The handshake holds. */
  clear(connection: MultiaddrConnection): void
  reports(): readonly DialReport[]
}

export function watchSuspects(now: () => number): Suspects {
  const pending = new WeakMap<MultiaddrConnection, { spoke: boolean }>()
  const suspects = new Map<string, Suspect>()
  /** Those there was no room for, together. */
  let others: Suspect = { failures: 0, handshakes: 0, at: Number.NEGATIVE_INFINITY }
  const isOld = ({ at }: Suspect) => now() - at > inboundSuspectSeconds * 1000
  const failed = (host: string, spoke: boolean) => {
    const known = suspects.get(host)
    const before = known === undefined || isOld(known) ? { failures: 0, handshakes: 0 } : known
    suspects.delete(host)
    suspects.set(host, {
      failures: before.failures + 1,
      handshakes: before.handshakes + Number(spoke),
      at: now(),
    })
    const [oldest] = suspects
    if (suspects.size > inboundSuspectsMax && oldest !== undefined) {
      const [forgotten, { failures }] = oldest
      suspects.delete(forgotten)
      others = { failures: (isOld(others) ? 0 : others.failures) + failures, handshakes: 0, at: now() }
    }
  }
  return {
    watch: connection => {
      const host = hostOf(connection)
      pending.set(connection, { spoke: false })
      connection.addEventListener('close', ({ error }) => {
        const state = pending.get(connection)
        // A machine with this node's own key knows the mesh secret.
        const isTwin = error?.message.includes('dial self') === true
        if (pending.delete(connection) && !isTwin) failed(host, state?.spoke === true)
      })
    },
    spoke: connection => {
      const state = pending.get(connection)
      if (state !== undefined) state.spoke = true
    },
    clear: connection => {
      pending.delete(connection)
      suspects.delete(hostOf(connection))
    },
    reports: () =>
      [...suspects, ['other addresses', others] as const]
        .filter(([, suspect]) => suspect.failures >= inboundFailuresMin && !isOld(suspect))
        .map(([host, { failures, handshakes, at }]) => reportOf(host, failures, handshakes, at)),
  }
}

function reportOf(host: string, failures: number, handshakes: number, at: number): DialReport {
  const mayBeMember = handshakes >= inboundFailuresMin
  return {
    target: `from ${host}`,
    direction: 'inbound',
    failures,
    lastTriedAt: at,
    error: mayBeMember
      ? 'it dials this node and fails in the handshake'
      : 'it dials this node and begins no handshake',
    answers: mayBeMember,
    secretMayDiffer: mayBeMember,
  }
}

function hostOf({ remoteAddr }: MultiaddrConnection): string {
  return placeOf(remoteAddr.toString())?.host ?? remoteAddr.toString()
}
