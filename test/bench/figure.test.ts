import { expect, it } from 'vitest'
import { budgetOf, type Figure, markdown, median, textOf } from './figure.ts'

it('shows three digits that count', () => {
  expect([0, 0.0123, 0.5, 12.34, 1234.5, Number.POSITIVE_INFINITY].map(textOf)).toEqual([
    '0',
    '0.0123',
    '0.500',
    '12.3',
    '1235',
    'never',
  ])
})

it('takes the middle, or the mean of both', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
})

it('knows budgets for all numbers of nodes, and for some only', () => {
  expect(budgetOf({ figure: 'join', nodes: 33 })).toBe(0.35)
  expect(budgetOf({ figure: 'idle, all traffic', nodes: 25 })).toBe(450)
  expect(budgetOf({ figure: 'idle, all traffic', nodes: 26 })).toBeNull()
  expect(budgetOf({ figure: 'throughput', nodes: 2 })).toBeNull()
})

it('puts contestants side by side', () => {
  const of = (contestant: string, figure: string, value: number): Figure => ({
    contestant,
    figure,
    value,
    nodes: 10,
    unit: 's',
  })
  const figures = [of('static', 'join', 0.1), of('lnet', 'join', 0.2), of('lnet', 'restart', 0.5)]
  expect(markdown(figures).split('\n')).toEqual([
    '| figure | nodes | unit | budget | static | lnet |',
    '| --- | --- | --- | --- | --- | --- |',
    '| join | 10 | s | 0.350 | 0.100 | 0.200 |',
    '| restart | 10 | s |  |  | 0.500 |',
  ])
})
