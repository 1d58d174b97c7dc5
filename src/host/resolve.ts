import { lookup as systemLookup } from 'node:dns/promises'
import {
  type Endpoint,
  endpoint,
  type HostPort,
  hostAddress,
  hostOf,
  type IpAddress,
  parseIpAddress,
  portOf,
} from '../model/address.ts'
import {
  resolveCacheEntriesMax,
  resolveCacheSecondsMax,
  resolvedEndpointsMax,
  resolveFailureSecondsMax,
  resolveFailureSecondsMin,
  resolveFreshSeconds,
  resolveMillisecondsMax,
} from '../model/limits.ts'
import type { Clock } from './clock.ts'
import { codeOf } from './files.ts'
import { type Claimant, createLookupTurns } from './lookup-turns.ts'

/** Where names lead now. The last answer is kept while a name server does not answer. */
export interface Resolver {
  /** What is known at once; asks in the background when that is old or nothing. */
  known(place: HostPort, author: string): readonly Endpoint[]
  /** Asks unless the last answer is a moment old. Throws after resolveMillisecondsMax, and where there is no address. */
  addresses(host: string, author: string): Promise<readonly IpAddress[]>
}

export interface ResolverOptions {
  readonly clock: Pick<Clock, 'now' | 'setTimer'>
  /** Whether the operator of this machine wrote that name. */
  isOwn(host: string): boolean
  /** A name leads somewhere else than before. */
  changed(host: string): void
  /** All addresses of a name; throws like node:dns. */
  readonly lookup?: (host: string) => Promise<readonly string[]>
}

export function createResolver({ clock, isOwn, changed, lookup = lookupAll }: ResolverOptions): Resolver {
  const names = new Map<string, Name>()
  const takeTurn = createLookupTurns()

  /** Resolves when the answer is there, however late. Null: it cannot be asked for now. */
  function ask(host: string, author: string, freshSeconds: number): Promise<void> | null {
    const name = nameOf(host)
    if (name.asking !== null) return name.asking
    if (name.answer !== null && clock.now() < dueAt(name.answer, freshSeconds)) return Promise.resolve()
    const asked = Promise.withResolvers<void>()
    const claimant = claimantOf(host, author, name)
    const isTaken = takeTurn(claimant, () => refresh(host, name).finally(asked.resolve))
    if (!isTaken) return null
    name.asking = asked.promise
    return asked.promise
  }

  /** Each own name for itself: one that leads nowhere holds up no other. */
  function claimantOf(host: string, author: string, { answer }: Name): Claimant {
    return { isOwn: isOwn(host), author: isOwn(host) ? host : author, isProven: answer?.failures === 0 }
  }

  async function refresh(host: string, name: Name): Promise<void> {
    const { addresses: found, failure } = await look(lookup, host)
    name.asking = null
    const before = name.answer?.addresses ?? []
    const addresses = failure === null ? found : before
    const failures = failure === null ? 0 : (name.answer?.failures ?? 0) + 1
    name.answer = { addresses, failure, failures, at: clock.now() }
    if (addresses.join() !== before.join()) changed(host)
  }

  function nameOf(host: string): Name {
    const known = names.get(host)
    if (known !== undefined) return known
    if (names.size >= resolveCacheEntriesMax) forgetOne()
    const name: Name = { answer: null, asking: null }
    names.set(host, name)
    return name
  }

  /** The oldest that leads nowhere, else the oldest; own names stay. */
  function forgetOne(): void {
    const others = [...names].filter(([host]) => !isOwn(host))
    const leadsNowhere = others.find(([, { answer }]) => (answer?.addresses.length ?? 0) === 0)
    const [host] = leadsNowhere ?? others[0] ?? []
    if (host !== undefined) names.delete(host)
  }

  function known(place: HostPort, author: string): readonly Endpoint[] {
    const address = hostAddress(place)
    if (address !== null) return [endpoint(address, portOf(place))]
    const host = hostOf(place)
    void ask(host, author, resolveCacheSecondsMax)
    return (names.get(host)?.answer?.addresses ?? []).map(found => endpoint(found, portOf(place)))
  }

  async function addresses(host: string, author: string): Promise<readonly IpAddress[]> {
    const asked = ask(host, author, resolveFreshSeconds)
    const inTime = asked !== null && (await isInTime(clock, asked))
    const answer = names.get(host)?.answer ?? null
    if (answer !== null && answer.addresses.length > 0) return answer.addresses
    throw new Error(
      answer?.failure ?? (inTime ? `${host} has no address` : `no answer of the name server for ${host} yet`),
    )
  }

  return { known, addresses }
}

interface Name {
  answer: Answer | null
  asking: Promise<void> | null
}

interface Answer {
  readonly addresses: readonly IpAddress[]
  readonly failure: string | null
  /** In a row. */
  readonly failures: number
  readonly at: number
}

/** A name that leads nowhere is left alone for longer each time. */
function dueAt({ failures, at }: Answer, freshSeconds: number): number {
  const pause = Math.min(resolveFailureSecondsMax, resolveFailureSecondsMin * 2 ** Math.min(failures - 1, 20))
  return at + (failures === 0 ? freshSeconds : pause) * 1000
}

/** In the order of the system, which knows what can be reached from here (RFC 6724). Sees /etc/hosts and mDNS names, too. */
async function lookupAll(host: string): Promise<readonly string[]> {
  return (await systemLookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address)
}

async function look(
  lookup: (host: string) => Promise<readonly string[]>,
  host: string,
): Promise<Pick<Answer, 'addresses' | 'failure'>> {
  try {
    const found = (await lookup(host)).flatMap(text => parseIpAddress(text) ?? [])
    const addresses = [...new Set(found)].slice(0, resolvedEndpointsMax)
    const failure = addresses.length > 0 ? null : `${host} has no address: check its DNS records`
    return { addresses, failure }
  } catch (error) {
    const reason = codeOf(error) || 'unknown'
    const failure = `${host} cannot be resolved (${reason}): check the name and /etc/resolv.conf`
    return { addresses: [], failure }
  }
}

/** getaddrinfo cannot be called off: it goes on in its thread, and what it finds is taken when it comes. */
function isInTime(clock: Pick<Clock, 'setTimer'>, work: Promise<void>): Promise<boolean> {
  return new Promise(resolve => {
    const cancel = clock.setTimer(resolveMillisecondsMax, () => resolve(false))
    void work.then(() => {
      cancel()
      resolve(true)
    })
  })
}
