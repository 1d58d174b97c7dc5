import { PassThrough } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { type Look, ratesBetween, sumOfRates } from '../../src/control/rates.ts'
import { openScreen } from '../../src/control/screen.ts'
import { painter } from '../../src/control/text.ts'
import { topText } from '../../src/control/top-view.ts'
import { peersView } from '../../src/control/views.ts'
import type { NodeName } from '../../src/model/node.ts'
import { member, publicKey, snapshot, track } from './snapshots.ts'

const plain = painter(false)

/** Members 2, 3, ... with what each tunnel has received and sent. */
function look(at: number, counters: readonly (readonly [number, number])[], changes = {}): Look {
  const numbers = counters.map((_, index) => index + 2)
  const tracks = counters.map(([receivedBytes, sentBytes], index) =>
    track(index + 2, { receivedBytes, sentBytes }),
  )
  const members = numbers.map(number => member(number, changes))
  return { at, view: peersView(snapshot(members, tracks)) }
}

describe('rates', () => {
  it('are what two looks differ by, a second, the busiest first', () => {
    const before = look(1000, [
      [0, 0],
      [500, 100],
    ])
    const after = look(3000, [
      [2000, 0],
      [8500, 300],
    ])
    const rows = ratesBetween(before, after)
    expect(rows.map(row => [row.name, row.rx_bytes_per_second, row.tx_bytes_per_second])).toEqual([
      ['node3', 4000, 100],
      ['node2', 1000, 0],
    ])
    expect(sumOfRates(rows)).toEqual({ rx: 5000, tx: 100 })
  })

  it('are unknown at first, of a member that is new, and of one whose key changed', () => {
    const after = look(2000, [
      [10, 10],
      [20, 20],
    ])
    const unknown = (before: Look | null) =>
      ratesBetween(before, after)
        .filter(row => row.rx_bytes_per_second === null && row.tx_bytes_per_second === null)
        .map(row => row.name)
    expect(unknown(null)).toEqual(['node2', 'node3'])
    expect(sumOfRates(ratesBetween(null, after))).toEqual({ rx: null, tx: null })
    expect(unknown(look(1000, [[10, 10]]))).toEqual(['node3'])
    const rekeyed = look(1000, [[10, 10]], { publicKey: publicKey(9) })
    expect(unknown(rekeyed)).toEqual(['node2', 'node3'])
  })

  it('are never negative or without bound, whatever the counters do', () => {
    const counter = fc.nat({ max: 2 ** 40 })
    const pair = fc.tuple(counter, counter)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(pair, pair), { maxLength: 5 }),
        fc.integer({ min: 1, max: 10_000 }),
        (pairs, ms) => {
          const before = look(
            0,
            pairs.map(([was]) => was),
          )
          const after = look(
            ms,
            pairs.map(([, is]) => is),
          )
          const rows = ratesBetween(before, after)
          expect(rows.map(({ name }) => name).sort()).toEqual(after.view.peers.map(({ name }) => name))
          for (const { rx_bytes, rx_bytes_per_second: rate } of rows) {
            expect(rate).toBeGreaterThanOrEqual(0)
            expect(rate).toBeLessThanOrEqual(Math.round(rx_bytes / (ms / 1000)))
          }
        },
      ),
    )
  })
})

describe('the table of top', () => {
  const before = look(0, [
    [0, 0],
    [0, 0],
    [0, 0],
  ])
  const after = look(2000, [
    [4096, 2048],
    [0, 0],
    [0, 600],
  ])
  const rows = ratesBetween(before, after)

  it('has the sums above, and what matters most at the left', () => {
    expect(topText(after.view, rows, null, { columns: 200, rows: 50 }, plain)).toMatchInlineSnapshot(`
      "node1: 3 others, 3 up, receiving 2.00 KiB, sending 1.29 KiB

      NAME   STATE         RX/s         TX/s  HANDSHAKE  GOSSIP  OVERLAY        ENDPOINT                    VTEP
      node2  up        2.00 KiB     1.00 KiB       1min  live    192.168.102.2  203.0.113.2:51820 (public)  192.168.228.2
      node4  up             0 B        300 B       1min  live    192.168.102.4  203.0.113.4:51820 (public)  192.168.228.4
      node3  up             0 B          0 B       1min  live    192.168.102.3  203.0.113.3:51820 (public)  192.168.228.3
      "
    `)
  })

  it.each([10, 40, 80, 200])('never is wider than %i columns, in colour too', columns => {
    const text = topText(after.view, rows, 'x'.repeat(300), { columns, rows: 50 }, painter(true))
    for (const line of stripVTControlCharacters(text).split('\n'))
      expect(line.length).toBeLessThanOrEqual(columns)
    expect(stripVTControlCharacters(text)).toBe(
      topText(after.view, rows, 'x'.repeat(300), { columns, rows: 50 }, plain),
    )
  })

  it.each([1, 4, 5, 6, 7])('never is higher than %i lines or says how many are left out', height => {
    const text = topText(after.view, rows, null, { columns: 80, rows: height }, plain)
    const lines = text.trimEnd().split('\n')
    expect(lines.length).toBeLessThanOrEqual(Math.max(4, height))
    const left = 3 - lines.filter(line => line.startsWith('node') && !line.startsWith('node1:')).length
    expect(text.includes('more')).toBe(left > 0)
    if (left > 0) expect(text).toContain(`and ${left} more`)
  })

  it('tells why it is not of now, and lets nothing drive the terminal', () => {
    const evil = look(0, [[0, 0]], { name: 'evil\n\u009b31m' as NodeName })
    const text = topText(evil.view, ratesBetween(null, evil), 'no\u001b[2J daemon', null, plain)
    expect(text).toContain('no?[2J daemon')
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})

describe('the screen', () => {
  function fakes() {
    const raw: boolean[] = []
    const input = Object.assign(new PassThrough(), {
      isTTY: true,
      setRawMode: (mode: boolean) => raw.push(mode),
    }) as unknown as ReadStream & PassThrough
    const output = Object.assign(new PassThrough(), { columns: 80, rows: 24 }) as unknown as WriteStream &
      PassThrough
    return { raw, input, output, written: () => String(output.read() ?? '') }
  }

  it.each(['q', '\u0003', '\u001b'])('is given back once %j is pressed', async key => {
    const { raw, input, output, written } = fakes()
    const screen = openScreen(input, output)
    expect(raw).toEqual([true])
    screen.draw('one\ntwo\n')
    const drawn = written()
    expect(drawn.startsWith('\u001b[?1049h')).toBe(true)
    expect(drawn.endsWith('two\u001b[K\u001b[J')).toBe(true)
    input.write('x')
    input.write(key)
    await vi.waitUntil(() => screen.left.aborted)
    expect(raw).toEqual([true, false])
    expect(written()).toBe('\u001b[?25h\u001b[?1049l')
    screen.draw('late')
    screen.close()
    expect(written()).toBe('')
  })
})
