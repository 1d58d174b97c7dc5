import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { queryObjects } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { keepHistory, openHistory } from '../../src/host/history.ts'
import { createLog } from '../../src/host/log.ts'
import type { Endpoint } from '../../src/model/address.ts'
import {
  historyFileBytesMax,
  historySaveMilliseconds,
  pastEventsMax,
  recentEventsMax,
} from '../../src/model/limits.ts'
import type { NodeName } from '../../src/model/node.ts'
import { nodeId } from '../mesh/world.ts'
import { testDirectory } from './directory.ts'

const gauss = { member: nodeId(1), name: 'gauss' as NodeName }
const endpoint = '192.0.2.1:51820' as Endpoint
const textCharacters = 500
/** Equal to the one before, and yet another one in memory. */
const newText = () => Buffer.alloc(textCharacters, 'y').toString('latin1')
/** At least, of such texts. */
const eventsPerFile = Math.floor(historyFileBytesMax / (textCharacters + 150))

/** Of what somebody holds: to count objects, all others are collected first. */
function heapBytes(): number {
  queryObjects(WeakRef, { format: 'count' })
  return process.memoryUsage().heapUsed
}

/** Its timers are over when they are released. */
function heldClock() {
  const held: (() => void)[] = []
  const setTimer = (_milliseconds: number, action: () => void) => {
    held.push(action)
    return () => undefined
  }
  const release = () => {
    for (const action of held.splice(0)) action()
  }
  return { clock: { ...systemClock, setTimer }, release }
}

