import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openKeyring } from '../../src/host/keyring.ts'
import { initialise } from '../../src/host/setup.ts'
import { openStore, type Store } from '../../src/host/store.ts'
import { noClaims } from '../../src/model/claims.ts'
import { sentenceOf } from '../../src/model/explanation.ts'

/** What happens on a file system that fills up; run on one of its own. Prints one JSON object. */
const directory = process.argv[2] as string
const state = join(directory, 'state')
const filler = join(directory, 'filler')
const members = Array.from({ length: 30 }, () => ({
  envelope: new Uint8Array(1000),
  ageMilliseconds: 0,
  handshakeAt: null,
}))

const store = await open()
const before = await store.saveState({
  incarnation: 1,
  claims: noClaims,
  keys: null,
  holders: {},
  forgotten: new Map(),
})
fill()
const full = {
  state: await store.saveState({
    incarnation: 2,
    claims: noClaims,
    keys: null,
    holders: {},
    forgotten: new Map(),
  }),
  members: await store.saveMembers(members),
  keyring: await openKeyring(state),
  init: await initialise({ configPath: join(directory, 'etc', 'lnetd.yaml') }),
}
await store.close()
const whileFull = await open()
await whileFull.close()
const leftovers = readdirSync(directory, { recursive: true }).filter(name =>
  /new|lock|etc/.test(String(name)),
)
rmSync(filler)
const later = await open()
const after = await later.saveState({
  incarnation: 3,
  claims: noClaims,
  keys: null,
  holders: {},
  forgotten: new Map(),
})
process.stdout.write(
  JSON.stringify({ before, full, reopenedFull: whileFull.saved, leftovers, kept: later.saved, after }),
)

async function open(): Promise<Store> {
  const opened = await openStore(state, { wallSeconds: () => 1_000_000 })
  if (!opened.ok) throw new Error(sentenceOf(opened.failure))
  return opened.value
}

function fill(): void {
  try {
    for (;;) writeFileSync(filler, Buffer.alloc(512), { flag: 'a' })
  } catch {
    // Full, as wanted.
  }
}
