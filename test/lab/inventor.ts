import { readFileSync } from 'node:fs'
import { sealEnvelope } from '../../src/gossip/envelope.ts'
import { createGossip } from '../../src/gossip/gossip.ts'
import { privateKeyOf } from '../../src/gossip/swarm.ts'
import { deriveMeshKeys, parseMeshSecret } from '../../src/host/secret.ts'
import { encodeAnnouncement } from '../../src/mesh/codec.ts'
import { hashDigest } from '../../src/mesh/sync.ts'
import type { HostPort } from '../../src/model/address.ts'
import { madeUp, seedOf } from './made-up.ts'

/**
 * A member with the mesh secret that tells a node of so many others, none of which is there:
 * inventor.ts SECRET-FILE NODE-ADDRESS COUNT ENDPOINT. It says `told` when it has told of them, and stays.
 */
const [secretFile, address, count, place] = process.argv.slice(2) as [string, string, string, string]
const secret = parseMeshSecret(readFileSync(secretFile, 'utf8').trim())
if (secret === null) throw new Error('no secret')
const { meshId, networkKey } = deriveMeshKeys(secret, null)
const started = await createGossip(
  {
    identitySeed: seedOf('inventor'),
    networkKey,
    topic: `/lnet/1/${meshId}`,
    port: 51_821,
    bootstrap: [{ kind: 'host', place: `${address}:51821` as HostPort }],
    mdns: false,
    resolve: () => Promise.reject(new Error('no names here')),
    isInside: () => false,
    now: () => performance.now(),
    wallSeconds: () => Math.floor(Date.now() / 1000),
    random: Math.random,
  },
  {
    announced: () => ({ kind: 'accept' }),
    refused: () => undefined,
    sync: { setHash: () => hashDigest([]), digest: () => [], envelopes: () => [], admit: () => undefined },
    candidates: () => [],
    twinMet: () => undefined,
    neighboursChanged: () => undefined,
    synced: () => undefined,
  },
)
if (!started.ok) throw new Error(JSON.stringify(started.failure))
while (started.value.neighbours().length === 0) await new Promise(resolve => setTimeout(resolve, 100))
await new Promise(resolve => setTimeout(resolve, 1000))
for (let index = 0; index < Number(count); index += 1) {
  const seed = seedOf(`fake ${index}`)
  await started.value.publish(
    await sealEnvelope(
      privateKeyOf(seed),
      encodeAnnouncement(madeUp(meshId, seed, index, `${place}:${51_820 + index}`)),
    ),
  )
}
process.stdout.write('told\n')
setInterval(() => undefined, 1000)
