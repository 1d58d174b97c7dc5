import { describe, expect, it } from 'vitest'
import {
  afterExcess,
  afterRefusal,
  afterWord,
  type Conduct,
  evidence,
  isFlooding,
  saysTooMuch,
} from '../../src/mesh/conduct.ts'
import {
  conductSeconds,
  restartsMax,
  wordsPerMinuteMax,
  wordsTakenPerMinuteMax,
} from '../../src/model/limits.ts'

const sequence = { incarnation: 3, counter: 1 }

describe('conduct', () => {
  it('gives no evidence against who speaks as often as a flapping machine does', () => {
    const conduct = speak(wordsPerMinuteMax, 60_000)
    expect(evidence(conduct, 60_000)).toEqual([])
    expect(isFlooding(conduct, 60_000)).toBe(false)
  })

  it('tells of a flood how many words it was in a minute, and that it is over', () => {
    const conduct = speak(1000, 10_000)
    expect(evidence(conduct, 10_000)).toEqual(['spoke 1000 times within a minute'])
    expect(isFlooding(conduct, 10_000)).toBe(true)
    expect(isFlooding(conduct, 70_000)).toBe(false)
    expect(evidence(conduct, 10_000 + conductSeconds * 1000)).toEqual([])
  })

  it('lets a member say what it declares too, and nothing more until the minute is over', () => {
    expect(saysTooMuch(speak(wordsTakenPerMinuteMax - 1, 10_000), 10_000)).toBe(false)
    expect(saysTooMuch(speak(wordsTakenPerMinuteMax, 10_000), 10_000)).toBe(true)
    expect(saysTooMuch(speak(wordsTakenPerMinuteMax, 10_000), 60_000)).toBe(false)
  })

  it('counts what a neighbour sent beyond what it may', () => {
    const conduct = afterExcess(afterExcess(undefined, 3, 0), 4, 1000)
    expect(evidence(conduct, 1000)).toEqual(['sent 7 messages more than a neighbour has to say'])
    expect(saysTooMuch(conduct, 1000)).toBe(false)
  })

  it('counts what is refused, each reason for itself', () => {
    let conduct: Conduct | undefined
    for (const reason of ['foreign-author', 'over-limits', 'foreign-author'] as const)
      conduct = afterRefusal(conduct, reason, 5)
    expect(conduct === undefined ? [] : evidence(conduct, 5)).toEqual([
      'announced more than an announcement may hold (1×)',
      'spoke in another node’s name (2×)',
    ])
  })

  it('knows a number that no restarts lead to', () => {
    const far = { incarnation: restartsMax + 1, counter: 0 }
    expect(evidence(afterWord(undefined, far, 0), 0)).toEqual([`counts ${restartsMax + 1} restarts`])
  })
})

function speak(words: number, milliseconds: number): Conduct {
  let conduct: Conduct | undefined
  for (let word = 0; word < words; word += 1)
    conduct = afterWord(conduct, sequence, (word * milliseconds) / words)
  return conduct as Conduct
}
