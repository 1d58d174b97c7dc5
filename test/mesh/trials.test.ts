import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide, type Situation } from '../../src/mesh/decide.ts'
import type { Newcomer } from '../../src/mesh/trial.ts'
import { chooseTrials, noTrials, type Trials } from '../../src/mesh/trials.ts'
import type { Endpoint } from '../../src/model/address.ts'
import {
  trialPauseSeconds,
  trialStrangersMax,
  trialsPerAddressMax,
  trialWindowSeconds,
  unprovenPeersMax,
  unprovenSecondsMax,
} from '../../src/model/limits.ts'
import type { Member } from '../../src/model/member.ts'
import type { WireguardPublicKey } from '../../src/model/wireguard-key.ts'
import { after } from './settled.ts'
import {
  announcement,
  candidate,
  endpointOf,
  member,
  membership,
  now,
  observation,
  proofs,
  publicKey,
  reading,
  situation,
  sure,
  vtepOf,
  wallSeconds,
} from './world.ts'

function newcomer(number: number, changes: Partial<Newcomer> = {}): Newcomer {
  return {
    publicKey: publicKey(number),
    rank: Math.imul(number, 0x9e3779b1) >>> 0,
    places: [endpointOf(number)],
    announced: '',
    heardAt: now,
    isThere: false,
    ...changes,
  }
}

/** Lets time pass with a kernel that does what it is told. Milliseconds for which anything was sent to each key. */
function play(seconds: number, newcomersAt: (at: number) => readonly Newcomer[], begin = now) {
  let trials: Trials = noTrials
  let inKernel: ReadonlySet<WireguardPublicKey> = new Set()
  let most = 0
  const sentAt = new Map<WireguardPublicKey, number[]>()
  for (let at = begin; at < begin + seconds * 1000; at += 1000) {
    const sight = { inKernel, strays: 0, now: at, wallSeconds: wallSeconds + (at - now) / 1000 }
    const choice = chooseTrials(newcomersAt(at), trials, sight)
    trials = choice.trials
    inKernel = new Set([...choice.active.keys(), ...choice.passive])
    most = Math.max(most, inKernel.size)
    for (const key of choice.active.keys()) sentAt.set(key, [...(sentAt.get(key) ?? []), at - begin])
  }
  return { most, sentAt, trials, inKernel }
}

