import { describe, expect, it } from 'vitest'
import { createResolver } from '../../src/host/resolve.ts'
import type { HostPort } from '../../src/model/address.ts'
import {
  resolveCacheEntriesMax,
  resolveCacheSecondsMax,
  resolveConcurrencyMax,
  resolvedEndpointsMax,
  resolveFailureSecondsMax,
  resolveMillisecondsMax,
} from '../../src/model/limits.ts'

const vps = 'vps.example.org:51820' as HostPort

describe('the resolver', () => {
  it('knows an address without asking', async () => {
    const { resolver, asked } = fakeResolver({})
    expect(resolver.known('[2001:db8::1]:9' as HostPort)).toEqual(['[2001:db8::1]:9'])
    expect(await resolver.resolve('192.0.2.1:9' as HostPort)).toEqual({ ok: true, value: ['192.0.2.1:9'] })
    expect(asked).toEqual([])
  })

  it('asks for a name, and tells when the answer is there', async () => {
    const { resolver, changes } = fakeResolver({
      'vps.example.org': ['192.0.2.7', '2001:DB8::7', '192.0.2.7', 'junk'],
    })
    expect(resolver.known(vps)).toEqual([])
    await settle()
    expect(changes).toEqual(['vps.example.org'])
    expect(resolver.known(vps)).toEqual(['192.0.2.7:51820', '[2001:db8::7]:51820'])
  })

  it('asks again when the answer is old, and tells only of another one', async () => {
    const answers: Record<string, string[]> = { 'vps.example.org': ['192.0.2.7'] }
    const { resolver, changes, asked, pass } = fakeResolver(answers)
    await resolver.resolve(vps)
    await resolver.resolve(vps)
    expect(asked).toHaveLength(1)
    pass(resolveCacheSecondsMax)
    await resolver.resolve(vps)
    expect(asked).toHaveLength(2)
    expect(changes).toHaveLength(1)
    answers['vps.example.org'] = ['192.0.2.8']
    pass(resolveCacheSecondsMax)
    expect(await resolver.resolve(vps)).toEqual({ ok: true, value: ['192.0.2.8:51820'] })
    expect(changes).toHaveLength(2)
  })

  it('keeps the last answer while the name server does not answer, and soon asks again', async () => {
    const answers: Record<string, string[]> = { 'vps.example.org': ['192.0.2.7'] }
    const { resolver, asked, pass } = fakeResolver(answers)
    await resolver.resolve(vps)
    delete answers['vps.example.org']
    pass(resolveCacheSecondsMax)
    expect(await resolver.resolve(vps)).toMatchObject({ ok: true, value: ['192.0.2.7:51820'] })
    pass(resolveFailureSecondsMax)
    await resolver.resolve(vps)
    expect(asked).toHaveLength(3)
  })

  it('says what to look at when a name leads nowhere', async () => {
    const { resolver } = fakeResolver({ 'empty.example.org': [] })
    expect(await resolver.resolve(vps)).toMatchObject({
      ok: false,
      failure: { message: expect.stringContaining('vps.example.org cannot be resolved (ENOTFOUND)') },
    })
    expect(await resolver.resolve('empty.example.org:1' as HostPort)).toMatchObject({ ok: false })
  })

  it('does not wait for ever', async () => {
    const { resolver, pass } = fakeResolver({}, () => new Promise(() => undefined))
    const answer = resolver.resolve(vps)
    await settle()
    pass(resolveMillisecondsMax / 1000)
    expect(await answer).toMatchObject({
      ok: false,
      failure: { message: expect.stringContaining('does not answer') },
    })
  })

  it('asks a few names at a time, and each once however often it is wanted', async () => {
    let running = 0
    let most = 0
    const { resolver, asked } = fakeResolver({}, async () => {
      running += 1
      most = Math.max(most, running)
      await settle()
      running -= 1
      return ['192.0.2.1']
    })
    const names = Array.from({ length: 20 }, (_, index) => `n${index % 10}.example.org:1` as HostPort)
    const answers = await Promise.all(names.map(name => resolver.resolve(name)))
    expect(answers.every(({ ok }) => ok)).toBe(true)
    expect(asked).toHaveLength(10)
    expect(most).toBe(resolveConcurrencyMax)
  })

  it('takes a bounded number of addresses, and remembers a bounded number of names', async () => {
    const many = Array.from({ length: 50 }, (_, index) => `192.0.2.${index}`)
    const { resolver, asked } = fakeResolver({}, () => Promise.resolve(many))
    expect(resolver.known(vps)).toEqual([])
    await settle()
    expect(resolver.known(vps)).toHaveLength(resolvedEndpointsMax)
    for (let index = 0; index < resolveCacheEntriesMax; index += 1)
      await resolver.resolve(`n${index}.example.org:1` as HostPort)
    expect(asked).toHaveLength(resolveCacheEntriesMax + 1)
    // The first one was forgotten for the last.
    expect(resolver.known(vps)).toEqual([])
  })

  it('finds localhost as the system does', async () => {
    const resolver = createResolver({
      clock: { now: () => 0, setTimer: () => () => undefined },
      changed: () => undefined,
    })
    const found = await resolver.resolve('localhost:7' as HostPort)
    expect(found.ok && found.value.every(endpoint => ['127.0.0.1:7', '[::1]:7'].includes(endpoint))).toBe(
      true,
    )
  })
})

function fakeResolver(answers: Readonly<Record<string, readonly string[]>>, lookup = lookupIn(answers)) {
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
    changed: host => changes.push(host),
    lookup: host => {
      asked.push(host)
      return lookup(host)
    },
  })
  const pass = (seconds: number) => {
    now += seconds * 1000
    for (const timer of [...timers]) if (timer.at <= now) timer.action()
  }
  return { resolver, asked, changes, pass }
}

function lookupIn(answers: Readonly<Record<string, readonly string[]>>) {
  return (host: string): Promise<readonly string[]> => {
    const answer = answers[host]
    return answer === undefined
      ? Promise.reject(Object.assign(new Error('queryA ENOTFOUND'), { code: 'ENOTFOUND' }))
      : Promise.resolve(answer)
  }
}

function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
