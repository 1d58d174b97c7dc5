import { budgetOf, type Figure, rowsOf, textOf } from './figure.ts'

const colours = ['#9aa5b1', '#1f6feb', '#d29922', '#8250df']
const barHeight = 14
const width = 760
const labelWidth = 300
const longest = width - labelWidth - 110

/** Bars as SVG: a group a figure, a bar a contestant, a line where the budget ends. Each group has its own scale. */
export function picture(figures: readonly Figure[], caption: readonly string[]): string {
  const contestants = [...new Set(figures.map(({ contestant }) => contestant))]
  const groups = rowsOf(figures).map(row => group(row, contestants))
  const heights = groups.map(({ height }) => height)
  const tops = heights.map((_, at) => 40 + sum(heights.slice(0, at)))
  const end = 40 + sum(heights)
  const legend = contestants.map(
    (name, at) =>
      `<rect x="${20 + at * 110}" y="14" width="12" height="12" fill="${colourOf(at)}"/>` +
      `<text x="${38 + at * 110}" y="24">${escaped(name)}</text>`,
  )
  const drawn = groups.map(({ body }, at) => `<g transform="translate(0 ${tops[at]})">${body}</g>`)
  const lines = caption.map(
    (line, at) => `<text x="20" y="${end + 16 + at * 16}" fill="#57606a">${escaped(line)}</text>`,
  )
  const height = end + 16 + caption.length * 16
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="12">
<title>Figures of npm run bench, a bar for each contestant, a red line at the budget</title>
<rect width="${width}" height="${height}" fill="white"/>
${[...legend, ...drawn, ...lines].join('\n')}
</svg>
`
}

function group(row: readonly Figure[], contestants: readonly string[]): { height: number; body: string } {
  const { figure, nodes, unit } = row[0] as Figure
  const budget = budgetOf({ figure, nodes })
  const finite = row.map(({ value }) => value).filter(Number.isFinite)
  const scale = longest / Math.max(...finite, budget ?? 0, Number.MIN_VALUE)
  const bars = row.map(({ contestant, value }, at) => {
    const length = Number.isFinite(value) ? value * scale : longest
    const y = 4 + at * barHeight
    const colour = colourOf(contestants.indexOf(contestant))
    const bar = `<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight - 3}" fill="${colour}"/>`
    const text = `${textOf(value)} ${Number.isFinite(value) ? unit : ''}`.trim()
    return `${bar}<text x="${(labelWidth + length + 5).toFixed(1)}" y="${y + 10}">${escaped(text)}</text>`
  })
  const height = row.length * barHeight + 10
  const label = `<text x="${labelWidth - 10}" y="15" text-anchor="end">${escaped(`${figure}, ${nodes} nodes`)}</text>`
  const x = labelWidth + (budget ?? 0) * scale
  const line = budget === null ? '' : `<path d="M${x.toFixed(1)} 0V${height - 6}" stroke="#cf222e"/>`
  return { height, body: [label, ...bars, line].join('') }
}

function colourOf(index: number): string {
  return colours[index % colours.length] as string
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
