import type { MultiaddrConnection } from '@libp2p/interface'
import { inboundFailuresMin, inboundSuspectSeconds, inboundSuspectsMax } from '../model/limits.ts'
import type { DialReport } from '../model/neighbour.ts'
import { placeOf } from './places.ts'

interface Suspect {
  readonly failures: number
  readonly at: number
}

/** Hosts that connect again and again and never complete a handshake: perhaps a member with another mesh secret. */
export interface Suspects {
  /** Someone connected: the handshake is still to come. */
  watch(connection: MultiaddrConnection): void
  /** The handshake holds. */
  clear(connection: MultiaddrConnection): void
  reports(): readonly DialReport[]
}

export function watchSuspects(now: () => number): Suspects {
  const pending = new WeakSet<MultiaddrConnection>()
  const suspects = new Map<string, Suspect>()
  const failed = (host: string) => {
    const before = suspects.get(host)
    const isOld = before === undefined || now() - before.at > inboundSuspectSeconds * 1000
    suspects.delete(host)
    suspects.set(host, { failures: isOld ? 1 : before.failures + 1, at: now() })
    const [oldest] = suspects.keys()
    if (suspects.size > inboundSuspectsMax && oldest !== undefined) suspects.delete(oldest)
  }
  return {
    watch: connection => {
      const host = hostOf(connection)
      pending.add(connection)
      connection.addEventListener('close', ({ error }) => {
        // A machine with this node's own key knows the mesh secret.
        const isTwin = error?.message.includes('dial self') === true
        if (pending.delete(connection) && !isTwin) failed(host)
      })
    },
    clear: connection => {
      pending.delete(connection)
      suspects.delete(hostOf(connection))
    },
    reports: () =>
      [...suspects]
        .filter(
          ([, { failures, at }]) =>
            failures >= inboundFailuresMin && now() - at <= inboundSuspectSeconds * 1000,
        )
        .map(([host, { failures, at }]) => ({
          target: `from ${host}`,
          failures,
          lastTriedAt: at,
          error: 'it connects to this node and fails in the handshake',
          answers: true,
          secretMayDiffer: true,
        })),
  }
}

function hostOf({ remoteAddr }: MultiaddrConnection): string {
  return placeOf(remoteAddr.toString())?.host ?? remoteAddr.toString()
}
