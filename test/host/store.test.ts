import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { encode } from 'cborg'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatMembers, parseMembers } from '../../src/host/saved-members.ts'
import { formatState, parseState } from '../../src/host/saved-state.ts'
import { openStore, type SavedState, type Store } from '../../src/host/store.ts'
import type { InterfaceAddress, IpAddress } from '../../src/model/address.ts'
import { noClaims } from '../../src/model/claims.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import { envelopeBytesMax, setAsideFilesMax, stateFileBytesMax } from '../../src/model/limits.ts'
import type { Vni } from '../../src/model/segment.ts'
import { testDirectory } from './directory.ts'

const clock = { wallSeconds: () => 1_800_000_000 }
const state: SavedState = {
  incarnation: 41,
  keys: { node: '12D3KooWExample', publicKey: 'AAAA' },
  holders: {},
  forgotten: new Map(),
  claims: {
    vtep: { address: '192.168.228.166' as IpAddress, since: 1_700_000_000, pinned: true },
    overlay: [
      {
        vni: 49_371 as Vni,
        address: '192.168.102.7/24' as InterfaceAddress,
        since: 1_700_000_001,
        pinned: false,
      },
      { vni: 49_371 as Vni, address: 'fd00::7/64' as InterfaceAddress, since: 1_700_000_002, pinned: false },
    ],
  },
}
const members = [
  { envelope: new Uint8Array([1, 2, 3]), ageMilliseconds: 5000, handshakeAt: 1_700_000_003 },
  { envelope: new Uint8Array(envelopeBytesMax), ageMilliseconds: 0, handshakeAt: null },
]

describe('the store', () => {
  it('starts empty', async () => {
    const store = await open(testDirectory())
    expect(store).toMatchObject({ saved: { incarnation: 0, claims: noClaims }, members: [], notes: [] })
    await store.close()
  })

  it('gives back what was saved', async () => {
    const directory = testDirectory()
    const store = await open(directory)
    expect(await store.saveState(state)).toEqual({ ok: true })
    expect(await store.saveMembers(members)).toEqual({ ok: true })
    await store.close()
    const again = await open(directory)
    expect(again).toMatchObject({ saved: state, members, notes: [] })
    await again.close()
    expect(readdirSync(directory).sort()).toEqual(['members.cbor', 'state.json'])
    expect(statSync(join(directory, 'state.json')).mode & 0o777).toBe(0o600)
  })

  it('makes members older by the time since, never younger', async () => {
    const bytes = formatMembers(members, 1000)
    expect(parseMembers(bytes, 1060)).toMatchObject({
      value: [{ ageMilliseconds: 65_000 }, { ageMilliseconds: 60_000 }],
    })
    expect(parseMembers(bytes, 10)).toMatchObject({ value: members })
  })

  it('reads members as an older lnetd wrote them, which kept no handshakes', () => {
    const older = encode(
      new Map<number, unknown>([
        [0, 1],
        [1, 1000],
        [2, [[new Uint8Array([1]), 5]]],
      ]),
    )
    expect(parseMembers(older, 1000)).toMatchObject({
      kind: 'whole',
      value: [{ ageMilliseconds: 5, handshakeAt: null }],
    })
  })

  it('writes what was asked for last, last', async () => {
    const directory = testDirectory()
    const store = await open(directory)
    await Promise.all(
      Array.from({ length: 20 }, (_, round) => store.saveState({ ...state, incarnation: round })),
    )
    await store.close()
    const again = await open(directory)
    expect(again.saved.incarnation).toBe(19)
    await again.close()
  })
})

