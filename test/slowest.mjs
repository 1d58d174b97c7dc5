// node test/slowest.mjs DIRECTORY: the tests that took longest, of the reports a run left in DIRECTORY.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const shown = 20
const [directory] = process.argv.slice(2)
const tests = readdirSync(directory)
  .filter(file => file.endsWith('.json'))
  .flatMap(file => {
    const report = JSON.parse(readFileSync(join(directory, file), 'utf8'))
    const suite = file.replace(/\.json$/, '')
    return report.testResults.flatMap(({ assertionResults }) =>
      assertionResults.map(({ fullName, duration }) => ({
        suite,
        fullName,
        seconds: (duration ?? 0) / 1000,
      })),
    )
  })
tests.sort((a, b) => b.seconds - a.seconds)
console.log('slowest tests, seconds by the clock of their suite:')
for (const { suite, fullName, seconds } of tests.slice(0, shown))
  console.log(`${seconds.toFixed(1).padStart(7)}  ${suite}  ${fullName}`)
