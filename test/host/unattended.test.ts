import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfiguration } from '../../src/host/config.ts'
import { initialise, makeToken } from '../../src/host/setup.ts'
import { setUpFromEnvironment } from '../../src/host/unattended.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import { testDirectory } from './directory.ts'

async function token(): Promise<string> {
  const configPath = join(testDirectory(), 'lnetd.yaml')
  await initialise({ configPath })
  const made = await makeToken({ configPath, bootstrap: ['203.0.113.7'] })
  if (!made.ok) throw new Error(sentenceOf(made.failure))
  return made.value
}

describe('LNETD_TOKEN', () => {
  it('makes a configuration where there is none, and is gone from the environment', async () => {
    const configPath = join(testDirectory(), 'etc', 'lnetd.yaml')
    const environment = { LNETD_TOKEN: `${await token()}\n`, PATH: '/bin' }
    const written = await setUpFromEnvironment(environment, configPath)
    expect(written).toEqual({ ok: true, value: [join(configPath, '../mesh.secret'), configPath] })
    expect(environment).toEqual({ PATH: '/bin' })
    const loaded = await loadConfiguration(configPath)
    expect(loaded.ok && loaded.configuration.bootstrap[0]).toEqual({
      kind: 'host',
      place: '203.0.113.7:51821',
    })
  })

  it('leaves a configuration as it is, and goes from the environment all the same', async () => {
    const configPath = join(testDirectory(), 'lnetd.yaml')
    writeFileSync(configPath, 'mine')
    const environment = { LNETD_TOKEN: await token() }
    expect(await setUpFromEnvironment(environment, configPath)).toEqual({ ok: true, value: [] })
    expect(environment).toEqual({})
    expect(readFileSync(configPath, 'utf8')).toBe('mine')
  })

  it('does nothing when it is not set', async () => {
    const configPath = join(testDirectory(), 'lnetd.yaml')
    expect(await setUpFromEnvironment({}, configPath)).toEqual({ ok: true, value: [] })
    expect(existsSync(configPath)).toBe(false)
  })

  it('is refused when it is empty, rather than passed over', async () => {
    const configPath = join(testDirectory(), 'lnetd.yaml')
    const refused = await setUpFromEnvironment({ LNETD_TOKEN: ' \n' }, configPath)
    expect(!refused.ok && sentenceOf(refused.failure)).toContain('LNETD_TOKEN is empty')
    expect(existsSync(configPath)).toBe(false)
  })

  it('is refused without being shown when it is none', async () => {
    const configPath = join(testDirectory(), 'lnetd.yaml')
    const refused = await setUpFromEnvironment({ LNETD_TOKEN: 'lnet1-hunter2' }, configPath)
    expect(refused.ok).toBe(false)
    expect(JSON.stringify(refused)).not.toContain('hunter2')
  })
})
