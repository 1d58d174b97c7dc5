import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const built = mkdtempSync(join(tmpdir(), 'lnet-build-'))
const lone = mkdtempSync(join(tmpdir(), 'lnet-lone-'))
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

beforeAll(async () => {
  await execa(process.execPath, [join(root, 'packaging/build.mjs'), built])
  for (const command of ['lnetd', 'lnetctl'])
    copyFileSync(join(built, `${command}.js`), join(lone, `${command}.js`))
})

afterAll(() => {
  for (const directory of [built, lone]) rmSync(directory, { recursive: true })
})

/** Runs a command that was copied alone into an empty directory: no node_modules, no package.json beside it. */
function run(command: string, args: readonly string[]) {
  return execa(process.execPath, [join(lone, `${command}.js`), ...args], { cwd: lone, reject: false })
}

describe('the bundles', () => {
  it('run alone', async () => {
    const [daemon, control] = await Promise.all([
      run('lnetd', ['--version']),
      run('lnetctl', ['--socket', join(lone, 'none.sock'), 'version']),
    ])
    expect([daemon.stderr, daemon.exitCode, daemon.stdout]).toEqual(['', 0, expect.stringContaining(version)])
    expect([control.stderr, control.exitCode, control.stdout]).toEqual([
      '',
      0,
      expect.stringContaining(version),
    ])
  })

  it('bring every module with them, those for a terminal too', () => {
    for (const command of ['lnetd', 'lnetctl']) {
      const wanted = readFileSync(join(built, `${command}.js`), 'utf8').matchAll(/\brequire\("([^"]+)"\)/g)
      const outside = [...wanted].map(match => match[1] as string).filter(name => !isBuiltin(name))
      expect(outside).toEqual([])
    }
  })

  it('evaluate the library of X25519 only when it is used', () => {
    for (const command of ['lnetd', 'lnetctl']) {
      const text = readFileSync(join(built, `${command}.js`), 'utf8')
      const [, name] = /(\w+)=__esm\(\{"node_modules\/@stablelib\/x25519\/lib\/x25519\.js"/.exec(text) ?? []
      expect(name).toBeDefined()
      // Its only caller is the dynamic import.
      expect(text.split(`${name}()`)).toHaveLength(2)
      expect(text).toContain(`Promise.resolve().then(()=>(${name}(),`)
    }
  })

  it('are commands', () => {
    for (const command of ['lnetd', 'lnetctl']) {
      const file = join(built, `${command}.js`)
      expect(readFileSync(file, 'utf8').split('\n', 1)).toEqual(['#!/usr/bin/env node'])
      expect(statSync(file).mode & 0o777).toBe(0o755)
    }
  })

  it('say so when there is no daemon', async () => {
    const control = await run('lnetctl', ['--socket', join(lone, 'none.sock'), 'peers'])
    expect(control.exitCode).toBe(3)
    expect(control.stderr.split('\n')).toHaveLength(1)
  })
})
