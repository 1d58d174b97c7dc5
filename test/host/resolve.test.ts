import { describe, expect, it } from 'vitest'
import { createResolver } from '../../src/host/resolve.ts'
import type { HostPort } from '../../src/model/address.ts'
import {
  lookupsOfOthersMax,
  lookupsOfOwnMax,
  lookupsWaitingPerAuthorMax,
  resolveCacheEntriesMax,
  resolveCacheSecondsMax,
  resolvedEndpointsMax,
  resolveFailureSecondsMax,
  resolveFailureSecondsMin,
  resolveFreshSeconds,
  resolveMillisecondsMax,
} from '../../src/model/limits.ts'

const host = 'vps.example.org'
const vps = `${host}:51820` as HostPort
const alice = 'alice'

describe('the resolver', () => {
  it('knows an address without asking', () => {
    const { resolver, asked } = fakeResolver({})
    expect(resolver.known('[2001:db8::1]:9' as HostPort, alice)).toEqual(['[2001:db8::1]:9'])
    expect(asked).toEqual([])
  })

  it('asks for a name, and tells when the answer is there', async () => {
    const { resolver, changes } = fakeResolver({
      [host]: ['192.0.2.7', '2001:DB8::7', '192.0.2.7', 'junk'],
    })
    expect(resolver.known(vps, alice)).toEqual([])
    await settle()
    expect(changes).toEqual([host])
    expect(resolver.known(vps, alice)).toEqual(['192.0.2.7:51820', '[2001:db8::7]:51820'])
  })

  it('asks again when the answer is old, and tells only of another one', async () => {
    const answers: Record<string, string[]> = { [host]: ['192.0.2.7'] }
    const { resolver, changes, asked, pass } = fakeResolver(answers)
    await resolver.addresses(host, alice)
    await resolver.addresses(host, alice)
    expect(asked).toHaveLength(1)
    pass(resolveFreshSeconds)
    resolver.known(vps, alice)
    expect(asked).toHaveLength(1)
    pass(resolveCacheSecondsMax)
    resolver.known(vps, alice)
    expect(asked).toHaveLength(2)
    await settle()
    expect(changes).toHaveLength(1)
    answers[host] = ['192.0.2.8']
    pass(resolveFreshSeconds)
    expect(await resolver.addresses(host, alice)).toEqual(['192.0.2.8'])
    expect(changes).toHaveLength(2)
  })

  it('keeps the last answer while the name server does not answer, and asks again with growing pauses', async () => {
    const answers: Record<string, string[]> = { [host]: ['192.0.2.7'] }
    const { resolver, asked, pass } = fakeResolver(answers)
    await resolver.addresses(host, alice)
    delete answers[host]
    pass(resolveCacheSecondsMax)
    expect(await resolver.addresses(host, alice)).toEqual(['192.0.2.7'])
    const times: number[] = []
    for (let second = 0; second < 200; second += 1) {
      const before = asked.length
      pass(1)
      await resolver.addresses(host, alice)
      if (asked.length > before) times.push(second)
    }
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    expect(times[0]).toBeLessThanOrEqual(resolveFailureSecondsMin)
    expect(pauses).toEqual([10, 20, 40, 60, 60].slice(0, pauses.length))
    expect(Math.max(...pauses)).toBe(resolveFailureSecondsMax)
  })

  it('says what to check when a name leads nowhere', async () => {
    const { resolver } = fakeResolver({ 'empty.example.org': [] })
    await expect(resolver.addresses(host, alice)).rejects.toThrow(`${host} cannot be resolved (ENOTFOUND)`)
    await expect(resolver.addresses('empty.example.org', alice)).rejects.toThrow('check its DNS records')
  })

  it('does not wait for ever, asks once meanwhile, and takes an answer that comes late', async () => {
    const answer = Promise.withResolvers<readonly string[]>()
    const { resolver, asked, pass } = fakeResolver({}, () => answer.promise)
    const waiting = [1, 2, 3].map(() => resolver.addresses(host, alice))
    await settle()
    pass(resolveMillisecondsMax / 1000)
    const outcomes = await Promise.allSettled(waiting)
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(asked).toHaveLength(1)
    answer.resolve(['192.0.2.7'])
    await settle()
    expect(resolver.known(vps, alice)).toEqual(['192.0.2.7:51820'])
  })

  it('takes a bounded number of addresses, and remembers a bounded number of names, its own before all', async () => {
    const many = Array.from({ length: 50 }, (_, index) => `192.0.2.${index}`)
    const { resolver, asked } = fakeResolver({}, () => Promise.resolve(many), [host])
    resolver.known(vps, alice)
    resolver.known('other.example.org:1' as HostPort, alice)
    await settle()
    expect(resolver.known(vps, alice)).toHaveLength(resolvedEndpointsMax)
    for (let index = 0; index < resolveCacheEntriesMax; index += 1)
      await resolver.addresses(`n${index}.example.org`, alice)
    expect(asked).toHaveLength(resolveCacheEntriesMax + 2)
    expect(resolver.known(vps, alice)).toHaveLength(resolvedEndpointsMax)
    expect(resolver.known('other.example.org:1' as HostPort, alice)).toEqual([])
  })

  it('finds localhost as the system does', async () => {
    const resolver = createResolver({
      clock: { now: () => 0, setTimer: () => () => undefined },
      isOwn: () => true,
      changed: () => undefined,
    })
    const found = await resolver.addresses('localhost', alice)
    expect(found.every(address => ['127.0.0.1', '::1'].includes(address))).toBe(true)
  })
})

