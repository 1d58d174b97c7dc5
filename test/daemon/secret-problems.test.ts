import { expect, it } from 'vitest'
import { secretProblems } from '../../src/daemon/secret-problems.ts'
import type { DialReport } from '../../src/model/neighbour.ts'

const report = (target: string, direction: DialReport['direction'], secretMayDiffer = true): DialReport => ({
  target,
  direction,
  failures: 7,
  lastTriedAt: 0,
  error: 'x',
  answers: true,
  secretMayDiffer,
})

it('names each node that was dialled and may have another secret', () => {
  const dials = [report('192.0.2.1:51821', 'outbound'), report('192.0.2.2:51821', 'outbound', false)]
  expect(secretProblems(dials, true)).toMatchObject([
    { code: 'secret-may-differ', subject: '192.0.2.1:51821', severity: 'degraded' },
  ])
  expect(secretProblems(dials, false)).toMatchObject([{ severity: 'notice' }])
})

it('is one notice for all that dial this node, whoever and however many they are', () => {
  const strangers = Array.from({ length: 32 }, (_, index) => report(`from 192.0.2.${index}`, 'inbound'))
  const [problem, ...rest] = secretProblems(strangers, true)
  expect(rest).toEqual([])
  expect(problem).toMatchObject({ subject: 'inbound', severity: 'notice', remedy: null })
  expect(problem?.what).toBe(
    'connections from 192.0.2.0, from 192.0.2.1, from 192.0.2.2 and 29 more fail in the handshake again and again',
  )
  expect(secretProblems([report('from 192.0.2.1', 'inbound', false)], true)).toEqual([])
})
