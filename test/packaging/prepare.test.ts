import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { root } from '../../packaging/root.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lnet-prepare-'))
  for (const place of ['etc/lnetd', 'var/lib/lnetd', 'bin', 'victim'])
    mkdirSync(join(directory, place), { recursive: true })
  chmodSync(join(directory, 'etc/lnetd'), 0o755)
  writeFileSync(join(directory, 'etc/lnetd/lnetd.yaml'), '', { mode: 0o600 })
})
afterEach(() => rmSync(directory, { recursive: true }))

/** Runs the script on a tree of its own, where this user is root and `chown` is a script. Answers what chown was given. */
function prepare(chown: string): readonly string[] {
  const log = join(directory, 'log')
  writeFileSync(log, '')
  const recorder = [
    '#!/bin/sh',
    chown,
    'for each; do',
    '  case $each in',
    `    */*) echo "$(readlink -f "$(dirname "$each")")/$(basename "$each")" >>${log} ;;`,
    '  esac',
    'done',
    '',
  ]
  writeFileSync(join(directory, 'bin/chown'), recorder.join('\n'), { mode: 0o755 })
  const script = readFileSync(join(root, 'packaging/debian/tree/usr/lib/lnetd/prepare'), 'utf8')
    .replaceAll(/\/etc\/(?=lnetd|default)/g, `${directory}/etc/`)
    .replaceAll('/var/lib/lnetd', `${directory}/var/lib/lnetd`)
    .replaceAll('! -user lnetd', '! -user nobody')
    .replaceAll(/= 0 \]/g, `= ${process.getuid?.()} ]`)
  execFileSync('sh', ['-c', script], {
    env: { PATH: `${directory}/bin:/usr/bin:/bin` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter(line => line !== '')
}

describe('what prepares a start, as root', () => {
  it('gives secrets of root and a former daemon to lnetd', () => {
    writeFileSync(join(directory, 'etc/lnetd/mesh.secret'), '', { mode: 0o600 })
    writeFileSync(join(directory, 'etc/lnetd/open.secret'), '', { mode: 0o644 })
    writeFileSync(join(directory, 'var/lib/lnetd/state.json'), '')
    const given = prepare('')
    for (const path of [
      'etc/lnetd/lnetd.yaml',
      'etc/lnetd/mesh.secret',
      'var/lib/lnetd',
      'var/lib/lnetd/state.json',
    ])
      expect(given).toContain(join(directory, path))
    expect(given).not.toContain(join(directory, 'etc/lnetd/open.secret'))
  })

  it('follows no directory that was swapped for a link meanwhile', () => {
    const state = join(directory, 'var/lib/lnetd/sub')
    mkdirSync(state)
    writeFileSync(join(state, 'file'), '')
    writeFileSync(join(directory, 'victim/file'), '')
    const given = prepare(
      `case $* in *file*) mv ${state} ${state}.old && ln -s ${directory}/victim ${state} ;; esac`,
    )
    expect(given.filter(path => path.includes('victim'))).toEqual([])
  })

  it.each([
    [
      'a link',
      () => {
        rmSync(join(directory, 'etc/lnetd'), { recursive: true })
        symlinkSync(join(directory, 'victim'), join(directory, 'etc/lnetd'))
        writeFileSync(join(directory, 'victim/lnetd.yaml'), '', { mode: 0o600 })
      },
    ],
    ['open to others', () => chmodSync(join(directory, 'etc/lnetd'), 0o777)],
  ])('leaves a configuration alone whose directory is %s', (_, change) => {
    change()
    expect(prepare('').filter(path => path.endsWith('lnetd.yaml'))).toEqual([])
  })
})
