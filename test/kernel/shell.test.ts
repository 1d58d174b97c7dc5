import { queryObjects } from 'node:v8'
import { expect, it, vi } from 'vitest'
import { createShell } from '../../src/kernel/shell.ts'

vi.mock('../../src/model/limits.ts', async original => ({
  ...(await original<typeof import('../../src/model/limits.ts')>()),
  toolSecondsMax: 1,
  toolOutputBytesMax: 100_000,
}))

const environment = { PATH: process.env.PATH ?? '' }
const said = (stdout: string) => ({ stdout, stderr: '', exitCode: 0, signal: null, trouble: null })
const sh = (script: string) => ['sh', '-c', script]

it('runs one tool after the other, in one shell', async () => {
  const shell = createShell(environment)
  const parent = () => shell.run(sh('echo $PPID'), '/dev/null')
  const [first, second] = await Promise.all([parent(), parent()])
  expect(first?.stdout).toMatch(/^\d+\n$/)
  expect(second).toEqual(first)
})

it('hands every word over as it is', async () => {
  const words = ["it's", '"$HOME"', 'a b', '*', '`id`', '\\', '', '\n', 'ä']
  const { stdout } = await createShell(environment).run(['printf', '%s|', ...words], '/dev/null')
  expect(stdout).toBe(`${words.join('|')}|`)
})

it('keeps apart what a tool says and what it complains about', async () => {
  const ending = await createShell(environment).run(sh('printf out; printf err >&2; exit 7'), '/dev/null')
  expect(ending).toEqual({ stdout: 'out', stderr: 'err', exitCode: 7, signal: null, trouble: null })
})

it.each([
  ['hangs', 'sleep 60', 'timed-out'],
  ['never stops talking', 'yes', 'too-much'],
  ['ends the shell itself', 'kill -KILL $PPID', 'shell-ended'],
])('outlives a tool that %s', async (_, script, trouble) => {
  const shell = createShell(environment)
  const [broken, next] = await Promise.all([
    shell.run(sh(script), '/dev/null'),
    shell.run(['echo', 'on'], '/dev/null'),
  ])
  expect(broken).toMatchObject({ exitCode: null, trouble: { kind: trouble } })
  expect(next).toEqual(said('on\n'))
})

it('ends what a hanging tool started', async () => {
  const shell = createShell(environment)
  await shell.run(sh('sleep 4321 & sleep 4321; true'), '/dev/null')
  const { stdout } = await shell.run(sh('pgrep -x -f "sleep 4321" || echo none'), '/dev/null')
  expect(stdout).toBe('none\n')
})

it('keeps nothing of a tool that ended', async () => {
  const shell = createShell(environment)
  const runMany = async () => {
    for (let times = 0; times < 50; times += 1) await shell.run(['true'], '/dev/null')
    // Collects what nobody holds before it counts.
    return queryObjects(Promise, { format: 'count' })
  }
  const before = await runMany()
  expect((await runMany()) - before).toBeLessThan(25)
})
