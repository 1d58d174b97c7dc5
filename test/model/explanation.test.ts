import { describe, expect, it } from 'vitest'
import { explained, sentenceOf } from '../../src/model/explanation.ts'
import { failed } from '../../src/model/failure.ts'
import { degraded, noticed } from '../../src/model/problem.ts'

describe('an explanation', () => {
  it.each([
    [explained('it is so'), 'it is so'],
    [explained('it is so', { why: 'of that' }), 'it is so (of that)'],
    [explained('it is so', { remedy: 'do this' }), 'it is so: do this'],
    [explained('it: so', { why: 'a: b', remedy: 'c: d' }), 'it: so (a: b): c: d'],
  ])('is one line where one is needed: %#', (explanation, sentence) => {
    expect(sentenceOf(explanation)).toBe(sentence)
  })

  it('becomes a failure or a problem with its parts, and nothing else of what it was', () => {
    const failure = {
      what: 'no',
      why: 'of that',
      remedy: null,
      command: 'ip link',
      exitCode: 2,
      stderr: 'said',
    }
    expect(failed(failure.what, failure)).toEqual({ ok: false, failure })
    expect(degraded('kernel-failed', 'x', failure.what, failure)).toEqual({
      code: 'kernel-failed',
      subject: 'x',
      what: 'no',
      why: 'of that',
      remedy: null,
      severity: 'degraded',
    })
    expect(noticed('kernel-failed', 'x', 'no').severity).toBe('notice')
  })
})
