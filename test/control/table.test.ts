import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { actionPage, peerPage, planPage, statusPage } from '../../src/control/pages.ts'
import { statusView } from '../../src/control/status-view.ts'
import { layOut, peersTable } from '../../src/control/table.ts'
import { byteSize, clockTime, duration, painter, plural, printable } from '../../src/control/text.ts'
import { peersView } from '../../src/control/views.ts'
import type { InterfaceName } from '../../src/model/address.ts'
import type { NodeName } from '../../src/model/node.ts'
import { degraded } from '../../src/model/problem.ts'
import { candidate, member, mesh, nodeId, publicKey, snapshot, track } from './snapshots.ts'

process.env.TZ = 'UTC'

const plain = painter(false)
const dead = track(3, { grewAt: null, handshakeAt: null, receivedBytes: 0, sentBytes: 14_800 })
const three = snapshot([member(2), member(3)], [track(2, { receivedBytes: 5_000_000_000 }), dead])

describe('peersTable', () => {
  it('shows this node first, sizes as wg does, and never cuts off what has to be pasted', () => {
    expect(peersTable(peersView(three), true, plain)).toMatchInlineSnapshot(`
      "NAME   STATE  OVERLAY        VTEP           ENDPOINT                    HANDSHAKE        RX         TX   MTU  SEEN  VERSION  REASON
      node1  up     192.168.102.1  192.168.228.1  203.0.113.1:51820 (public)          -  4.66 GiB  18.36 KiB  1420     -  0.1.0    this node
      node2  up     192.168.102.2  192.168.228.2  203.0.113.2:51820 (public)       1min  4.66 GiB   3.91 KiB  1420    4s  0.1.0
      node3  down   192.168.102.3  192.168.228.3  203.0.113.3:51820 (public)      never       0 B  14.45 KiB  1420    4s  0.1.0    seen 4 s ago, never a handshake, 1 endpoint tried, silent, tried again later: is UDP 51820 blocked?
      "
    `)
  })

  it('can leave the header out', () => {
    const table = peersTable(peersView(three), false, plain)
    expect(table.split('\n')[0]).toMatch(/^node1 {2}up/)
  })

  it('is only a header when nothing is known', () => {
    const empty = peersView(snapshot([], [], { self: null }))
    expect(peersTable(empty, true, plain).split('\n')).toHaveLength(2)
    expect(peersTable(empty, false, plain)).toBe('')
  })

  it('shows the same columns in colour', () => {
    const coloured = peersTable(peersView(three), true, painter(true))
    expect(coloured).toContain('\u001b[31mdown\u001b[0m')
    expect(stripVTControlCharacters(coloured)).toBe(peersTable(peersView(three), true, plain))
  })

  it('lets nothing that was heard drive the terminal', () => {
    const software = '\u001b]0;owned\u0007\u202e'
    const name = 'evil\n\u009b31m' as NodeName
    const table = peersTable(peersView(snapshot([member(2, { name, software })])), true, plain)
    expect(table.split('\n')).toHaveLength(4)
    expect(table.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })
})

describe('layOut', () => {
  it('gives every line of a column the same start, and no line trailing blanks', () => {
    const cell = fc.string({ maxLength: 12 }).map(text => ({ text: `x${text}x`.replaceAll(' ', '.') }))
    const rows = fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(rows, table => {
        const lines = layOut(table, plain).split('\n').slice(0, -1)
        expect(lines).toHaveLength(table.length)
        const starts = lines.map(line => [...line.matchAll(/(?<= {2})x/g)].map(({ index }) => index))
        expect(new Set(starts.map(String)).size).toBe(1)
        expect(lines.filter(line => line.endsWith(' '))).toEqual([])
      }),
    )
  })
})

describe('peerPage', () => {
  it('shows everything known, keys in full', () => {
    const [, row] = peersView(three).peers
    const page = peerPage(row!, plain)
    expect(page).toContain(nodeId(3))
    expect(page).toContain(publicKey(3))
    expect(page).toMatchInlineSnapshot(`
      "name        node3
      state       down
      reason      seen 4 s ago, never a handshake, 1 endpoint tried, silent, tried again later: is UDP 51820 blocked?
      gossip      live, seen 4 s ago
      node        12D3KooWADAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
      public key  ADkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkA=
      vtep        192.168.228.3
      endpoint    203.0.113.3:51820 (public)
      handshake   never
      transfer    0 B received, 14.45 KiB sent
      tunnel mtu  1420
      version     0.1.0
      segment     vni 49371, vlnet0 here, MAC 02:00:00:00:00:03, in the flood list
                  192.168.102.3/24
                  fd00::3/64
      "
    `)
  })
})

