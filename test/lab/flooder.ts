import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { deriveMeshKeys, parseMeshSecret } from '../../src/host/secret.ts'
import { floods, isFloodKind } from './floods.ts'
import { createIntruder } from './intruder.ts'

/**
 * A member with the mesh secret that sends a node as much of one kind as it can, on a new connection whenever one ends:
 * flooder.ts SECRET-FILE NODE-ADDRESS KIND. It says `floods` when it begins, and never ends.
 */
const [secretFile, address, kind] = process.argv.slice(2) as [string, string, string]
const secret = parseMeshSecret(readFileSync(secretFile, 'utf8').trim())
if (secret === null || !isFloodKind(kind)) throw new Error('no secret, or no such kind')
const keys = deriveMeshKeys(secret, null)
const intruder = await createIntruder(keys, `/ip4/${address}/tcp/51821`, kind)
const flood = floods[kind](keys.meshId)
process.on('uncaughtException', () => undefined)
process.on('unhandledRejection', () => undefined)
let said = false
for (;;) {
  try {
    const visit = await intruder.visit()
    if (!said) process.stdout.write('floods\n')
    said = true
    await flood(visit)
  } catch {
    // The node hung up: again.
  }
  await sleep(10)
}
