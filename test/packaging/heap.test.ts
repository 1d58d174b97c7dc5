import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { membersMax } from '../../src/model/limits.ts'
import { nodeAsPackaged } from '../lab/as-packaged.ts'

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
