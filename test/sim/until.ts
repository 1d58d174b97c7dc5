import { heartbeatSeconds } from '../../src/mesh/compose.ts'
import { heartbeatSecondsDefault, heartbeatsMissedMax } from '../../src/model/limits.ts'
import { expectHealed, type HealedOptions, membershipViolations, survey, take, violations } from './checks.ts'
import type { Machine } from './machine.ts'
import type { Simulator } from './simulator.ts'

const sampleNodes = 6

/** Lets time pass until the mesh is whole; the seconds it took. Fails when that is not so by the limit. */
export async function untilHealed(
  sim: Simulator,
  limitSeconds: number,
  options: HealedOptions = {},
): Promise<number> {
  const isWholeFor = async (machines: readonly Machine[]) =>
    violations(sim, await survey(sim, machines), options).next().done === true
  // In a large mesh looking at all costs most of the time: first a few, the latest ones.
  const isWhole = async () =>
    (await isWholeFor(sim.running.slice(-sampleNodes))) && (await isWholeFor(sim.running))
  const seconds = await until(sim, limitSeconds, isWhole)
  if (seconds === null) await expectHealed(sim, options)
  return seconds ?? limitSeconds
}

/** Only that everybody believes the same; kernels may lag. */
export async function untilAgreed(sim: Simulator, limitSeconds: number): Promise<number> {
  const seconds = await until(
    sim,
    limitSeconds,
    async () => membershipViolations(await survey(sim)).next().done === true,
  )
  if (seconds !== null) return seconds
  const missing = [...take(membershipViolations(await survey(sim)), 5)]
  throw new Error(`no agreement after ${limitSeconds} s: ${missing.join('; ')}`)
}

/** Seconds until it was so, to a quarter of a second; null when it was not by the limit. */
export async function until(
  sim: Simulator,
  limitSeconds: number,
  isSo: () => Promise<boolean>,
): Promise<number | null> {
  const step = Math.max(0.25, sim.running.length / 200)
  for (let seconds = 0; seconds <= limitSeconds; seconds += step) {
    if (await isSo()) return seconds
    await sim.run({ seconds: step })
  }
  return null
}

/** Everybody holds the same, to the last number: heartbeats under way arrive within seconds. */
export async function untilIdentical(sim: Simulator, limitSeconds: number): Promise<number> {
  const isIdentical = async () => {
    const sets = (await survey(sim)).map(({ words }) =>
      [...words]
        .map(([node, { sequence }]) => `${node} ${sequence.incarnation} ${sequence.counter}`)
        .sort()
        .join(),
    )
    return new Set(sets).size <= 1
  }
  const seconds = await until(sim, limitSeconds, isIdentical)
  if (seconds === null) throw new Error(`numbers still differ after ${limitSeconds} s`)
  return seconds
}

/** How long after its last word a machine of a mesh of so many nodes is called silent, seconds. */
export function silentAfterSeconds(nodes: number): number {
  return heartbeatsMissedMax * heartbeatSeconds(heartbeatSecondsDefault, nodes - 1)
}