describe('a damaged file', () => {
  it.each(['state.json', 'members.cbor'])('%s is set aside, told about, and done without', async name => {
    const directory = await savedDirectory()
    const path = join(directory, name)
    truncateSync(path, statSync(path).size - 5)
    const rest = readFileSync(path)
    const store = await open(directory)
    expect(store.notes).toMatchObject([{ code: 'state-set-aside', subject: name, severity: 'notice' }])
    expect(store.notes[0]?.what).toContain(`${path}.corrupt-1`)
    expect(readFileSync(`${path}.corrupt-1`)).toEqual(rest)
    if (name === 'state.json') expect(store).toMatchObject({ saved: { incarnation: 0 }, members })
    else expect(store).toMatchObject({ saved: state, members: [] })
    await store.close()
  })

  it('is kept a few times and no more', async () => {
    const directory = testDirectory()
    for (let round = 1; round <= setAsideFilesMax + 4; round += 1) {
      writeFileSync(join(directory, 'state.json'), `damage ${round}`)
      await (await open(directory)).close()
    }
    const kept = readdirSync(directory).filter(name => name.includes('.corrupt-'))
    expect(kept).toHaveLength(setAsideFilesMax)
    expect(readFileSync(join(directory, `state.json.corrupt-${setAsideFilesMax + 4}`), 'utf8')).toContain(
      'damage 7',
    )
  })

  it.each([
    ['empty', ''],
    ['zeroes', '\0'.repeat(300)],
    ['another JSON', '[]'],
    ['without a version', '{"incarnation":1}'],
    ['a negative number', '{"version":1,"incarnation":-1,"claims":{"vtep":null,"overlay":[]}}'],
    ['a number too big', '{"version":1,"incarnation":1e300,"claims":{"vtep":null,"overlay":[]}}'],
    [
      'a bad address',
      '{"version":1,"incarnation":1,"claims":{"vtep":{"address":"x","since":1,"pinned":true},"overlay":[]}}',
    ],
    ['deep nesting', '['.repeat(100_000)],
    ['far too big', ' '.repeat(stateFileBytesMax + 1)],
  ])('may be %s', async (_, text) => {
    const directory = testDirectory()
    writeFileSync(join(directory, 'state.json'), text)
    const store = await open(directory)
    expect(store.notes).toHaveLength(1)
    await store.close()
  })

  it('never gets through as a whole one: every prefix of a file is damaged', () => {
    const stateBytes = formatState(state)
    const memberBytes = formatMembers(members.slice(0, 1), 1)
    // The last byte of the JSON is its line end.
    for (let length = 0; length < stateBytes.length - 1; length += 1)
      expect(parseState(stateBytes.subarray(0, length)).kind).toBe('damaged')
    for (let length = 0; length < memberBytes.length; length += 1)
      expect(parseMembers(memberBytes.subarray(0, length), 1).kind).toBe('damaged')
  })

  it('never gets through as another one: every flipped bit is found, or changes nothing', () => {
    const bytes = formatState(state)
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Uint8Array.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      const parsed = parseState(flipped)
      if (parsed.kind !== 'damaged') expect(parsed).toEqual({ kind: 'whole', value: state })
    }
  })

  it('never throws, whatever its bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.json().map(text => new Uint8Array(Buffer.from(text))),
      fc.anything().map(value => {
        try {
          return encode(
            new Map([
              [0, 1],
              [1, 5],
              [2, value],
            ] as [number, unknown][]),
          )
        } catch {
          return new Uint8Array()
        }
      }),
    )
    fc.assert(
      fc.property(bytes, value => {
        expect(['whole', 'damaged', 'newer']).toContain(parseState(value).kind)
        expect(['whole', 'damaged', 'newer']).toContain(parseMembers(value, 9).kind)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a file of a newer lnetd', () => {
  it('is left alone, and the start refused', async () => {
    const directory = testDirectory()
    writeFileSync(join(directory, 'state.json'), '{"version":2,"whatever":true}')
    const refusal = {
      ok: false,
      failure: {
        what: expect.stringContaining('newer lnetd'),
        remedy: expect.stringContaining('upgrade'),
      },
    }
    expect(await openStore(directory, clock)).toMatchObject(refusal)
    expect(readdirSync(directory)).toEqual(['state.json'])
  })

  it('is set aside where the mesh tells all of it again: one wrong bit looks the same', async () => {
    const directory = await savedDirectory()
    writeFileSync(join(directory, 'members.cbor'), encode(new Map([[0, 2]])))
    const store = await open(directory)
    expect(store.members).toEqual([])
    expect(store.saved).toEqual(state)
    expect(store.notes).toMatchObject([
      { subject: 'members.cbor', what: expect.stringContaining('newer lnetd') },
    ])
    await store.close()
  })
})

describe('the lock', () => {
  it('keeps a second one out while the first is there', async () => {
    const directory = testDirectory()
    const store = await open(directory)
    expect(await openStore(directory, clock)).toMatchObject({
      ok: false,
      failure: { what: expect.stringContaining(`process ${process.pid}`) },
    })
    await store.close()
    await (await open(directory)).close()
  })

  it('is nobody’s when its process is dead, was another one, or ran before the last boot', async () => {
    const directory = testDirectory()
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)
    for (const name of [`${boot}.4194305.1`, `${boot}.1.987654321`, '00000000.1.0'])
      writeFileSync(join(directory, `lnetd.lock.${name}`), '')
    await (await open(directory)).close()
    expect(readdirSync(directory)).toEqual([])
  })

  it('is one process’s, however many start at once', async () => {
    const directory = testDirectory()
    const writers = Array.from({ length: 4 }, () => startWriter(directory))
    const outcomes = await Promise.all(writers.map(({ outcome }) => outcome))
    expect(outcomes.filter(outcome => outcome === 'ready')).toHaveLength(1)
    await Promise.all(writers.map(({ kill }) => kill()))
    await (await open(directory)).close()
  })
})

describe('a writer that is killed', () => {
  const kills = Number(process.env.STORE_KILLS ?? 60)

  it(`${kills} times at any point leaves whole files`, {
    timeout: 10_000 * Math.max(60, kills),
  }, async () => {
    const directories = [testDirectory(), testDirectory()]
    const rounds = await Promise.all(directories.map(directory => killAgainAndAgain(directory, kills / 2)))
    // It got on between the kills, or nothing was tried at all.
    for (const round of rounds) expect(round).toBeGreaterThan(kills / 12)
  })
})

async function killAgainAndAgain(directory: string, kills: number): Promise<number> {
  let reached = 0
  let milliseconds = 12
  for (let kill = 0; kill < kills; kill += 1) {
    const writer = startWriter(directory)
    expect(await writer.outcome).toBe('ready')
    await sleep(randomInt(0, milliseconds))
    await writer.kill()
    const store = await open(directory)
    expect(store.notes).toEqual([])
    expect(store.saved.incarnation).toBeGreaterThanOrEqual(reached)
    expect(new Set(store.members.map(({ ageMilliseconds }) => ageMilliseconds)).size).toBeLessThan(2)
    // On a busy machine it may not have written anything yet.
    milliseconds = store.saved.incarnation > reached ? 12 : milliseconds * 2
    reached = store.saved.incarnation
    await store.close()
  }
  return reached
}

function startWriter(directory: string) {
  const child = spawn(process.execPath, ['test/host/store-writer.ts', directory], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()))
  const ready = new Promise<'ready'>(resolve => child.stdout.once('data', () => resolve('ready')))
  return {
    outcome: Promise.race([ready, ended.then(() => 'refused' as const)]),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function savedDirectory(): Promise<string> {
  const directory = testDirectory()
  const store = await open(directory)
  await store.saveState(state)
  await store.saveMembers(members)
  await store.close()
  return directory
}

async function open(directory: string): Promise<Store> {
  const opened = await openStore(directory, clock)
  if (!opened.ok) throw new Error(sentenceOf(opened.failure))
  return opened.value
}
