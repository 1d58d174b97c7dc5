import { parseArgs } from 'node:util'
import { passed, type Row, table } from './figure.ts'
import { addressScenarios } from './scenarios/addresses.ts'
import { cableScenarios } from './scenarios/cables.ts'
import { cloneScenarios } from './scenarios/clones.ts'
import { daemonScenarios } from './scenarios/daemons.ts'
import { deathScenarios } from './scenarios/deaths.ts'
import { meddlingScenarios } from './scenarios/meddling.ts'
import { rebootScenarios } from './scenarios/reboots.ts'
import { splitScenarios } from './scenarios/splits.ts'
import { createScene, type Scenario } from './scene.ts'

const usage = `npm run chaos                 every scenario, one after the other
npm run chaos -- NAME...      these; a NAME that ends in - means all that begin so
npm run chaos -- --list       what there is
              --logs DIRECTORY  keeps what the daemons logged`

const scenarios: readonly Scenario[] = [
  ...daemonScenarios,
  ...rebootScenarios,
  ...addressScenarios,
  ...cableScenarios,
  ...splitScenarios,
  ...deathScenarios,
  ...meddlingScenarios,
  ...cloneScenarios,
]

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

process.exitCode = await main()

async function main(): Promise<number> {
  const options = readOptions()
  if (options === null) {
    console.error(usage)
    return 2
  }
  const { chosen, logs } = options
  if (chosen === 'list') {
    for (const { name, about } of scenarios) console.log(`${name.padEnd(26)} ${about}`)
    return 0
  }
  const rows: Row[] = []
  for (const scenario of chosen) rows.push(await play(scenario, logs))
  const failures = rows.filter(row => !passed(row)).length
  console.log(`\n${table(rows)}\n\n${rows.length - failures} passed, ${failures} failed`)
  return failures === 0 ? 0 : 1
}

function readOptions(): { chosen: readonly Scenario[] | 'list'; logs: string | null } | null {
  try {
    const { values, positionals } = parseArgs({
      options: { list: { type: 'boolean' }, logs: { type: 'string' } },
      allowPositionals: true,
    })
    const logs = values.logs ?? null
    if (values.list) return { chosen: 'list', logs }
    if (positionals.length === 0) return { chosen: scenarios, logs }
    const chosen = positionals.map(wanted =>
      scenarios.filter(({ name }) => (wanted.endsWith('-') ? name.startsWith(wanted) : name === wanted)),
    )
    return chosen.some(some => some.length === 0) ? null : { chosen: chosen.flat(), logs }
  } catch {
    return null
  }
}

async function play({ name, about, run }: Scenario, logs: string | null): Promise<Row> {
  console.log(`\n${name}: ${about}`)
  const scene = createScene(name, logs)
  const interrupted = () => {
    void scene.cleanup().finally(() => process.exit(130))
  }
  // Not `once`: execa's own handler, run while a tool runs, would find itself alone and end the process at once.
  for (const signal of signals) process.on(signal, interrupted)
  let error: string | null = null
  try {
    await run(scene)
  } catch (thrown) {
    error = (thrown as Error).message
    console.log(`${name}  FAILED: ${error}`)
  }
  await scene.cleanup()
  for (const signal of signals) process.off(signal, interrupted)
  return { scenario: name, figures: scene.figures, error }
}
