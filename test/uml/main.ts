import { spawnSync } from 'node:child_process'
import { appendFileSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from '../lab/root.ts'
import { runJob } from './guest.ts'
import { parseSoakOptions, type SoakOptions, soakEnvironment } from './soak-options.ts'
import { type Suite, suites } from './suites.ts'

const usage = `npm run test:kernel -- [SUITE... | --all] [--nodes N] [--hours H] [--seed S]   options: of the suite soak
suites: ${suites.map(({ name, what }) => `${name} (${what})`).join('\n        ')}`

process.exitCode = await main()

/** Each suite in a guest of its own, one after the other; the counts are the last line. */
async function main(): Promise<number> {
  if (process.argv.includes('--help')) {
    console.log(usage)
    return 0
  }
  const asked = readArguments()
  if (typeof asked === 'string') {
    console.error(`uml: ${asked}\n${usage}`)
    return 2
  }
  const kernel = buildKernel()
  if (kernel === null) {
    console.log('0 passed, 1 failed')
    return 1
  }
  const results = mkdtempSync(join(tmpdir(), 'lnet-uml-'))
  const forget = () => rmSync(results, { recursive: true, force: true })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      forget()
      process.exit(130)
    })
  try {
    for (const suite of asked.suites) await runSuite(suite, asked.soak, kernel, results)
    return count(
      results,
      asked.suites.map(({ name }) => name),
    )
  } finally {
    forget()
  }
}

interface Arguments {
  readonly suites: readonly Suite[]
  readonly soak: SoakOptions
}

/** A sentence when they are wrong. */
function readArguments(): Arguments | string {
  const option = { type: 'string' } as const
  try {
    const {
      values: { all, ...values },
      positionals,
    } = parseArgs({
      options: { nodes: option, hours: option, seed: option, all: { type: 'boolean', default: false } },
      allowPositionals: true,
    })
    const unknown = positionals.filter(name => !suites.some(suite => suite.name === name))
    if (unknown.length > 0) return `there is no suite ${unknown.join(', ')}`
    const chosen = suites.filter(({ name, isDefault }) =>
      positionals.length === 0 ? isDefault || all : positionals.includes(name),
    )
    return { suites: chosen, soak: parseSoakOptions(values) }
  } catch (error) {
    return (error as Error).message
  }
}

/** Its path; null after what is missing has been said. */
function buildKernel(): string | null {
  const { status, stdout } = spawnSync('sh', [join(root, 'test/uml/build.sh')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  return status === 0 ? stdout.trim() : null
}

async function runSuite(suite: Suite, soak: SoakOptions, kernel: string, results: string): Promise<void> {
  console.log(`== ${suite.name}: ${suite.what}`)
  const began = performance.now()
  const directory = join(results, suite.name)
  mkdirSync(directory)
  const command = `${soakEnvironment(soak)} ${vitest(suite)}`
  const end = await runJob(kernel, { directory, command, secondsMax: suite.secondsMax(soak) })
  if ('broken' in end) console.log(`uml: ${end.broken}`)
  const outcome = 'exitCode' in end && end.exitCode === 0 ? 'ok' : 'failed'
  const report = join(directory, 'report.json')
  const reports = process.env.LNET_REPORTS
  if (existsSync(report)) {
    copyFileSync(report, join(results, `${suite.name}.json`))
    if (reports !== undefined) copyFileSync(report, join(reports, `guest-${suite.name}.json`))
  }
  appendFileSync(join(results, 'stages'), `${suite.name} ${outcome}\n`)
  console.log(`== ${suite.name}: ${outcome}, ${Math.round((performance.now() - began) / 1000)} s`)
}

function vitest({ files }: Suite): string {
  const reporters = '--reporter=verbose --reporter=json --outputFile.json=/job/report.json'
  const run =
    'LNET_LAB=all node_modules/.bin/vitest run --config test/vitest.config.ts --project lab --project uml'
  return `${run} ${reporters} ${files.join(' ')}`
}

function count(results: string, names: readonly string[]): number {
  const script = join(root, 'test/count.mjs')
  return spawnSync(process.execPath, [script, results, ...names], { stdio: 'inherit' }).status ?? 1
}