describe('statusPage', () => {
  it('tells what a flood limit dropped', () => {
    const floods = [{ interface: 'vlnet0' as InterfaceName, droppedFrames: 42 }]
    const page = statusPage(statusView(snapshot([], [], { floods })), plain)
    expect(page).toContain('floods to 0 members, at most 10000 frames/s (42 dropped)\n')
  })

  it('is short when all is well', () => {
    expect(statusPage(statusView(snapshot([member(2)], [track(2)])), plain)).toMatchInlineSnapshot(`
      "mesh        00112233445566778899aabbccddeeff
      name        node1
      node        12D3KooWABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
      addresses   192.168.102.1/24 fd00::1/64
      vtep        192.168.228.1
      endpoints   203.0.113.1:51820 (public)
      state       ready
      lnetd       0.1.0, running for 1 h
      tunnel      lnet0 up, kernel WireGuard, port 51820, mtu 1420
      segment     vlnet0 up, vni 49371, port 4789, mtu 1370, floods to 1 member, at most 10000 frames/s
      members     1 up
      neighbours  none
      "
    `)
  })

  it('explains what is wrong', () => {
    const view = statusView({
      ...three,
      self: { ...three.self!, endpoints: [candidate('vps.example.org:51820', 'configured')] },
      dials: [
        {
          target: '203.0.113.9:51821',
          direction: 'outbound' as const,
          failures: 12,
          lastTriedAt: 3_590_000,
          error: 'x',
          answers: true,
          secretMayDiffer: true,
        },
        {
          target: '203.0.113.8:51821',
          direction: 'outbound' as const,
          failures: 1,
          lastTriedAt: 3_590_000,
          error: 'connection refused',
          answers: false,
          secretMayDiffer: false,
        },
      ],
      problems: [degraded('no-neighbour', '', 'nobody answers')],
    })
    expect(statusPage(view, plain)).toMatchInlineSnapshot(`
      "mesh        00112233445566778899aabbccddeeff
      name        node1
      node        12D3KooWABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
      addresses   192.168.102.1/24 fd00::1/64
      vtep        192.168.228.1
      endpoints   vps.example.org:51820 (configured)
      state       degraded
      lnetd       0.1.0, running for 1 h
      tunnel      lnet0 up, kernel WireGuard, port 51820, mtu 1420
      segment     vlnet0 up, vni 49371, port 4789, mtu 1370, floods to 2 members, at most 10000 frames/s
      members     1 up, 1 down
      neighbours  none
      node3 is down: seen 4 s ago, never a handshake, 1 endpoint tried, silent, tried again later: is UDP 51820 blocked?
      203.0.113.9:51821 is reachable, but the mesh secret may differ: compare mesh.secret_file on both (dialled 12 times in vain, last 10 s ago)
      203.0.113.8:51821 does not answer gossip: connection refused (dialled 1 time in vain, last 10 s ago)
      degraded: nobody answers
      "
    `)
  })

  it('says who dialled this node, and of nobody that it was dialled', () => {
    const dial = (target: string, failures: number, secretMayDiffer = false) => ({
      target,
      direction: 'inbound' as const,
      failures,
      lastTriedAt: 3_597_000,
      error: 'it dials this node',
      answers: secretMayDiffer,
      secretMayDiffer,
    })
    const strangers = [2, 3, 4, 5].map(host => dial(`from 192.0.2.${host}`, 5 * host))
    const dials = [dial('from 192.0.2.1', 1052), ...strangers, dial('from 203.0.113.9', 12, true)]
    const page = statusPage(statusView(snapshot([member(2)], [track(2)], { dials })), plain)
    expect(page.split('\n').slice(-3, -1)).toEqual([
      'was dialled 12 times from 203.0.113.9, last 3 s ago, in vain: a stranger, or a node with another mesh secret',
      'was dialled by strangers, who began no handshake (from 192.0.2.1 1052 times, from 192.0.2.2 10 times, from 192.0.2.3 15 times, and 2 more)',
    ])
  })

  it('says what a starting node waits for', () => {
    const view = statusView(snapshot([], [], { self: null, state: null, warm: false }))
    expect(statusPage(view, plain)).toMatchInlineSnapshot(`
      "mesh        00112233445566778899aabbccddeeff
      state       not ready: waiting for the first look at the kernel and this node to have an address to announce and the first word of the mesh
      lnetd       0.1.0, running for 1 h
      tunnel      none
      members     none yet
      neighbours  none
      "
    `)
  })

  it('names the members it cannot dial, as many as fit a screen', () => {
    const dials = Array.from({ length: 12 }, (_, index) => ({
      target: nodeId(index + 2),
      direction: 'outbound' as const,
      failures: 2,
      lastTriedAt: 3_599_000,
      error: 'timeout',
      answers: false,
      secretMayDiffer: false,
    }))
    const page = statusPage(statusView(snapshot([member(2)], [track(2)], { dials })), plain)
    expect(page).toContain(`node2 (${nodeId(2)}) does not answer gossip: timeout`)
    expect(page).toContain(`\n${nodeId(3)} does not answer gossip`)
    expect(page.split('\n').filter(line => line.includes('in vain'))).toHaveLength(10)
    expect(page).toContain('\nand 2 more do not answer gossip\n')
  })

  it('names some neighbours and counts all', () => {
    const neighbours = Array.from({ length: 15 }, (_, index) => ({
      node: nodeId(index + 2),
      address: '/ip4/203.0.113.2/tcp/51821',
      direction: 'outbound' as const,
    }))
    const lineOf = (count: number) =>
      statusPage(statusView(snapshot([member(2)], [], { neighbours: neighbours.slice(0, count) })), plain)
        .split('\n')
        .find(line => line.startsWith('neighbours'))
    expect(lineOf(2)).toBe(`neighbours  2: node2 ${nodeId(3)}`)
    expect(lineOf(15)).toMatch(/^neighbours {2}15: node2 .* and 3 more$/)
  })

  it('counts the members it does not name', () => {
    const members = Array.from({ length: 30 }, (_, index) => member(index + 2))
    expect(statusPage(statusView(snapshot(members)), plain)).toContain('and 10 more: see lnetctl peers\n')
  })
})

