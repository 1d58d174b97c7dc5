import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.ts'

/** Where a Node runtime was unpacked. */
export interface Runtime {
  readonly binary: string
  readonly license: string
  readonly version: string
}

interface LockedPackage {
  readonly version: string
  readonly integrity: string
}

/**
 * Fetches npm's binary package of Node at the locked version, whatever this machine's architecture is, and refuses bytes
 * that are not those of the lockfile.
 */
export function fetchRuntime(name: string, directory: string): Runtime {
  mkdirSync(directory, { recursive: true })
  const { version, integrity } = locked(name)
  const pack = ['pack', '--silent', '--prefer-offline', '--pack-destination', directory, `${name}@${version}`]
  const said = execFileSync('npm', pack, { cwd: directory, encoding: 'utf8' })
  const archive = join(directory, said.trim().split('\n').at(-1) as string)
  const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
  if (found !== integrity)
    throw new Error(`${name}@${version} is ${found}, but the lockfile says ${integrity}`)
  execFileSync('tar', ['-xzf', archive, '-C', directory, 'package/bin/node', 'package/LICENSE'])
  const unpacked = join(directory, 'package')
  return { binary: join(unpacked, 'bin/node'), license: join(unpacked, 'LICENSE'), version }
}

/** The version of a package that the lockfile names. */
export function lockedVersion(name: string): string {
  return locked(name).version
}

function locked(name: string): LockedPackage {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>
  }
  const found = packages[`node_modules/${name}`]
  if (found === undefined) throw new Error(`the lockfile has no ${name}`)
  return found
}
