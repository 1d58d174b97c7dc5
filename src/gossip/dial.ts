import { setTimeout as sleep } from 'node:timers/promises'
import { multiaddr } from '@multiformats/multiaddr'
import type { DialFailure } from '../mesh/redial.ts'
import { addressesPerPlaceMax, dialSecondsMax, dialStaggerMilliseconds } from '../model/limits.ts'
import type { NodeId } from '../model/node.ts'
import type { DialSlots } from './dial-slots.ts'
import { AlreadyConnected, type Gate } from './gate.ts'
import type { Swarm } from './swarm.ts'

/** `ok`: who answers there is a neighbour, by this dial or before it. */
export type DialOutcome =
  | { readonly ok: true; readonly node: NodeId }
  | { readonly ok: false; readonly isSelf: boolean; readonly failure: DialFailure }

/** What dials: the swarm, and the gate that lets nothing through that is not dialled here. */
export interface Dialler {
  readonly swarm: Swarm
  readonly gate: Pick<Gate, 'permit'>
  /** For addresses that others named; the operator's own are few. */
  readonly slots: DialSlots
}

/**
 * Tries the addresses of one place at short distances until one answers. Each is on its own: one whose name does not
 * resolve, or not soon, keeps no other from being tried. Without `slots` nobody is waited for. Never throws.
 */
export async function dialAddresses(
  dialler: Dialler,
  addresses: readonly Promise<readonly string[]>[],
  stopping: AbortSignal,
  slots: DialSlots | null = dialler.slots,
): Promise<DialOutcome> {
  const answered = new AbortController()
  const first = Promise.withResolvers<DialOutcome>()
  const signal = AbortSignal.any([answered.signal, stopping])
  const tried = new Set<string>()
  const attempt = async (address: string): Promise<DialOutcome | null> => {
    if (tried.has(address) || tried.size >= addressesPerPlaceMax) return null
    const index = tried.size
    tried.add(address)
    await sleep(index * dialStaggerMilliseconds, undefined, { signal }).catch(() => undefined)
    const giveBack = await slots?.take(index)
    const outcome = await dialAddress(dialler, address, signal).finally(giveBack)
    if (!outcome.ok) return outcome
    answered.abort()
    first.resolve(outcome)
    return outcome
  }
  const attempts = addresses.map(async resolving => {
    try {
      return await Promise.all((await resolving).map(attempt))
    } catch (error) {
      return [refused(describe(error))]
    }
  })
  // Whoever answers ends the waiting, for names too.
  const all = Promise.all(attempts).then(outcomes =>
    worstOf(outcomes.flat().filter(outcome => outcome !== null)),
  )
  return Promise.race([first.promise, all])
}

async function dialAddress(
  { swarm, gate }: Dialler,
  address: string,
  stopping: AbortSignal,
): Promise<DialOutcome> {
  let handshake = false
  const revoke = gate.permit(address)
  try {
    if (stopping.aborted) return refused('given up')
    const connection = await swarm.dial(multiaddr(address), {
      signal: AbortSignal.any([stopping, AbortSignal.timeout(dialSecondsMax * 1000)]),
      onProgress: event => {
        // Emitted after the private network's nonces were exchanged: TCP stands, and it is a libp2p private network.
        if (event.type === 'upgrader:encrypt-outbound-connection') handshake = true
      },
    })
    return { ok: true, node: connection.remotePeer.toString() as NodeId }
  } catch (error) {
    if (error instanceof AlreadyConnected) return { ok: true, node: error.node }
    const text = describe(error)
    const isSelf = text.includes('dial self')
    const known = /blocked by gater|does not match expected|dial self/.test(text)
    return { ok: false, isSelf, failure: { error: text, handshake: handshake && !known } }
  } finally {
    revoke()
  }
}

/** The one that says most: that it answers, that it is ourselves, then that a handshake failed. */
function worstOf(outcomes: readonly DialOutcome[]): DialOutcome {
  const failures = outcomes.filter(outcome => !outcome.ok)
  return (
    outcomes.find(({ ok }) => ok) ??
    failures.find(({ isSelf }) => isSelf) ??
    failures.find(({ failure }) => failure.handshake) ??
    failures[0] ??
    refused('no address of it can be dialled from here')
  )
}

function refused(error: string): DialOutcome {
  return { ok: false, isSelf: false, failure: { error, handshake: false } }
}

function describe(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error)
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${dialSecondsMax} s`
  const code = /\bE[A-Z]{4,}\b/.exec(text)?.[0] ?? ''
  const meaning = meanings[code]
  return meaning === undefined ? text.replaceAll(/\s+/g, ' ').slice(0, 200) : `${meaning} (${code})`
}

/** What the system's answers mean for who reads them: connect(2). */
const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'no way there',
  ENETUNREACH: 'no way there',
  ETIMEDOUT: 'no answer',
}