describe('names that lead nowhere', () => {
  const fakes = Array.from({ length: 64 }, (_, author) =>
    Array.from({ length: 16 }, (_, index) => `n${index}.fake${author}.example.org`),
  )

  it('of 64 authors hold up no name that the operator of this machine wrote', async () => {
    const { resolver, asked } = fakeResolver({}, neverBut(host), [host])
    fakes.forEach((names, author) => {
      for (const name of names) resolver.known(`${name}:1` as HostPort, `fake${author}`)
    })
    expect(asked).toHaveLength(lookupsOfOthersMax)
    expect(await resolver.addresses(host, alice)).toEqual(['192.0.2.1'])
  })

  it('of the operator’s own hold up no other of these', async () => {
    const dead = Array.from({ length: lookupsOfOwnMax - 1 }, (_, index) => `dead${index}.example.org`)
    const { resolver } = fakeResolver({}, neverBut(host), [...dead, host])
    for (const name of dead) resolver.known(`${name}:1` as HostPort, alice)
    expect(await resolver.addresses(host, alice)).toEqual(['192.0.2.1'])
  })

  it('of one author hold up others by one turn, and a name that led somewhere before by none', async () => {
    const { resolver, asked, end } = slowResolver()
    await end(resolver.addresses(host, alice))
    for (const name of fakes[0] ?? []) resolver.known(`${name}:1` as HostPort, 'fake0')
    for (const name of fakes[1] ?? []) resolver.known(`${name}:1` as HostPort, 'fake1')
    resolver.known('bob.example.org:1' as HostPort, 'bob')
    resolver.known(vps, alice)
    for (let index = 0; index < 4; index += 1) await end()
    const turns = asked.slice(1).map(name => name.split('.').at(-3))
    // Two were asked for before anybody else came.
    expect(turns.slice(0, 6)).toEqual(['fake0', 'fake0', 'vps', 'fake0', 'fake1', 'bob'])
  })

  it('wait in a bounded number for each author', () => {
    const { resolver, asked } = fakeResolver({}, neverBut())
    for (let index = 0; index < 1000; index += 1)
      resolver.known(`n${index}.fake.example.org:1` as HostPort, 'fake')
    expect(asked).toHaveLength(lookupsOfOthersMax)
    expect(resolver.known(vps, 'fake')).toEqual([])
    expect(lookupsWaitingPerAuthorMax).toBeLessThan(1000)
  })
})

/** Every name waits but these. */
function neverBut(...hosts: readonly string[]) {
  return (name: string): Promise<readonly string[]> =>
    hosts.includes(name) ? Promise.resolve(['192.0.2.1']) : new Promise(() => undefined)
}

/** Answers one name each time it is told to. */
function slowResolver() {
  const waiting: ((addresses: readonly string[]) => void)[] = []
  const fake = fakeResolver({}, () => new Promise(resolve => waiting.push(resolve)))
  return {
    ...fake,
    end: async (work?: Promise<unknown>) => {
      waiting.shift()?.(['192.0.2.1'])
      await work
      await settle()
      fake.pass(resolveCacheSecondsMax)
    },
  }
}

function fakeResolver(
  answers: Readonly<Record<string, readonly string[]>>,
  lookup = lookupIn(answers),
  own: readonly string[] = [],
) {
  let now = 0
  const timers: { readonly at: number; readonly action: () => void }[] = []
  const asked: string[] = []
  const changes: string[] = []
  const resolver = createResolver({
    clock: {
      now: () => now,
      setTimer(milliseconds, action) {
        const timer = { at: now + milliseconds, action }
        timers.push(timer)
        return () => void timers.splice(timers.indexOf(timer), 1)
      },
    },
    isOwn: name => own.includes(name),
    changed: name => changes.push(name),
    lookup: name => {
      asked.push(name)
      return lookup(name)
    },
  })
  const pass = (seconds: number) => {
    now += seconds * 1000
    for (const timer of [...timers]) if (timer.at <= now) timer.action()
  }
  return { resolver, asked, changes, pass }
}

function lookupIn(answers: Readonly<Record<string, readonly string[]>>) {
  return (name: string): Promise<readonly string[]> => {
    const answer = answers[name]
    return answer === undefined
      ? Promise.reject(Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' }))
      : Promise.resolve(answer)
  }
}

function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
