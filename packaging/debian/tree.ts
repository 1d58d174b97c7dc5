import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  globSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { ProgramDescription } from '../../src/control/description.ts'
import { usage } from '../../src/host/arguments.ts'
import { root } from '../root.ts'
import type { Runtime } from '../runtime.ts'
import { changelog } from './changelog.ts'
import { bashCompletion, fishCompletion, zshCompletion } from './completions.ts'
import { copyright } from './copyright.ts'
import { configurationManual, controlManual, daemonManual } from './manuals.ts'

export interface Release {
  readonly version: string
  /** The time of everything in the package, seconds since 1970. */
  readonly epochSeconds: number
}

export interface Ingredients {
  readonly release: Release
  /** Where packaging/build.mjs left the bundles. */
  readonly bundles: string
  readonly runtime: Runtime
}

/** Fills a directory with everything as it is to be installed. */
export function plantTree(tree: string, { release, bundles, runtime }: Ingredients): void {
  const manual = { ...release, usage }
  cpSync(join(root, 'packaging/debian/tree'), tree, { recursive: true })
  const library = join(tree, 'usr/lib/lnetd')
  copyFileSync(runtime.binary, join(library, 'node'))
  // Without the line that makes it a command: in here the commands are /usr/sbin/lnetd and /usr/bin/lnetctl.
  for (const file of ['lnetd.js', 'lnetctl.js'])
    writeFileSync(join(library, file), readFileSync(join(bundles, file), 'utf8').replace(/^#!.*\n/, ''))
  const described = describeControl(join(bundles, 'lnetctl.js'))
  const sample = readFileSync(join(root, 'config/lnetd.yaml'), 'utf8')
  const plant = (path: string, content: string | Uint8Array) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), content)
  }
  plant('etc/lnetd/lnetd.yaml.example', sample)
  plant('usr/share/man/man8/lnetd.8.gz', squeeze(daemonManual(manual)))
  plant('usr/share/man/man8/lnetctl.8.gz', squeeze(controlManual(manual, described)))
  plant('usr/share/man/man5/lnetd.yaml.5.gz', squeeze(configurationManual(manual, sample)))
  plant('usr/share/bash-completion/completions/lnetctl', bashCompletion(described))
  plant('usr/share/zsh/vendor-completions/_lnetctl', zshCompletion(described))
  plant('usr/share/fish/vendor_completions.d/lnetctl.fish', fishCompletion(described))
  plant('usr/share/doc/lnetd/copyright', copyright(join(bundles, 'modules.json'), runtime))
  plant('usr/share/doc/lnetd/changelog.gz', squeeze(changelog(release)))
  plant('usr/share/doc/lnetd/README.md.gz', squeeze(readFileSync(join(root, 'README.md'))))
  setModes(tree)
}

function describeControl(bundle: string): ProgramDescription {
  return JSON.parse(
    execFileSync(process.execPath, [bundle, 'describe'], { encoding: 'utf8' }),
  ) as ProgramDescription
}

/** As `gzip -9n`: no name and no time inside. */
function squeeze(content: string | Uint8Array): Uint8Array {
  return gzipSync(content, { level: 9 })
}

/** Whatever the umask of the checkout and of the build was. */
function setModes(tree: string): void {
  const programs = ['usr/bin/', 'usr/sbin/', 'usr/lib/lnetd/']
  chmodSync(tree, 0o755)
  for (const entry of globSync('**', { cwd: tree })) {
    const path = join(tree, entry)
    const isProgram = programs.some(directory => entry.startsWith(directory)) && !entry.endsWith('.js')
    chmodSync(path, statSync(path).isDirectory() || isProgram ? 0o755 : 0o644)
  }
}
