// node packaging/check-node.ts
//
// Fails when the Node of the package lags behind: a newer release of its line is out for more than a week. It asks the npm
// registry, and fails, saying so, when that does not answer. Changes nothing. The last line counts.
import { execFileSync } from 'node:child_process'
import { architectures } from './debian/deb.ts'
import { overdueRelease, type Published, releaseDaysMax } from './node-release.ts'
import { lockedVersion } from './runtime.ts'

const names = Object.values(architectures)
const wrong = [...names.map(check), ...differing()].filter(sentence => sentence !== null)
for (const sentence of wrong) console.error(`check-node: ${sentence}`)
console.log(wrong.length === 0 ? '1 passed, 0 failed' : '0 passed, 1 failed')
process.exitCode = wrong.length === 0 ? 0 : 1

function check(name: string): string | null {
  const bundled = lockedVersion(name)
  const published = ask(name)
  if (typeof published === 'string')
    return `the npm registry does not answer: ${published}; run it again with a connection`
  const newer = overdueRelease(bundled, published, new Date())
  if (newer !== null)
    return `${name} ${bundled} is behind: ${newer} is out for more than ${releaseDaysMax} days; raise it in package.json and run npm install --package-lock-only --omit-lockfile-registry-resolved`
  console.log(`${name} ${bundled} is no more than ${releaseDaysMax} days behind`)
  return null
}

/** One release for every architecture. */
function differing(): readonly string[] {
  const versions = new Set(names.map(lockedVersion))
  return versions.size === 1 ? [] : [`the runtimes differ: ${[...versions].join(', ')}`]
}

/** A text: why there is no answer. Three tries, because a registry may be busy for a moment. */
function ask(name: string): Published | string {
  let reason = ''
  for (let tries = 0; tries < 3; tries += 1)
    try {
      const view = ['view', name, 'versions', 'time', '--json', '--prefer-online']
      const said = execFileSync('npm', view, {
        encoding: 'utf8',
        timeout: 60_000,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      return JSON.parse(said) as Published
    } catch (error) {
      reason =
        (error as Error).message
          .split('\n')
          .filter(line => line !== '')
          .at(-1) ?? ''
    }
  return reason
}