describe('of unproven keys', () => {
  it('few are all tried at once, for half a minute, and then only listened to', () => {
    const few = Array.from({ length: 5 }, (_, index) => newcomer(index + 2))
    const { sentAt, inKernel } = play(300, () => few)
    expect(sentAt.size).toBe(5)
    for (const times of sentAt.values()) {
      expect(times).toHaveLength(trialWindowSeconds.max)
      expect(times.at(-1)).toBeLessThan(trialWindowSeconds.max * 1000)
    }
    expect(inKernel.size).toBe(5)
  })

  it.each([300, 2000])(
    '%i are tried in turns, nothing is sent after a minute, and no more than few are in the kernel',
    count => {
      const many = Array.from({ length: count }, (_, index) => newcomer(index + 2))
      const { most, sentAt } = play(900, () => many)
      expect(most).toBe(unprovenPeersMax)
      expect(Math.max(...Array.from(sentAt.values(), times => times.at(-1) ?? 0))).toBeLessThan(
        unprovenSecondsMax * 1000,
      )
      expect(sentAt.size).toBeGreaterThan(unprovenPeersMax)
    },
  )

  it('as many as name one address are not all tried there', () => {
    const door = endpointOf(9)
    const many = Array.from({ length: 300 }, (_, index) => newcomer(index + 2, { places: [door] }))
    expect(play(900, () => many).sentAt.size).toBe(trialsPerAddressMax)
  })

  it('those that hold a gossip connection go first', () => {
    const many = Array.from({ length: 300 }, (_, index) => newcomer(index + 2, { isThere: index % 10 === 0 }))
    const { active } = chooseTrials(many, noTrials, { inKernel: new Set(), strays: 0, now, wallSeconds })
    const there = many.filter(({ isThere }) => isThere).map(({ publicKey: key }) => key)
    expect(there.every(key => active.has(key))).toBe(true)
  })

  it('those of others that turn out to be there keep the first turns open', () => {
    const many = Array.from({ length: 300 }, (_, index) => newcomer(index + 2))
    const first = chooseTrials(many, noTrials, { inKernel: new Set(), strays: 0, now, wallSeconds }).trials
    const later = { inKernel: new Set<WireguardPublicKey>(), strays: 0, now: now + 80_000, wallSeconds }
    expect(chooseTrials(many, first, later).active.size).toBe(0)
    const again = chooseTrials(many, { ...first, provenAt: now + 79_000 }, later)
    expect(again.active.size).toBe(trialStrangersMax)
  })

  it('a heartbeat each minute buys a trial in pauses that double, silence hardly any', () => {
    const speaking = play(3600, at => [newcomer(2, { heardAt: at })]).sentAt.get(publicKey(2)) ?? []
    const begins = speaking.filter((at, index) => at - (speaking[index - 1] ?? -9999) > 1000)
    expect(begins.length).toBeLessThan(8)
    const pauses = begins.map((at, index) => at - (begins[index - 1] ?? 0)).slice(2)
    for (const [index, pause] of pauses.slice(1).entries())
      expect(pause).toBeGreaterThan(1.5 * sure(pauses[index]))
    const silent = play(3600, () => [newcomer(2, { heardAt: now - 1000 })]).sentAt.get(publicKey(2)) ?? []
    expect(silent).toHaveLength(trialWindowSeconds.max)
  })

  it('what it announces anew is tried soon, and not the sooner the oftener it does', () => {
    const news = (at: number) => [newcomer(2, { announced: String(at), heardAt: at })]
    const times = play(3600, news).sentAt.get(publicKey(2)) ?? []
    expect(times.length).toBeGreaterThan(trialWindowSeconds.max + trialWindowSeconds.min)
    expect(times.length).toBeLessThan(120)
    expect(times[trialWindowSeconds.max]).toBeLessThanOrEqual(
      (trialWindowSeconds.max + trialPauseSeconds.news.min + 1) * 1000,
    )
  })

  it('a peer without an endpoint is listened to in turns, the same at both ends', () => {
    const both = [newcomer(2, { places: [] }), newcomer(3, { places: [] })]
    const crowd = Array.from({ length: 200 }, (_, index) => newcomer(index + 10, { places: [] }))
    const seen = new Set<WireguardPublicKey>()
    const { most } = play(3600, () => [...both, ...crowd])
    for (let turn = 0; turn < 60; turn += 1) {
      const sight = {
        inKernel: seen,
        strays: 0,
        now,
        wallSeconds: wallSeconds + turn * trialWindowSeconds.turn,
      }
      for (const key of chooseTrials([...both, ...crowd], noTrials, { ...sight, inKernel: new Set() })
        .passive)
        seen.add(key)
    }
    expect(most).toBe(unprovenPeersMax)
    expect(seen.size).toBe(202)
  })

  it('never more than the bound are in the kernel, whoever comes, goes and answers', () => {
    const crowd = fc.array(
      fc.record({
        number: fc.integer({ min: 2, max: 400 }),
        isThere: fc.boolean(),
        place: fc.integer({ min: 2, max: 20 }),
      }),
      { maxLength: 200 },
    )
    fc.assert(
      fc.property(fc.array(crowd, { minLength: 2, maxLength: 12 }), rounds => {
        let trials: Trials = noTrials
        let inKernel: ReadonlySet<WireguardPublicKey> = new Set()
        for (const [index, round] of rounds.entries()) {
          const newcomers = new Map(
            round.map(({ number, isThere, place }) => [
              publicKey(number),
              newcomer(number, { isThere, places: [endpointOf(place)] as Endpoint[] }),
            ]),
          )
          const at = now + index * 7000
          const strays = [...inKernel].filter(key => !newcomers.has(key)).length
          const choice = chooseTrials([...newcomers.values()], trials, {
            inKernel,
            strays,
            now: at,
            wallSeconds,
          })
          const wanted = new Set([...choice.active.keys(), ...choice.passive])
          // Those that leave are there while the others come.
          expect(new Set([...inKernel, ...wanted]).size).toBeLessThanOrEqual(unprovenPeersMax)
          trials = choice.trials
          inKernel = wanted
        }
      }),
      { numRuns: 40 },
    )
  })
})

