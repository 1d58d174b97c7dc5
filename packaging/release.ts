// node packaging/release.ts VERSION [--dry-run]
//
// Makes a release of a clean tree: version, dated changelog, commit, packages, SBOM, SHA256SUMS, and the tag as the last step.
// `--dry-run` prints the steps and changes nothing.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './root.ts'

const { values, positionals } = parseArgs({
  options: { 'dry-run': { type: 'boolean', default: false } },
  allowPositionals: true,
})
const [version = ''] = positionals
if (positionals.length !== 1 || !/^\d+\.\d+\.\d+$/.test(version))
  fail('usage: VERSION [--dry-run], VERSION as 1.2.3')
if (git('status', '--porcelain') !== '') fail('the tree has changes: commit or stash them first')
if (git('tag', '--list', `v${version}`) !== '') fail(`the tag v${version} exists`)
const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
const heading = '## [Unreleased]\n'
if (!changelog.includes(heading)) fail('CHANGELOG.md has no section [Unreleased]')
const date = new Date().toISOString().slice(0, 10)
const out = join(root, 'dist', 'release')

const steps: readonly { readonly title: string; run(): void }[] = [
  {
    title: `set version ${version}`,
    run: () => npm('version', version, '--no-git-tag-version', '--allow-same-version'),
  },
  {
    title: `date [Unreleased] in CHANGELOG.md as [${version}] - ${date}`,
    run: () =>
      writeFileSync(
        join(root, 'CHANGELOG.md'),
        changelog.replace(heading, `${heading}\n## [${version}] - ${date}\n`),
      ),
  },
  {
    title: `commit "release: ${version}"`,
    run: () => git('commit', '--quiet', '--all', '--message', `release: ${version}`),
  },
  { title: 'build packages for amd64 and arm64', run: buildPackages },
  { title: 'write sbom.cdx.json', run: writeSbom },
  { title: 'write SHA256SUMS', run: writeSums },
  {
    title: `tag v${version}`,
    run: () => git('tag', '--annotate', `v${version}`, '--message', `lnet ${version}`),
  },
]
for (const { title, run } of steps) {
  console.log(values['dry-run'] ? `would ${title}` : title)
  if (!values['dry-run']) run()
}

function buildPackages(): void {
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  execFileSync(process.execPath, [join(root, 'packaging/package.ts'), '--out', out], { stdio: 'inherit' })
}

/** Of the lockfile, so that it names what the bundles are made of. */
function writeSbom(): void {
  const sbom = npm('sbom', '--package-lock-only', '--omit=dev', '--sbom-format=cyclonedx')
  writeFileSync(join(out, 'sbom.cdx.json'), sbom)
}

function writeSums(): void {
  const lines = readdirSync(out)
    .sort()
    .map(
      file =>
        `${createHash('sha256')
          .update(readFileSync(join(out, file)))
          .digest('hex')}  ${file}\n`,
    )
  writeFileSync(join(out, 'SHA256SUMS'), lines.join(''))
}

function git(...args: readonly string[]): string {
  return execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim()
}

function npm(...args: readonly string[]): string {
  return execFileSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
}

function fail(message: string): never {
  console.error(`release: ${message}`)
  process.exit(2)
}
