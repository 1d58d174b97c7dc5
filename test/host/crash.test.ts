import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const crash = fileURLToPath(new URL('../../src/host/crash.ts', import.meta.url))

it('a core dump of a process with secrets, and of the tools it runs, holds no page of memory', () => {
  const program = `
    import { execFileSync } from 'node:child_process'
    import { keepMemoryOutOfCores } from ${JSON.stringify(crash)}
    keepMemoryOutOfCores()
    const read = file => execFileSync('cat', [file], { encoding: 'utf8' }).trim()
    console.log(read(\`/proc/\${process.pid}/coredump_filter\`), read('/proc/self/coredump_filter'))`
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  expect(said.trim()).toBe('00000000 00000000')
})
