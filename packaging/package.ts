// node packaging/package.ts [--version VERSION] [--out DIRECTORY] [ARCHITECTURE...]   (default: dist, amd64 arm64)
//
// Builds lnetd_VERSION_ARCHITECTURE.deb. The same commit gives the same bytes: the contents come from the lockfile, and
// every time is the commit's. Either architecture builds on either: the runtime is npm's binary package.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Architecture, architectures, buildDeb } from './debian/deb.ts'
import { plantTree, type Release } from './debian/tree.ts'
import { root } from './root.ts'
import { fetchRuntime } from './runtime.ts'

// The tools that build look at modes as they find them.
process.umask(0o022)
const { values, positionals } = parseArgs({
  options: { version: { type: 'string' }, out: { type: 'string' } },
  allowPositionals: true,
})
const asked = positionals.length === 0 ? Object.keys(architectures) : positionals
const unknown = asked.filter(name => !(name in architectures))
if (unknown.length > 0)
  fail(`there is no architecture ${unknown.join(', ')}: ${Object.keys(architectures).join(', ')}`)
const out = resolve(values.out ?? join(root, 'dist'))
const release: Release = {
  version: values.version ?? manifestVersion(),
  epochSeconds: Number(process.env.SOURCE_DATE_EPOCH ?? commitSeconds()),
}
const work = mkdtempSync(join(tmpdir(), 'lnet-package-'))
try {
  mkdirSync(out, { recursive: true })
  const bundles = join(work, 'bundles')
  execFileSync(process.execPath, [join(root, 'packaging/build.mjs'), bundles], {
    stdio: 'inherit',
  })
  for (const architecture of asked as Architecture[]) {
    const runtime = fetchRuntime(architectures[architecture], join(work, 'runtime', architecture))
    const tree = join(work, architecture)
    plantTree(tree, { release, bundles, runtime })
    console.log(buildDeb(tree, { release, architecture, out }))
  }
} finally {
  rmSync(work, { recursive: true, force: true })
}

function manifestVersion(): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version
}

function commitSeconds(): string {
  return execFileSync('git', ['-C', root, 'log', '-1', '--format=%ct'], { encoding: 'utf8' }).trim()
}

function fail(message: string): never {
  console.error(`package: ${message}`)
  process.exit(2)
}
