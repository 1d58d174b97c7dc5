import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { membersMax } from '../../src/model/limits.ts'
import { root } from '../lab/root.ts'
import type { Act } from './act.ts'
import { formation } from './acts/formation.ts'
import { idle, questions } from './acts/idle.ts'
import { join as joining, restart } from './acts/join.ts'
import { reconcile } from './acts/reconcile.ts'
import { death, roam } from './acts/roam.ts'
import { throughput } from './acts/throughput.ts'
import type { Contestant } from './contestant.ts'
import { simulate } from './crowd/simulate.ts'
import { type Figure, markdown } from './figure.ts'
import { lnet } from './lnet.ts'
import { describeMachine } from './machine.ts'
import { nebula } from './nebula.ts'
import { widenNeighbourTables } from './neighbour-tables.ts'
import { perform } from './perform.ts'
import { picture } from './picture.ts'
import { fixed } from './static.ts'
import { tinc } from './tinc.ts'

const acts: readonly Act[] = [
  ...[formation, reconcile, idle, questions, throughput, restart, roam, joining, death],
]
const contestants: readonly Contestant[] = [fixed, lnet, tinc, nebula]

const crowdSizes = [10, 100, 1000, 10_000]

const usage = `npm run bench                    every act, lnet beside a static network, 10 nodes
npm run bench -- NAME...         these acts only
  --nodes N                      may be given more than once (2 to 60, default 10)
  --repeat N                     how often what is quick is measured; the median counts (default 3)
  --idle SECONDS                 how long idleness is watched (default 675: each of 10 nodes speaks once)
  --only CONTESTANT              leave the others out
  --rivals                       tinc and nebula as well, from Debian's packages
  --sim                          instead: gossip alone, in virtual time, of 10, 100, 1000 and 10000 nodes
                                 (--nodes N: of that many, up to 20000; 10000 take minutes and 8 GB)
  --seed N                       of the simulation (default 1)
  --out DIRECTORY                where bench.jsonl, bench.md and bench.svg go (default: dist/bench)

${acts.map(({ name, about }) => `  ${name.padEnd(12)} ${about}\n`).join('')}`

process.exitCode = await main()

async function main(): Promise<number> {
  const options = readOptions()
  if (options === null) {
    console.error(usage)
    return 2
  }
  const figures: Figure[] = []
  mkdirSync(options.out, { recursive: true })
  const lines = join(options.out, 'bench.jsonl')
  writeFileSync(lines, '')
  const note = (figure: Figure) => {
    figures.push(figure)
    appendFileSync(lines, `${JSON.stringify(figure)}\n`)
    const { contestant, nodes, value, unit } = figure
    console.log(
      `${contestant.padEnd(7)} ${String(nodes).padStart(3)} nodes  ${figure.figure}: ${value} ${unit}`,
    )
  }
  for (const nodes of options.nodes)
    if (options.seed !== null) simulate(nodes, options.seed, note)
    else await compete(options, nodes, note)
  const machine = describeMachine()
  const report = `${machine.join('  \n')}\n\n${markdown(figures)}\n`
  writeFileSync(join(options.out, 'bench.svg'), picture(figures, machine))
  writeFileSync(join(options.out, 'bench.md'), report)
  console.log(`\n${report}`)
  return 0
}

async function compete(options: Options, nodes: number, note: (figure: Figure) => void): Promise<void> {
  const narrow = widenNeighbourTables()
  try {
    for (const contestant of options.contestants)
      await perform(options.acts, contestant, { ...options, nodes }, note)
  } finally {
    narrow()
  }
}

interface Options {
  readonly acts: readonly Act[]
  readonly contestants: readonly Contestant[]
  readonly nodes: readonly number[]
  readonly repeat: number
  readonly idleSeconds: number
  /** Null: nothing is simulated. */
  readonly seed: number | null
  readonly out: string
}

function readOptions(): Options | null {
  try {
    const { values, positionals } = parseArgs({
      options: {
        nodes: { type: 'string', multiple: true },
        repeat: { type: 'string', default: '3' },
        idle: { type: 'string', default: '675' },
        only: { type: 'string', multiple: true },
        rivals: { type: 'boolean', default: false },
        sim: { type: 'boolean', default: false },
        seed: { type: 'string', default: '1' },
        out: { type: 'string', default: join(root, 'dist/bench') },
      },
      allowPositionals: true,
    })
    const options: Options = {
      acts: positionals.length === 0 ? acts : acts.filter(({ name }) => positionals.includes(name)),
      contestants: chooseContestants(values.only ?? null, values.rivals),
      nodes: values.nodes?.map(Number) ?? (values.sim ? crowdSizes : [10]),
      repeat: Number(values.repeat),
      idleSeconds: Number(values.idle),
      seed: values.sim ? Number(values.seed) : null,
      out: values.out,
    }
    const unknown = positionals.some(wanted => !acts.some(({ name }) => name === wanted))
    const isWrong =
      unknown ||
      options.contestants.length === 0 ||
      [...options.nodes, options.repeat, options.idleSeconds, options.seed ?? 1].some(
        n => !Number.isInteger(n) || n < 1,
      ) ||
      options.nodes.some(nodes => nodes < 2 || nodes > (values.sim ? membersMax : 60))
    return isWrong ? null : options
  } catch {
    return null
  }
}

/** Rivals when asked for, by `--rivals` or by name, and only those that are installed. */
function chooseContestants(only: readonly string[] | null, rivals: boolean): readonly Contestant[] {
  const own: readonly Contestant[] = [fixed, lnet]
  return contestants.filter(contestant => {
    if (only !== null && !only.includes(contestant.name)) return false
    if (!own.includes(contestant) && only === null && !rivals) return false
    if (contestant.isInstalled()) return true
    console.error(`bench: ${contestant.name} is not installed here, and left out`)
    return false
  })
}
