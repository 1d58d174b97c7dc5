import { parseArgs } from 'node:util'
import { stories } from './stories.ts'
import { type Story, StoryFailure, tellStory } from './story.ts'
import { formatLine } from './trace.ts'

const usage = `Usage: npm run sim -- [--seeds N] [--seed S] [--nodes N] [--story NAME] [--log]

  --seeds N     tell every story under N seeds, from --seed on (default 10)
  --seed S      the first seed (default 1); alone: only this one
  --nodes N     how many nodes a story has (default: each story's own)
  --story NAME  only this story; may be given more than once
  --log         print what the daemons log

`

let current = ''
process.on('unhandledRejection', error => fail(`${current}: ${error instanceof Error ? error.stack : error}`))
await main()

async function main(): Promise<void> {
  const { values } = parseArguments()
  if (values.help === true) return void process.stdout.write(usage + list())
  const chosen = chooseStories(values.story ?? [])
  const first = whole(values.seed ?? '1', '--seed')
  const seeds = whole(values.seeds ?? (values.seed === undefined ? '10' : '1'), '--seeds')
  const nodes = values.nodes === undefined ? null : whole(values.nodes, '--nodes')
  let failures = 0
  for (const story of chosen)
    for (let seed = first; seed < first + seeds; seed += 1)
      if (!(await tellOne(story, seed, nodes ?? story.nodes, values.log === true))) failures += 1
  process.stdout.write(failures === 0 ? 'all stories end well\n' : `${failures} stories end badly\n`)
  process.exitCode = failures === 0 ? 0 : 1
}

async function tellOne(story: Story, seed: number, nodes: number, log: boolean): Promise<boolean> {
  current = `story ${story.name}, seed ${seed}, ${nodes} nodes`
  const began = performance.now()
  try {
    const { findings, worldSeconds, digest } = await tellStory(story, seed, nodes, sim => {
      if (log) sim.trace.listen(line => process.stdout.write(`${formatLine(line)}\n`))
    })
    const seconds = (performance.now() - began) / 1000
    const memory = Math.round(process.memoryUsage().rss / 2 ** 20)
    const found = Object.entries(findings).map(([name, value]) => `${name} ${show(value)}`)
    const line = [`seed ${seed}`, `${nodes} nodes`, ...found, `${worldSeconds.toFixed(0)} s in the world`]
    const cost = [`${seconds.toFixed(1)} s`, `${memory} MB`, digest.slice(0, 8)]
    process.stdout.write(`ok   ${story.name.padEnd(20)} ${[...line, ...cost].join(', ')}\n`)
    return true
  } catch (error) {
    if (!(error instanceof StoryFailure)) throw error
    process.stdout.write(`FAIL ${error.message}\n`)
    return false
  }
}

function show(value: number | string): string {
  return typeof value === 'string' ? value : `${Number(value.toFixed(2))} s`
}

function parseArguments() {
  try {
    return parseArgs({
      options: {
        seeds: { type: 'string' },
        seed: { type: 'string' },
        nodes: { type: 'string' },
        story: { type: 'string', multiple: true },
        log: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    })
  } catch (error) {
    return fail((error as Error).message)
  }
}

function chooseStories(wanted: readonly string[]): readonly Story[] {
  const unknown = wanted.find(name => !stories.some(story => story.name === name))
  if (unknown !== undefined) fail(`there is no story ${unknown}\n${list()}`)
  return wanted.length === 0 ? stories : stories.filter(({ name }) => wanted.includes(name))
}

function list(): string {
  return stories.map(({ name, about }) => `  ${name.padEnd(20)} ${about}\n`).join('')
}

function whole(text: string, option: string): number {
  const value = Number(text)
  return Number.isSafeInteger(value) && value > 0 ? value : fail(`${option} wants a whole number above zero`)
}

function fail(message: string): never {
  process.stderr.write(`sim: ${message}\n`)
  process.exit(2)
}
