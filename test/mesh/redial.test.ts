import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  afterAnswer,
  afterEnd,
  afterFailure,
  type DialRecord,
  type DialTarget,
  dueTargets,
  nextDueAt,
  secretMayDiffer,
  withFreshBackoff,
} from '../../src/mesh/redial.ts'
import {
  dialsAtOnceMax,
  neighboursEnough,
  searchMillisecondsMax,
  searchMillisecondsMin,
  searchMillisecondsPerNode,
  untriedMilliseconds,
  untriedMillisecondsEnough,
} from '../../src/model/limits.ts'
import { sure } from './world.ts'

const silence = { error: 'timed out', handshake: false }
const handshake = { error: 'reset', handshake: true }
const nobody = {
  records: new Map(),
  dialling: new Set<string>(),
  connected: 0,
  untriedAt: Number.NEGATIVE_INFINITY,
  now: 0,
}

describe('whom to dial', () => {
  const targets: readonly DialTarget[] = [
    { key: 'spare-1', wanted: false },
    { key: 'wanted-1', wanted: true },
    { key: 'wanted-2', wanted: true },
    { key: 'spare-2', wanted: false },
  ]

  it('is the wanted ones first, and others while there are too few', () => {
    expect(keys(dueTargets(targets, nobody))).toEqual(['wanted-1', 'wanted-2', 'spare-1', 'spare-2'])
    const records = new Map(
      targets.map(({ key }) => [key, { ...afterFailure(undefined, silence, 0, 0), nextAt: 0 }]),
    )
    const satisfied = { ...nobody, records, connected: neighboursEnough }
    expect(keys(dueTargets(targets, satisfied))).toEqual(['wanted-1', 'wanted-2'])
    expect(keys(dueTargets(targets, { ...satisfied, connected: neighboursEnough - 3 }))).toHaveLength(3)
  })

  it('is one at a time of those never tried, once there is a neighbour', () => {
    const one = { ...nobody, connected: 1 }
    expect(keys(dueTargets(targets, one))).toEqual(['wanted-1'])
    const next = { ...one, untriedAt: 0, dialling: new Set(['wanted-1']) }
    expect(dueTargets(targets, next)).toEqual([])
    expect(nextDueAt(targets, next)).toBe(untriedMilliseconds)
    expect(keys(dueTargets(targets, { ...next, now: untriedMilliseconds }))).toEqual(['wanted-2'])
    const enough = { ...next, connected: neighboursEnough }
    expect(nextDueAt(targets, enough)).toBe(untriedMillisecondsEnough)
    expect(dueTargets(targets, { ...enough, now: untriedMilliseconds })).toEqual([])
  })

  it('is nobody who is being dialled, and nobody whose wait is not over', () => {
    const waiting = afterFailure(undefined, silence, 0, 0)
    const situation = {
      ...nobody,
      connected: neighboursEnough,
      dialling: new Set(['wanted-1']),
      records: new Map([['wanted-2', waiting]]),
    }
    expect(dueTargets(targets, situation)).toEqual([])
    expect(keys(dueTargets(targets, { ...situation, now: waiting.nextAt }))).toEqual(['wanted-2'])
    expect(nextDueAt([targets[1], targets[2]] as DialTarget[], situation)).toBe(waiting.nextAt)
  })

  it('is one of those that wait long, the one tried longest ago, every few seconds', () => {
    const record = (lastTriedAt: number) => ({
      ...afterFailure(undefined, silence, lastTriedAt, 0),
      nextAt: 60_000,
    })
    const situation = {
      ...nobody,
      connected: 3,
      records: new Map([
        ['wanted-1', record(2000)],
        ['wanted-2', record(1000)],
        ['spare-1', record(0)],
        ['spare-2', record(0)],
      ]),
    }
    const at = 2000 + 7 * searchMillisecondsPerNode
    expect(nextDueAt(targets, situation)).toBe(at)
    expect(dueTargets(targets, { ...situation, now: at - 1 })).toEqual([])
    expect(keys(dueTargets(targets, { ...situation, now: at }))).toEqual(['wanted-2'])
    expect(dueTargets(targets, { ...situation, now: at, dialling: new Set(['other']) })).toEqual([])
    expect(nextDueAt(targets.slice(1, 3), { ...situation, connected: 0 })).toBe(2000 + searchMillisecondsMin)
    expect(nextDueAt(targets, { ...situation, connected: 100 })).toBe(2000 + searchMillisecondsMax)
  })

  it('falls due when it is said to', () => {
    const wanted = fc.record({ lastTriedAt: fc.nat({ max: 40_000 }), wait: fc.nat({ max: 45_000 }) })
    fc.assert(
      fc.property(fc.array(wanted, { minLength: 1 }), fc.nat({ max: 100 }), (waiting, connected) => {
        const many = waiting.map((_, index) => ({ key: `${index}`, wanted: true }))
        const records = new Map(
          waiting.map(({ lastTriedAt, wait }, index) => [
            `${index}`,
            { ...afterFailure(undefined, silence, lastTriedAt, 0), nextAt: lastTriedAt + wait },
          ]),
        )
        const situation = { ...nobody, records, connected }
        const at = sure(nextDueAt(many, situation))
        expect(dueTargets(many, { ...situation, now: at })).not.toEqual([])
        expect(dueTargets(many, { ...situation, now: at - 1 })).toEqual([])
      }),
    )
  })

  it('is never more than may be dialled at once', () => {
    const many = Array.from({ length: 100 }, (_, index) => ({ key: `${index}`, wanted: index % 2 === 0 }))
    fc.assert(
      fc.property(fc.nat({ max: 40 }), fc.nat({ max: 20 }), (dialling, connected) => {
        const underWay = new Set(many.slice(0, dialling).map(({ key }) => key))
        const due = dueTargets(many, { ...nobody, connected, dialling: underWay })
        expect(due.length).toBeLessThanOrEqual(Math.max(0, dialsAtOnceMax - dialling))
        expect(due.some(({ key }) => underWay.has(key))).toBe(false)
      }),
    )
  })
})

