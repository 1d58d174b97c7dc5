import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formMesh, type Mesh } from '../chaos/mesh.ts'
import { eventually } from '../lab/lab.ts'
import type { LabNode } from '../lab/node.ts'
import { allUp, silentPairs } from '../lab/overlay.ts'

/**
 * WireGuard takes no handshake that is older than the last one it took of the same key (whitepaper, section 5.4.2): a
 * clock that is put back makes a machine mute. The guest's clock is that of every node, so that each test goes by the
 * monotonic one.
 */
let mesh: Mesh
const ends: (() => unknown)[] = []

beforeEach(async () => {
  mesh = await formMesh(3, {}, console.log, ends, () => undefined)
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await Promise.resolve().then(end)
})

const hour = 3600

describe('a clock that is put back', () => {
  it('by two hours while its machine was off: back with all all the same', async () => {
    const off = mesh.nodes[2] as LabNode
    await mesh.powerOff(off)
    await sleep(3000)
    await shiftClock(-2 * hour)
    const node = await mesh.powerOn(off)
    const began = performance.now()
    node.start()
    await node.listening()
    await eventually('every pair answers', async () => (await silentPairs(mesh.nodes)).length === 0, 60)
    const seconds = (performance.now() - began) / 1000
    console.log(`back ${seconds.toFixed(1)} s after the start of lnetd`)
    expect(seconds).toBeLessThan(10)
  })

  it.each([
    ['years ahead, and back', [3 * 365 * 24 * hour, -3 * 365 * 24 * hour]],
    ['six hours back on all machines', [-6 * hour]],
  ])('%s: hardly a packet is lost', async (_, shifts) => {
    const pairs = mesh.nodes.flatMap(from => mesh.nodes.filter(to => to !== from).map(to => ({ from, to })))
    const running = pairs.map(({ from, to }) => countLost(from, mesh.addresses.get(to.name) as string))
    for (const shift of shifts) {
      await sleep(20_000)
      await shiftClock(shift)
    }
    const lost = await Promise.all(running)
    console.log(`lost of ${minutes * 60}: ${lost.join(' ')}`)
    await allUp(mesh.nodes)
    expect(Math.max(...lost)).toBeLessThan(10)
  })
})

async function shiftClock(seconds: number): Promise<void> {
  await execa('date', ['-s', `@${Math.round(Date.now() / 1000 + seconds)}`])
}

/** Longer than any session of WireGuard's. */
const minutes = 7

/** Packets without an answer, of one a second. */
async function countLost(from: LabNode, address: string): Promise<number> {
  let lost = 0
  for (let half = 0; half < minutes * 2; half++) {
    const { stdout } = await from.namespace.run(['ping', '-n', '-q', '-i1', '-c30', '-W1', address])
    lost += 30 - Number(/(\d+) received/.exec(stdout)?.[1])
  }
  return lost
}
