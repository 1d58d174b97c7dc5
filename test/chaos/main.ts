import { parseArgs } from 'node:util'
import { passed, type Row, table } from './figure.ts'
import { addressScenarios } from './scenarios/addresses.ts'
import { cableScenarios } from './scenarios/cables.ts'
import { cloneScenarios } from './scenarios/clones.ts'
import { daemonScenarios } from './scenarios/daemons.ts'
import { deathScenarios } from './scenarios/deaths.ts'
import { meddlingScenarios } from './scenarios/meddling.ts'
import { nameScenarios } from './scenarios/names.ts'
import { rebootScenarios } from './scenarios/reboots.ts'
import { splitScenarios } from './scenarios/splits.ts'
import { createScene, type PlayedScene, type Scenario } from './scene.ts'

const usage = `npm run chaos                 every scenario; the patient ones beside the others
npm run chaos -- NAME...      these; a NAME that ends in - means all that begin so
npm run chaos -- --list       what there is
npm run chaos -- --representative   one of each kind of fault
              --one-by-one      for figures that nothing else disturbs
              --logs DIRECTORY  keeps what the daemons logged`

const scenarios: readonly Scenario[] = [
  ...daemonScenarios,
  ...rebootScenarios,
  ...addressScenarios,
  ...nameScenarios,
  ...cableScenarios,
  ...splitScenarios,
  ...deathScenarios,
  ...meddlingScenarios,
  ...cloneScenarios,
]

/** One of each kind of fault, of those that need no minutes; the others of a kind differ in what a simulator or a guest shows too. */
const representative: ReadonlySet<string> = new Set([
  'daemon-all-killed',
  'machine-suspended',
  'wireguard-go-dies',
  'reboot-bootstrap-dead',
  'bootstrap-dies',
  'move-two-at-once',
  'cable-5s',
  'split-two',
  'farewell',
  'meddling-entries',
  'cloned-disk-both-start',
])

/** More that fail at once are no accident. */
const repeatsMax = 5

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

interface Options {
  readonly chosen: readonly Scenario[]
  readonly list: boolean
  readonly oneByOne: boolean
  readonly logs: string | null
}

const playing = new Set<PlayedScene>()

process.exitCode = await main()

async function main(): Promise<number> {
  const options = readOptions()
  if (options === null) {
    console.error(usage)
    return 2
  }
  const { chosen, list, oneByOne, logs } = options
  if (list) {
    for (const { name, about, long } of scenarios)
      console.log(`${name.padEnd(26)} ${about}${long === true ? ' (only by name)' : ''}`)
    return 0
  }
  // Not `once`: execa's own handler, run while a tool runs, would find itself alone and end the process at once.
  for (const signal of signals) process.on(signal, interrupted)
  const isApart = ({ patient }: Scenario) => patient === true && !oneByOne
  const lanes = [chosen.filter(scenario => !isApart(scenario)), chosen.filter(isApart)]
  const first = (await Promise.all(lanes.map(lane => playAll(lane, logs)))).flat()
  const repeated = worthRepeating(first)
  const second = await playAll(
    chosen.filter(({ name }) => repeated.includes(name)),
    logs,
  )
  const rows = [...first.map(row => ({ ...row, isRepeated: repeated.includes(row.scenario) })), ...second]
  const order = chosen.map(({ name }) => name)
  rows.sort((a, b) => order.indexOf(a.scenario) - order.indexOf(b.scenario))
  const failures = rows.filter(row => !passed(row) && !row.isRepeated).length
  console.log(`\n${table(rows)}\n\n${chosen.length - failures} passed, ${failures} failed`)
  return failures === 0 ? 0 : 1
}

function readOptions(): Options | null {
  try {
    const { values, positionals } = parseArgs({
      options: {
        list: { type: 'boolean', default: false },
        representative: { type: 'boolean', default: false },
        'one-by-one': { type: 'boolean', default: false },
        logs: { type: 'string' },
      },
      allowPositionals: true,
    })
    const chosen = positionals.map(wanted =>
      scenarios.filter(({ name }) => (wanted.endsWith('-') ? name.startsWith(wanted) : name === wanted)),
    )
    if (chosen.some(some => some.length === 0)) return null
    const unnamed = scenarios.filter(({ name, long }) =>
      values.representative ? representative.has(name) : long !== true,
    )
    return {
      chosen: positionals.length === 0 ? unnamed : chosen.flat(),
      list: values.list,
      oneByOne: values['one-by-one'],
      logs: values.logs ?? null,
    }
  } catch {
    return null
  }
}

async function playAll(lane: readonly Scenario[], logs: string | null): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const scenario of lane) rows.push(await play(scenario, logs))
  return rows
}

/** Times are promised for a machine that has some to spare: what failed is played once more, alone, and both are shown. */
function worthRepeating(rows: readonly Row[]): readonly string[] {
  const failed = rows.filter(row => !passed(row)).map(({ scenario }) => scenario)
  return failed.length > repeatsMax ? [] : failed
}

async function play({ name, about, run }: Scenario, logs: string | null): Promise<Row> {
  console.log(`\n${name}: ${about}`)
  const scene = createScene(name, logs)
  playing.add(scene)
  let error: string | null = null
  try {
    await run(scene)
  } catch (thrown) {
    error = (thrown as Error).message
    console.log(`${name}  FAILED: ${error}`)
  }
  await scene.cleanup()
  playing.delete(scene)
  return { scenario: name, figures: scene.figures, error, isRepeated: false }
}

function interrupted(): void {
  void Promise.allSettled([...playing].map(scene => scene.cleanup())).finally(() => process.exit(130))
}