describe('planPage', () => {
  it('says so when there is nothing to change', () => {
    expect(planPage({ schema: 1, steps: [] })).toBe('nothing to change\n')
  })

  it('is one sentence a line', () => {
    const steps = [
      { kind: 'link.up', sentence: 'bring lnet0 up' },
      { kind: 'link.up', sentence: 'bring vlnet0 up' },
    ] as const
    expect(planPage({ schema: 1, steps })).toBe('bring lnet0 up\nbring vlnet0 up\n')
  })
})

describe('actionPage', () => {
  it.each([
    [
      'down',
      ['lnet0', 'vlnet0'],
      'removed lnet0 and vlnet0, lnetd ended; start it again to come back: systemctl start lnetd\n',
    ],
    [
      'leave',
      [],
      `said farewell to mesh ${mesh}, there was no device to remove, lnetd ended; start it again to come back: systemctl start lnetd\n`,
    ],
  ] as const)('%s', (action, removed, text) => {
    expect(actionPage({ schema: 1, action, mesh, removed, failures: [] })).toBe(text)
  })
})

describe('text', () => {
  it.each([
    [-3, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [7199, '1 h'],
    [86_400, '1 d'],
  ])('duration(%d)', (seconds, text) => {
    expect(duration(seconds)).toBe(text)
  })

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1485, '1.45 KiB'],
    [1024 ** 2, '1.00 MiB'],
    [1024 ** 6, '1024.00 PiB'],
  ])('byteSize(%d)', (bytes, text) => {
    expect(byteSize(bytes)).toBe(text)
  })

  it('writes times of another day with their date', () => {
    const noon = Date.UTC(2026, 0, 2, 12, 5) / 1000
    expect(clockTime(noon, noon + 60)).toBe('12:05')
    expect(clockTime(noon, noon + 86_400)).toBe('2026-01-02 12:05')
  })

  it('counts', () => {
    expect([plural(0, 'member'), plural(1, 'member'), plural(2, 'member')]).toEqual([
      '0 members',
      '1 member',
      '2 members',
    ])
  })

  it('leaves nothing in a text that a terminal obeys, and all that it shows', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const safe = printable(text)
        expect(safe).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
        if (!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)) expect(safe).toBe(text)
      }),
    )
  })
})
