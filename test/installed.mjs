// Exits 0 when node_modules is what package-lock.json says. Runs on the machine's own Node, before ours is there.
import { readFileSync } from 'node:fs'

process.exit(installed() ? 0 : 1)

function installed() {
  const [manifest, lock, present] = [
    'package.json',
    'package-lock.json',
    'node_modules/.package-lock.json',
  ].map(read)
  if (!manifest || !lock || !present) return false
  // npm itself says what is wrong when these two differ.
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies']
  if (kinds.some(kind => JSON.stringify(manifest[kind]) !== JSON.stringify(lock.packages[''][kind])))
    return false
  return Object.entries(lock.packages).every(([path, wanted]) => {
    if (path === '') return true
    const found = present.packages[path]
    return found ? found.integrity === wanted.integrity : wanted.optional === true || wanted.peer === true
  })
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}
