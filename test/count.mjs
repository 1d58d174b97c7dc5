// node test/count.mjs [--filtered] DIRECTORY SUITE...
// --filtered: tests were left out on purpose, as by -t NAME. Prints `N passed, N failed` of what a run left in DIRECTORY, and exits 1 unless everything ran and passed.
import { existsSync, readFileSync } from 'node:fs'

const given = process.argv.slice(2)
const isFiltered = given[0] === '--filtered'
const [directory, ...names] = isFiltered ? given.slice(1) : given
const stages = readFileSync(`${directory}/stages`, 'utf8')
  .trim()
  .split('\n')
  .map(line => ({ name: line.split(' ')[0], ok: line.endsWith(' ok') }))
const suites = names.map(name => ({ name, ...tally(`${directory}/${name}.json`) }))

for (const suite of suites) {
  console.log(`${suite.name}: ${suite.passed} passed, ${suite.failed} failed, ${suite.skipped} skipped`)
}
for (const stage of stages.filter(stage => !stage.ok)) console.log(`failed: ${stage.name}`)

const passed = sum(suites.map(suite => suite.passed))
// A skipped test proves nothing, and a stage that failed without a failed test (types, a crash) is a failure too.
const untold = stages.filter(
  stage => !stage.ok && !suites.some(suite => suite.name === stage.name && suite.failed > 0),
)
const failed = sum(suites.map(suite => suite.failed + (isFiltered ? 0 : suite.skipped))) + untold.length
const whole = suites.every(suite => suite.passed > 0)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 && whole ? 0 : 1)

function tally(file) {
  if (!existsSync(file)) return { passed: 0, failed: 0, skipped: 0 }
  const report = JSON.parse(readFileSync(file, 'utf8'))
  const outcomes = report.testResults.flatMap(result => result.assertionResults.map(test => test.status))
  // A file that could not be loaded has no tests to count.
  const broken = report.testResults.filter(
    result => result.status === 'failed' && !result.assertionResults.some(test => test.status === 'failed'),
  )
  return {
    passed: outcomes.filter(status => status === 'passed').length,
    failed: outcomes.filter(status => status === 'failed').length + broken.length,
    skipped: outcomes.filter(status => status !== 'passed' && status !== 'failed').length,
  }
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0)
}
