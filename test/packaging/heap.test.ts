import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { membersMax } from '../../src/model/limits.ts'
import { nodeAsPackaged } from '../lab/as-packaged.ts'

const hostile = fileURLToPath(new URL('hostile-bytes.ts', import.meta.url))
const program = fileURLToPath(new URL('full-house.ts', import.meta.url))

it('decides over as many members as are taken in, with the heap the package gives', {
  timeout: 60_000,
}, () => {
  const [file = '', ...args] = nodeAsPackaged('lnetd')
  const said = execFileSync(file, [...args, program, String(membersMax)], { encoding: 'utf8' })
  const { members, steps, stepsAgain } = JSON.parse(said) as Record<string, number>
  expect(members).toBe(membersMax)
  expect(steps).toBeGreaterThan(membersMax)
  expect(stepsAgain).toBe(0)
})

it('reads no message, whatever is in it, for longer than 100 ms or with more than 8 MiB', {
  timeout: 120_000,
}, () => {
  const [file = '', ...args] = nodeAsPackaged('lnetd')
  const flags = ['--expose-gc', '--max-old-space-size=64']
  const said = execFileSync(file, [...args, ...flags, hostile], { encoding: 'utf8' })
  const told = JSON.parse(said) as { milliseconds: number; heapBytes: number; messages: number }
  expect(told.messages).toBeGreaterThan(250)
  expect(told.milliseconds, said).toBeLessThan(100)
  expect(told.heapBytes, said).toBeLessThan(8 * 1024 * 1024)
})