describe('a kernel', () => {
  const honest = [2, 3].map(number => member(number))
  const fakes = (count: number, changes: Partial<Member['announcement']> = {}) =>
    Array.from({ length: count }, (_, index) => member(index + 100, { mtu: 1280, ...changes }))

  /** Looks and acts every second, with what WireGuard says of the honest. */
  function run(seconds: number, members: readonly Member[], proven = honest) {
    const readings = proven.map((_, index) => reading(index + 2))
    let state: Situation = situation(1, [], { membership: membership(...members), proofs: proofs(...proven) })
    const seen: Situation[] = []
    for (let at = now; at <= now + seconds * 1000; at += 1000) {
      const next = after({ ...state, now: at }, decide({ ...state, now: at }))
      const known = new Map(readings.map(each => [each.publicKey, each]))
      const { state: kernel } = next.observation
      const heard = next.observation.readings.map(each => known.get(each.publicKey) ?? each)
      state = {
        ...next,
        trials: decide({ ...state, now: at }).trials,
        observation: observation(kernel, heard),
      }
      seen.push(state)
    }
    return seen
  }

  it('with 300 that never answer holds few of them, floods to none, and takes no MTU of theirs', () => {
    const seen = run(90, [...honest, ...fakes(300)])
    for (const {
      observation: { state },
    } of seen) {
      expect(sure(state.tunnel).peers.length).toBeLessThanOrEqual(unprovenPeersMax + honest.length)
      expect(state.segments[0]?.flood).toEqual([vtepOf(2), vtepOf(3)].sort())
      expect(state.segments[0]?.unicast).toHaveLength(2)
      expect(state.tunnel?.mtu).toBe(1420)
      const unproven = sure(state.tunnel).peers.filter(
        ({ publicKey: key }) => ![publicKey(2), publicKey(3)].includes(key),
      )
      expect(unproven.every(({ keepaliveSeconds }) => keepaliveSeconds === 0)).toBe(true)
    }
    const last = sure(seen.at(-1)?.observation.state.tunnel)
    const places = last.peers.filter(({ endpoint }) => endpoint !== null).map(({ publicKey: key }) => key)
    expect(places.sort()).toEqual([publicKey(2), publicKey(3)].sort())
  })

  it('takes no endpoint for a proven key from whoever else claims it', () => {
    const lies = fakes(16, {
      publicKey: publicKey(2),
      endpoints: [candidate('198.51.100.66:66', 'configured')],
    })
    const last = sure(run(5, [...honest, ...lies]).at(-1))
    expect(last.tracks.get(publicKey(2))?.candidates).toEqual([endpointOf(2)])
    expect(
      last.observation.state.tunnel?.peers.find(each => each.publicKey === publicKey(2))?.allowedIps,
    ).toEqual([`${vtepOf(2)}/128`])
  })

  it('counts who shook hands before an upgrade as proven, and takes nothing of it away', () => {
    const old = run(1, honest)
    const upgraded = { ...sure(old.at(-1)), proofs: new Map(), tracks: new Map() }
    const decision = decide(upgraded)
    expect(decision.plan).toEqual([])
    expect([...decision.proofs.keys()]).toEqual(honest.map(({ announcement: { node } }) => node))
  })

  it('has the operator’s own declarations from the start, keepalive and all, and floods to them once they answered', () => {
    const own = { ...announcement(40), declaredBy: situation(1).node }
    const machine = { ...member(40), announcement: own }
    const { desired } = decide(situation(1, [], { membership: membership(machine), proofs: new Map() }))
    expect(
      desired?.tunnel?.peers.map(({ keepaliveSeconds, endpoint }) => [keepaliveSeconds, endpoint]),
    ).toEqual([[25, endpointOf(40)]])
    expect(desired?.segments[0]?.flood).toEqual([])
  })
})
