import { openStore } from '../../src/host/store.ts'
import { noClaims } from '../../src/model/claims.ts'
import { sentenceOf } from '../../src/model/explanation.ts'

/** Writes states and memberships until it is killed; each file says which round it is of. */
const opened = await openStore(process.argv[2] as string, { wallSeconds: () => 1_000_000 })
if (!opened.ok) throw new Error(sentenceOf(opened.failure))
const store = opened.value
process.stdout.write('ready\n')
for (let round = store.saved.incarnation + 1; ; round += 1) {
  const envelope = new Uint8Array(1 + (round % 200)).fill(round % 256)
  const members = Array.from({ length: 1 + (round % 50) }, () => ({
    envelope,
    ageMilliseconds: round,
    handshakeAt: null,
  }))
  const results = await Promise.all([
    store.saveState({ incarnation: round, claims: noClaims, keys: null, holders: {}, forgotten: new Map() }),
    store.saveMembers(members),
  ])
  for (const result of results) if (!result.ok) throw new Error(sentenceOf(result.failure))
}
