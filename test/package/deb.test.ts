import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { execa } from 'execa'
import { afterAll, describe, expect, it } from 'vitest'
import { node24, root } from '../lab/root.ts'
import { must } from './given.ts'

const deb = must('LNET_DEB')
const again = mkdtempSync(join(tmpdir(), 'lnet-package-again-'))
afterAll(() => rmSync(again, { recursive: true }))

describe('the package', () => {
  it('is made of the same bytes again, wherever the sources are, whatever the zone, the locale and the umask', async () => {
    const build = `mount --bind "$1" /mnt && umask 077 && exec "$0" /mnt/packaging/package.ts --out "$2" amd64`
    const env = { TZ: 'Pacific/Auckland', LC_ALL: 'C' }
    await execa('unshare', ['--mount', 'sh', '-c', build, node24, root, again], { cwd: '/', env })
    expect(digest(join(again, basename(deb)))).toBe(digest(deb))
  })

  it('has nothing that lintian finds and no override explains', async () => {
    const { stdout, exitCode } = await execa('lintian', ['--allow-root', '--fail-on', 'error,warning', deb], {
      reject: false,
    })
    expect([stdout, exitCode]).toEqual(['', 0])
  })

  it('holds the runtime of its own architecture', async () => {
    const machines = { [deb]: 62, [must('LNET_DEB_ARM')]: 183 }
    for (const [file, machine] of Object.entries(machines)) {
      const elf = await execa(
        'sh',
        ['-c', 'dpkg-deb --fsys-tarfile "$0" | tar -xO ./usr/lib/lnetd/node | head -c 20', file],
        { encoding: 'buffer' },
      )
      // e_machine (elf.h): EM_X86_64 is 62, EM_AARCH64 is 183.
      expect(Buffer.from(elf.stdout).readUInt16LE(18)).toBe(machine)
    }
  })
})

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}
