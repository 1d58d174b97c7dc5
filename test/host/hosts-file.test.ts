import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createHostsFile, putNames, readNames } from '../../src/host/hosts-file.ts'
import type { IpAddress } from '../../src/model/address.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import { formatHosts } from '../../src/model/hosts.ts'
import type { NodeName } from '../../src/model/node.ts'
import { testDirectory } from './directory.ts'

const names = [{ address: '192.168.102.7' as IpAddress, name: 'gauss' as NodeName }]

describe('the names lnetd keeps', () => {
  it('are there as long as there are some', async () => {
    const path = join(testDirectory(), 'hosts')
    const file = createHostsFile(path)
    expect((await file.keep('')).ok).toBe(true)
    expect(existsSync(path)).toBe(false)
    expect(await readNames(path)).toEqual({ ok: true, value: null })
    expect((await file.keep(formatHosts(names))).ok).toBe(true)
    expect(statSync(path).mode & 0o777).toBe(0o644)
    expect(await readNames(path)).toEqual({ ok: true, value: names })
    // Who watches the file has to be told that they are gone.
    expect((await file.keep('')).ok).toBe(true)
    expect(await readNames(path)).toEqual({ ok: true, value: [] })
  })

  it('say in one sentence when they cannot be kept', async () => {
    const kept = await createHostsFile(join(testDirectory(), 'absent', 'hosts')).keep('x')
    expect(!kept.ok && sentenceOf(kept.failure)).toMatch(/cannot write .* \(no such file or directory\)/)
  })
})

describe('the hosts file', () => {
  it('takes the names, keeps its mode and its bytes, and gives them back', async () => {
    const path = join(testDirectory(), 'hosts')
    const bytes = Buffer.from([0x31, 0xff, 0xfe, 0x0d, 0x0a])
    writeFileSync(path, bytes)
    chmodSync(path, 0o604)
    expect(await putNames(path, names)).toEqual({ ok: true, value: true })
    expect(await putNames(path, names)).toEqual({ ok: true, value: false })
    expect(readFileSync(path).subarray(0, bytes.length)).toEqual(bytes)
    expect(readFileSync(path, 'latin1')).toContain('\n192.168.102.7 gauss.lnet\n')
    expect(statSync(path).mode & 0o777).toBe(0o604)
    expect(await putNames(path, [])).toEqual({ ok: true, value: true })
    expect(readFileSync(path)).toEqual(bytes)
  })

  it('is made where there is none, and something to put into it', async () => {
    const path = join(testDirectory(), 'hosts')
    expect(await putNames(path, [])).toEqual({ ok: true, value: false })
    expect(existsSync(path)).toBe(false)
    expect(await putNames(path, names)).toEqual({ ok: true, value: true })
    expect(statSync(path).mode & 0o777).toBe(0o644)
  })

  it('is left alone where it is none', async () => {
    const directory = testDirectory()
    const path = join(directory, 'hosts')
    writeFileSync(join(directory, 'real'), '')
    symlinkSync('real', path)
    const put = await putNames(path, names)
    expect(!put.ok && sentenceOf(put.failure)).toContain('is not a regular file (it is left alone)')
    expect(readFileSync(join(directory, 'real'), 'utf8')).toBe('')
  })
})
