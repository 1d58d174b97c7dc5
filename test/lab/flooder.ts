import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { deriveMeshKeys, parseMeshSecret } from '../../src/host/secret.ts'
import { type FloodKind, floods } from './floods.ts'
import { createIntruder, type Intruder } from './intruder.ts'

/**
 * A member with the mesh secret that sends a node as much as it can, of each kind for so long, and on a new connection
 * whenever one ends: flooder.ts SECRET-FILE NODE-ADDRESS SECONDS KIND... It says each kind when it begins with it, and `end`.
 */
const [secretFile, address, seconds, ...kinds] = process.argv.slice(2) as [
  string,
  string,
  string,
  ...FloodKind[],
]
const secret = parseMeshSecret(readFileSync(secretFile, 'utf8').trim())
if (secret === null) throw new Error('no secret')
const keys = deriveMeshKeys(secret, null)
// The node hangs up in the middle of whatever is sent.
process.on('uncaughtException', () => undefined)
process.on('unhandledRejection', () => undefined)
for (const kind of kinds) await flood(kind)
process.stdout.write('end\n')
process.exit(0)

async function flood(kind: FloodKind): Promise<void> {
  const intruder = await createIntruder(keys, `/ip4/${address}/tcp/51821`, kind)
  process.stdout.write(`${kind}\n`)
  const until = performance.now() + Number(seconds) * 1000
  while (performance.now() < until)
    await Promise.race([visit(intruder, kind), sleep(until - performance.now())])
  await intruder.end()
}

async function visit(intruder: Intruder, kind: FloodKind): Promise<void> {
  try {
    await floods[kind](keys.meshId)(await intruder.visit())
  } catch {
    // The node hung up: again.
  }
  await sleep(10)
}