describe('the history', () => {
  it('tells what members did, in order and after a number', async () => {
    const history = await openHistory(testDirectory(), systemClock)
    history.note('member.joined', gauss)
    history.note('announcement.spoken', { incarnation: 1, counter: 1 })
    history.note('tunnel.up', { ...gauss, endpoint })
    expect(
      (await history.after(0)).map(({ number, kind, name, text }) => ({ number, kind, name, text })),
    ).toEqual([
      { number: 1, kind: 'joined', name: 'gauss', text: 'gauss joined the mesh' },
      { number: 2, kind: 'up', name: 'gauss', text: 'gauss answers at 192.0.2.1:51820' },
    ])
    expect(await history.after(1)).toHaveLength(1)
    await history.close()
  })

  it('goes on after a restart, also after half a line', async () => {
    const directory = testDirectory()
    const first = await openHistory(directory, systemClock)
    first.note('member.joined', gauss)
    await first.close()
    appendFileSync(join(directory, 'events.jsonl'), '\n{"number":2,"at":17')
    const second = await openHistory(directory, systemClock)
    second.note('member.left', gauss)
    await second.close()
    const third = await openHistory(directory, systemClock)
    expect((await third.after(0)).map(({ number, kind }) => [number, kind])).toEqual([
      [1, 'joined'],
      [2, 'left'],
    ])
    await third.close()
  })

  it('keeps the last events, and no more, for a disk that hangs', async () => {
    const directory = testDirectory()
    const path = join(directory, 'events.jsonl')
    const { clock, release: save } = heldClock()
    const history = await openHistory(directory, clock)
    // Nobody reads it yet: whoever writes waits.
    execFileSync('mkfifo', [path])
    for (let round = 0; round < 4; round += 1) {
      for (let index = 0; index < pastEventsMax / 2; index += 1) history.note('member.joined', gauss)
      save()
    }
    const reading = readFile(path, 'utf8')
    const numbers = [...(await reading).matchAll(/"number":(\d+)/g)].map(([, number]) => Number(number))
    expect(numbers.length).toBeLessThanOrEqual(pastEventsMax / 2)
    unlinkSync(path)
    await history.close()
    expect(readFileSync(path, 'utf8').match(/"number"/g)?.length).toBeLessThanOrEqual(pastEventsMax)
    const again = await openHistory(directory, systemClock)
    const kept = (await again.after(0)).map(({ number }) => number)
    expect(kept).toHaveLength(pastEventsMax)
    expect(kept.at(-1)).toBe(2 * pastEventsMax)
    await again.close()
  })

  it('stays bounded, however much happens', async () => {
    const directory = testDirectory()
    const rounds = 5
    for (let round = 0; round < rounds; round++) {
      const history = await openHistory(directory, systemClock)
      for (let index = 0; index < pastEventsMax + 200; index++)
        history.note('problem.raised', { code: 'x', subject: '', reason: 'y'.repeat(300) })
      expect(await history.after(0)).toHaveLength(pastEventsMax)
      await history.close()
    }
    for (const name of ['events.jsonl', 'events.jsonl.old'])
      expect(statSync(join(directory, name)).size).toBeLessThanOrEqual(historyFileBytesMax)
    const last = await openHistory(directory, systemClock)
    expect((await last.after(0)).at(-1)?.number).toBe(rounds * (pastEventsMax + 200))
    await last.close()
  })

  it('holds no more memory, however much happened', async () => {
    const history = await openHistory(testDirectory(), systemClock)
    const happen = async (times: number) => {
      for (let index = 0; index < times; index += 1)
        history.note('problem.raised', { code: 'x', subject: '', reason: newText() })
      await history.close()
    }
    await happen(1)
    const before = heapBytes()
    await happen(pastEventsMax)
    expect(heapBytes() - before).toBeLessThan((pastEventsMax * textCharacters) / 5)
    expect((await history.after(0)).length).toBeGreaterThan(eventsPerFile)
  })

  it('tells whoever follows it from memory', async () => {
    const directory = testDirectory()
    const history = await openHistory(directory, systemClock)
    for (let index = 0; index < 2 * recentEventsMax; index += 1) history.note('member.joined', gauss)
    await history.close()
    for (const name of readdirSync(directory)) unlinkSync(join(directory, name))
    const last = 2 * recentEventsMax
    expect(await history.after(last)).toEqual([])
    expect(await history.after(last - recentEventsMax)).toHaveLength(recentEventsMax)
  })

  it('tells each event once and in order while files are written and put aside', async () => {
    const setTimer = (milliseconds: number, action: () => void) =>
      systemClock.setTimer(milliseconds === historySaveMilliseconds ? 0 : milliseconds, action)
    const history = await openHistory(testDirectory(), { ...systemClock, setTimer })
    const problem = { code: 'x', subject: '', reason: newText() }
    for (let last = 50; last <= 2000; last += 50) {
      for (let index = 0; index < 50; index += 1) history.note('problem.raised', problem)
      const answers = await Promise.all(
        [0, last - 200].map(async number => (await history.after(number)).map(event => event.number)),
      )
      for (const numbers of answers) {
        const first = numbers[0] ?? Number.NaN
        expect(numbers).toEqual(Array.from({ length: last - first + 1 }, (_, index) => first + index))
      }
      expect(answers[0]?.length).toBeGreaterThanOrEqual(Math.min(last, eventsPerFile))
      expect(answers[1]).toHaveLength(Math.min(last, 200))
    }
    await history.close()
  })

  it('keeps what a disk does not take until it takes it', async () => {
    const directory = testDirectory()
    const path = join(directory, 'events.jsonl')
    const history = await openHistory(directory, systemClock)
    mkdirSync(path)
    for (let index = 0; index < 2 * recentEventsMax; index += 1) history.note('member.joined', gauss)
    await history.close()
    expect(await history.after(0)).toHaveLength(2 * recentEventsMax)
    rmdirSync(path)
    history.note('member.left', gauss)
    await history.close()
    const again = await openHistory(directory, systemClock)
    expect(await again.after(0)).toHaveLength(2 * recentEventsMax + 1)
  })

  it('tells what it has in memory when the disk hangs', async () => {
    const directory = testDirectory()
    const path = join(directory, 'events.jsonl')
    const { clock, release } = heldClock()
    const history = await openHistory(directory, clock)
    execFileSync('mkfifo', [path])
    for (let index = 0; index < 2 * recentEventsMax; index += 1) history.note('member.joined', gauss)
    release()
    const answer = history.after(0)
    release()
    expect(await answer).toHaveLength(2 * recentEventsMax)
    await Promise.all([readFile(path), history.close()])
  })

  it('is kept whatever the log shows, and is for the owner alone', async () => {
    const directory = testDirectory()
    const history = await openHistory(directory, systemClock)
    const lines: string[] = []
    const log = keepHistory(createLog('error', { write: (line: string) => void lines.push(line) }), history)
    log.info('member.joined', gauss)
    log.error('step.failed', { step: 's', reason: 'r', command: null, exitCode: 1, stderr: '' })
    expect(await history.after(0)).toHaveLength(1)
    expect(lines).toHaveLength(1)
    await history.close()
    expect(statSync(join(directory, 'events.jsonl')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(directory, 'events.jsonl'), 'utf8')).toContain('gauss joined')
  })
})
