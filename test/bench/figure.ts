/** One number, as it was measured. */
export interface Figure {
  readonly figure: string
  readonly contestant: string
  /** Nodes of the mesh, or members that one of them knows, or nodes of a simulation. */
  readonly nodes: number
  /** Infinity: it did not come about in the time it was given. */
  readonly value: number
  readonly unit: string
}

/** What issue and README promise, by figure: the most, or the least where `atLeast`; by number of nodes where it differs. */
interface Budget {
  readonly figure: string
  readonly bound: number | Readonly<Record<number, number>>
  readonly atLeast?: true
}

/** Throughput as a part of what a static network beside it carries. */
export const shareOfFloor = 'throughput, of static at the same time'

const budgets: readonly Budget[] = [
  { figure: 'join', bound: 0.35 },
  { figure: 'formation, bootstrap 1 s earlier', bound: { 10: 1 } },
  { figure: 'roam, all talk', bound: 1 },
  { figure: 'roam, only others talk', bound: 1 },
  { figure: 'dead node noticed by all', bound: 40 },
  { figure: 'idle, all traffic', bound: { 10: 250, 25: 450, 50: 700 } },
  { figure: 'idle, gossip', bound: 250 },
  { figure: shareOfFloor, bound: 0.97, atLeast: true },
  { figure: 'memory, proportional', bound: 45 },
  { figure: 'CPU, idle', bound: 0.15 },
  { figure: 'reconcile, nothing to do', bound: { 1000: 0.1 } },
  { figure: 'reconcile, processes', bound: 4 },
  { figure: 'lnetctl peers', bound: 60 },
  { figure: 'simulated: idle, gossip', bound: 1000 },
  { figure: 'simulated: join, known to 99 %', bound: 5 },
]

/** The budget of a figure, or null where none was set. */
export function budgetOf({ figure, nodes }: Pick<Figure, 'figure' | 'nodes'>): number | null {
  const bound = budgets.find(budget => budget.figure === figure)?.bound
  if (bound === undefined) return null
  return typeof bound === 'number' ? bound : (bound[nodes] ?? null)
}

/** `123`, `12.3`, `0.123`: three digits that count. */
export function textOf(value: number): string {
  if (!Number.isFinite(value)) return 'never'
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toFixed(Math.min(digits, 4))
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** The middle one, or the mean of both middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]]
  if (low === undefined || high === undefined) throw new Error('no values')
  return low === high ? low : (low + high) / 2
}

/** A row a figure and number of nodes, a column a contestant. */
export function markdown(figures: readonly Figure[]): string {
  const contestants = [...new Set(figures.map(({ contestant }) => contestant))]
  const head = ['figure', 'nodes', 'unit', 'budget', ...contestants]
  const rows = rowsOf(figures).map(row => {
    const { figure, nodes, unit } = row[0] as Figure
    const budget = budgetOf({ figure, nodes })
    const cells = contestants.map(name => row.find(({ contestant }) => contestant === name))
    return [
      figure,
      String(nodes),
      unit,
      budget === null ? '' : textOf(budget),
      ...cells.map(cell => (cell === undefined ? '' : textOf(cell.value))),
    ]
  })
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

/** Figures that stand beside each other, in the order in which they came first. */
export function rowsOf(figures: readonly Figure[]): readonly (readonly Figure[])[] {
  const keyOf = ({ figure, nodes }: Figure) => `${figure}/${nodes}`
  const keys = [...new Set(figures.map(keyOf))]
  return keys.map(key => figures.filter(figure => keyOf(figure) === key))
}