describe('the wait after a failure', () => {
  it('begins short, grows to 5 s at first and to 30 s after minutes, and is never the same for all', () => {
    const first = afterFailure(undefined, silence, 0, 0.5)
    expect(first.nextAt).toBeGreaterThanOrEqual(100)
    expect(first.nextAt).toBeLessThanOrEqual(300)
    expect(waitAfter(20, 0, 0.5)).toBe(5000)
    expect(waitAfter(20, 600_000, 0.5)).toBe(30_000)
    expect(waitAfter(20, 0, 0)).toBeLessThan(waitAfter(20, 0, 0.9))
  })

  it('goes on growing while connections end at once, and is forgotten with one that lasted', () => {
    let record = sure(afterEnd(afterAnswer(undefined, 0), 100, 0.5))
    for (let count = 0; count < 10; count += 1) record = sure(afterEnd(afterAnswer(record, 0), 100, 0.5))
    expect(record.nextAt - 100).toBe(5000)
    expect(afterEnd(afterAnswer(record, 0), 10_000, 0.5)).toBe(null)
    expect(afterEnd(record, 60_000, 0.5)).toBe(record)
  })

  it('is over at once when something changed, and short again', () => {
    const tired = repeat(20, 600_000, 0.5)
    const fresh = withFreshBackoff(tired, 700_000)
    expect(fresh.nextAt).toBe(700_000)
    expect(afterFailure(fresh, silence, 700_000, 0.5).nextAt - 700_000).toBeLessThan(1000)
  })

  it('tells a handshake that fails again and again, and forgets it when TCP fails', () => {
    let record = afterFailure(undefined, handshake, 0, 0)
    expect(secretMayDiffer(record)).toBe(false)
    record = afterFailure(record, handshake, 1, 0)
    expect(secretMayDiffer(record)).toBe(true)
    expect(secretMayDiffer(withFreshBackoff(record, 3))).toBe(true)
    expect(secretMayDiffer(afterFailure(record, silence, 3, 0))).toBe(false)
  })
})

function repeat(times: number, now: number, random: number): DialRecord {
  let record = afterFailure(undefined, silence, 0, random)
  for (let index = 1; index < times; index += 1) record = afterFailure(record, silence, now, random)
  return record
}

function waitAfter(times: number, now: number, random: number): number {
  return repeat(times, now, random).nextAt - now
}

function keys(targets: readonly DialTarget[]): readonly string[] {
  return targets.map(({ key }) => key)
}
