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
import { failed, ok, type Result } from '../model/failure.ts'
import {
  resolveCacheEntriesMax,
  resolveCacheSecondsMax,
  resolveConcurrencyMax,
  resolvedEndpointsMax,
  resolveFailureSecondsMax,
  resolveMillisecondsMax,
} from '../model/limits.ts'
import type { Clock } from './clock.ts'
import { codeOf } from './files.ts'

/** Where names lead now. The last answer is kept while a name server does not answer. */
export interface Resolver {
  /** What is known at once; asks in the background when that is old or nothing. */
  known(place: HostPort): readonly Endpoint[]
  /** Asks unless the last answer is fresh. At most resolveMillisecondsMax. */
  resolve(place: HostPort): Promise<Result<readonly Endpoint[]>>
}

export interface ResolverOptions {
  readonly clock: Pick<Clock, 'now' | 'setTimer'>
  /** A name leads somewhere else than before. */
  changed(host: string): void
  /** All addresses of a name; throws like node:dns. */
  readonly lookup?: (host: string) => Promise<readonly string[]>
}

export function createResolver({ clock, changed, lookup = lookupAll }: ResolverOptions): Resolver {
  const names = new Map<string, Name>()
  const inTurn = createTurns(resolveConcurrencyMax)

  function ask(host: string): Promise<void> {
    const name = nameOf(host)
    const isFresh = name.answer !== null && clock.now() < name.answer.freshUntil
    if (isFresh) return Promise.resolve()
    name.asking ??= refresh(host, name).finally(() => {
      name.asking = null
    })
    return name.asking
  }

  async function refresh(host: string, name: Name): Promise<void> {
    const found = await withTimeout(
      clock,
      inTurn(() => look(lookup, host)),
    )
    const seconds = found.ok ? resolveCacheSecondsMax : resolveFailureSecondsMax
    const before = name.answer?.addresses ?? []
    const addresses = found.ok ? found.value : before
    name.answer = {
      addresses,
      failure: found.ok ? null : found.failure.message,
      freshUntil: clock.now() + seconds * 1000,
    }
    if (addresses.join() !== before.join()) changed(host)
  }

  function nameOf(host: string): Name {
    const known = names.get(host)
    if (known !== undefined) return known
    const [oldest] = names.keys()
    if (oldest !== undefined && names.size >= resolveCacheEntriesMax) names.delete(oldest)
    const name: Name = { answer: null, asking: null }
    names.set(host, name)
    return name
  }

  function known(place: HostPort): readonly Endpoint[] {
    const address = hostAddress(place)
    if (address !== null) return [endpoint(address, portOf(place))]
    const host = hostOf(place)
    void ask(host)
    return (names.get(host)?.answer?.addresses ?? []).map(found => endpoint(found, portOf(place)))
  }

  async function resolve(place: HostPort): Promise<Result<readonly Endpoint[]>> {
    if (hostAddress(place) === null) await ask(hostOf(place))
    const endpoints = known(place)
    if (endpoints.length > 0) return ok(endpoints)
    return failed(names.get(hostOf(place))?.answer?.failure ?? `${hostOf(place)} has no address`)
  }

  return { known, resolve }
}

interface Name {
  answer: Answer | null
  asking: Promise<void> | null
}

interface Answer {
  readonly addresses: readonly IpAddress[]
  readonly failure: string | null
  readonly freshUntil: number
}

/** In the order of the system, which knows what can be reached from here (RFC 6724). Sees /etc/hosts and mDNS names, too. */
async function lookupAll(host: string): Promise<readonly string[]> {
  return (await systemLookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address)
}

async function look(
  lookup: (host: string) => Promise<readonly string[]>,
  host: string,
): Promise<Result<readonly IpAddress[]>> {
  try {
    const addresses = (await lookup(host)).flatMap(text => parseIpAddress(text) ?? [])
    const [first, ...rest] = [...new Set(addresses)].slice(0, resolvedEndpointsMax)
    return first === undefined
      ? failed(`${host} has no address: look at its DNS records`)
      : ok([first, ...rest])
  } catch (error) {
    return failed(
      `${host} cannot be resolved (${codeOf(error) || 'unknown'}): look at the name and at /etc/resolv.conf`,
    )
  }
}

/** getaddrinfo cannot be called off; it goes on in its thread, and nobody waits for it. */
function withTimeout<Value>(
  clock: Pick<Clock, 'setTimer'>,
  work: Promise<Result<Value>>,
): Promise<Result<Value>> {
  return new Promise(resolve => {
    const cancel = clock.setTimer(resolveMillisecondsMax, () =>
      resolve(failed('the name server does not answer: look at /etc/resolv.conf')),
    )
    void work.then(result => {
      cancel()
      resolve(result)
    })
  })
}

/** At most so many at a time; the others wait in line. */
function createTurns(concurrency: number): <Value>(action: () => Promise<Value>) => Promise<Value> {
  const waiting: (() => void)[] = []
  let running = 0
  return async action => {
    if (running >= concurrency) await new Promise<void>(resolve => waiting.push(resolve))
    else running += 1
    try {
      return await action()
    } finally {
      // The place goes on to the next in line.
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
