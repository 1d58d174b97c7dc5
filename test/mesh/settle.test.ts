import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type HoldSource, holdsOf, ownHolds } from '../../src/mesh/claims.ts'
import { candidateAddress, usableHosts } from '../../src/mesh/derive.ts'
import { credulous } from '../../src/mesh/judgement.ts'
import { type ClaimRules, settle } from '../../src/mesh/settle.ts'
import { addressOf, type InterfaceAddress, type IpAddress, type Prefix } from '../../src/model/address.ts'
import { noClaims, type OwnClaims } from '../../src/model/claims.ts'
import {
  mesh,
  nodeId,
  overlayPrefix,
  segmentConfiguration,
  sure,
  tunnelConfiguration,
  vni,
  vtepOf,
  wallSeconds,
} from './world.ts'

const vteps = '192.168.228.0/24' as Prefix
const nothing = holdsOf([])

describe('claims', () => {
  it('are derived where they can be, chosen where they must be', () => {
    expect(settle(noClaims, nothing, rules(1), wallSeconds)).toMatchInlineSnapshot(`
      {
        "claims": {
          "overlay": [
            {
              "address": "192.168.102.25/24",
              "pinned": false,
              "since": 1795343400,
              "vni": 49371,
            },
            {
              "address": "fd88:43dc:bb57:32c9:675c:5f6:92c5:37bc/64",
              "pinned": false,
              "since": 0,
              "vni": 49371,
            },
          ],
          "vtep": {
            "address": "fd60:a1ff:9a6c:e826:675c:5f6:92c5:37bc",
            "pinned": false,
            "since": 0,
          },
        },
        "exhausted": [],
        "lost": [],
      }
    `)
  })

  it('are chosen in each prefix that has no pinned address', () => {
    const other = '10.5.0.0/16' as Prefix
    const segment = segmentConfiguration({
      prefixes: [other, overlayPrefix],
      addresses: ['192.168.102.1/24', 'fd01::1/64'] as InterfaceAddress[],
    })
    const { overlay } = settle(noClaims, nothing, rules(1, { segments: [segment] }), wallSeconds).claims
    expect(overlay.map(({ address, pinned }) => [address, pinned])).toEqual([
      [`${candidateAddress(nodeId(1), other, 0)}/16`, false],
      ['192.168.102.1/24', true],
      ['fd01::1/64', true],
    ])
  })

  it('are none where none are wanted', () => {
    const segments = [segmentConfiguration({ addresses: [] })]
    expect(settle(noClaims, nothing, rules(1, { segments }), wallSeconds).claims.overlay).toEqual([])
  })

  it('are only chosen once it is known what others hold', () => {
    const { claims } = settle(noClaims, nothing, rules(1, { mayChoose: false }), wallSeconds)
    expect(claims.vtep?.address).toBe(vtepOf(1))
    expect(claims.overlay.map(({ address }) => address)).toEqual([expect.stringMatching(/^fd88:/)])
    const ipv4 = rules(1, { mayChoose: false, tunnel: tunnelConfiguration({ prefix: vteps }) })
    expect(settle(noClaims, nothing, ipv4, wallSeconds).claims.vtep).toBeNull()
  })

  it('are kept, and are the same value when nothing changed', () => {
    const { claims } = settle(noClaims, nothing, rules(1), wallSeconds)
    expect(settle(claims, nothing, rules(1), wallSeconds + 1000).claims).toBe(claims)
    expect(settle(claims, nothing, rules(1, { mayChoose: false }), wallSeconds + 1000).claims).toBe(claims)
    const saved = JSON.parse(JSON.stringify(claims))
    expect(settle(saved, nothing, rules(1), wallSeconds + 1000).claims).toBe(saved)
  })

  it('pass over what others hold', () => {
    const first = candidateAddress(nodeId(1), overlayPrefix, 0)
    const taken = holdsOf([source(2, `${first}/24`, 1, false)])
    const { claims } = settle(noClaims, taken, rules(1), wallSeconds)
    expect(ipv4Of(claims)).toBe(`${candidateAddress(nodeId(1), overlayPrefix, 1)}/24`)
  })

  it.each<[string, number, boolean, boolean]>([
    ['an older automatic claim', wallSeconds - 1, false, true],
    ['a pinned claim', wallSeconds + 1, true, true],
    ['a claim as old of a higher id', wallSeconds, false, false],
    ['a younger automatic claim', wallSeconds + 1, false, false],
  ])('meet %s', (_, since, pinned, moves) => {
    const { claims } = settle(noClaims, nothing, rules(1), wallSeconds)
    const contested = sure(ipv4Of(claims))
    const after = settle(claims, holdsOf([source(2, contested, since, pinned)]), rules(1), wallSeconds + 60)
    expect(ipv4Of(after.claims) !== contested).toBe(moves)
    expect(after.lost).toEqual([])
  })

  it('that are pinned stay announced when they are lost, and come back', () => {
    const written = '192.168.102.9/24' as InterfaceAddress
    const pinned = rules(1, { segments: [segmentConfiguration({ addresses: [written] })] })
    const { claims } = settle(noClaims, nothing, pinned, wallSeconds)
    const older = holdsOf([source(2, written, wallSeconds - 1, true)])
    const lost = settle(claims, older, pinned, wallSeconds + 60)
    expect(lost.claims).toBe(claims)
    expect(lost.lost).toEqual([{ address: '192.168.102.9', vni, owner: nodeId(2), pinned: true }])
    expect(settle(lost.claims, nothing, pinned, wallSeconds + 99).lost).toEqual([])
  })

  it('of a pinned VTEP are told apart', () => {
    const address = '192.168.228.9' as IpAddress
    const pinned = rules(1, { tunnel: tunnelConfiguration({ prefix: vteps, address }) })
    const other: HoldSource = {
      node: nodeId(2),
      vtep: address,
      vtepClaim: { since: 1, pinned: true },
      left: false,
      segments: [],
    }
    const { claims, lost } = settle(noClaims, holdsOf([other]), pinned, wallSeconds)
    expect(claims.vtep).toEqual({ address, since: wallSeconds, pinned: true })
    expect(lost).toEqual([{ address, vni: null, owner: nodeId(2), pinned: true }])
  })

  it('end when a network is full, and say so', () => {
    const tiny = '192.168.102.0/30' as Prefix
    const full = holdsOf([source(2, '192.168.102.1/30', 1, false), source(3, '192.168.102.2/30', 1, false)])
    const { claims, exhausted } = settle(
      noClaims,
      full,
      rules(1, { segments: [segmentConfiguration({ prefixes: [tiny] })] }),
      wallSeconds,
    )
    expect(exhausted).toEqual([tiny])
    expect(ipv4Of(claims)).toBeUndefined()
  })

  it('follow the configuration', () => {
    const { claims } = settle(noClaims, nothing, rules(1), wallSeconds)
    const moved = rules(1, { segments: [segmentConfiguration({ prefixes: ['10.9.0.0/16' as Prefix] })] })
    expect(ipv4Of(settle(claims, nothing, moved, wallSeconds + 9).claims)).toMatch(/^10\.9\./)
    expect(settle(claims, nothing, rules(1, { segments: [] }), wallSeconds + 9).claims.overlay).toEqual([])
    const pinned = rules(1, {
      segments: [segmentConfiguration({ addresses: ['192.168.102.1/24' as InterfaceAddress] })],
    })
    const after = settle(claims, nothing, pinned, wallSeconds + 9).claims
    expect(after.overlay.map(({ address, pinned: isPinned }) => [address, isPinned])).toEqual([
      ['192.168.102.1/24', true],
      [expect.stringMatching(/^fd88:/), false],
    ])
  })
})

describe('nodes that claim at the same moment, blindly', () => {
  /** Each round everyone hears everyone's last word at once: the worst for whoever must move. */
  function play(nodes: readonly number[], prefix: Prefix, since: (node: number) => number) {
    const ruled = new Map(
      nodes.map(node => [node, rules(node, { segments: [segmentConfiguration({ prefixes: [prefix] })] })]),
    )
    const rule = (node: number) => sure(ruled.get(node))
    let claims = new Map(nodes.map(node => [node, settle(noClaims, nothing, rule(node), since(node)).claims]))
    for (let round = 1; ; round += 1) {
      const said = new Map(Array.from(claims, ([node, own]) => [node, ownHolds(nodeId(node), own)]))
      const next = new Map(
        Array.from(claims, ([node, own]) => {
          const others = [...said].flatMap(([other, holds]) => (other === node ? [] : holds))
          return [node, settle(own, holdsOf(others), rule(node), since(node) + round).claims]
        }),
      )
      if ([...next].every(([node, own]) => own === claims.get(node))) return { claims, rounds: round - 1 }
      claims = next
      if (round > nodes.length) return { claims, rounds: Number.POSITIVE_INFINITY }
    }
  }

  it('settle in as many rounds as there are nodes, whatever their clocks', () => {
    const nodes = fc.uniqueArray(fc.integer({ min: 1, max: 100_000 }), { minLength: 2, maxLength: 12 })
    fc.assert(
      fc.property(
        nodes,
        fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 12, maxLength: 12 }),
        (all, clocks) => {
          const clock = new Map(all.map((node, index) => [node, wallSeconds + (clocks[index] as number)]))
          const { claims, rounds } = play(all, '192.168.102.0/28' as Prefix, node => sure(clock.get(node)))
          expect(rounds).toBeLessThanOrEqual(all.length)
          const held = [...claims.values()].map(own => sure(ipv4Of(own)))
          expect(new Set(held).size).toBe(all.length)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('settle two by two at once, thousands of times', () => {
    const prefix = '192.168.102.0/29' as Prefix
    let collisions = 0
    for (let seed = 0; seed < 2000; seed += 1) {
      const pair = [seed * 2 + 1, seed * 2 + 2]
      const { claims, rounds } = play(pair, prefix, () => wallSeconds)
      if (rounds > 0) collisions += 1
      expect(rounds).toBeLessThanOrEqual(1)
      expect(new Set([...claims.values()].map(ipv4Of)).size).toBe(2)
    }
    // One in six or so meets in a network of six hosts; without any, this would prove nothing.
    expect(collisions).toBeGreaterThan(200)
  })

  it('fill a network to the last address', () => {
    const prefix = '192.168.102.0/27' as Prefix
    const { count } = usableHosts(prefix)
    const nodes = Array.from({ length: count }, (_, index) => index + 1)
    const { claims, rounds } = play(nodes, prefix, () => wallSeconds)
    expect(rounds).toBeLessThanOrEqual(count)
    expect(new Set([...claims.values()].map(own => addressOf(sure(ipv4Of(own))))).size).toBe(count)
  })
})

function rules(number: number, changes: Partial<ClaimRules> = {}): ClaimRules {
  return {
    node: nodeId(number),
    mesh,
    tunnel: tunnelConfiguration(),
    segments: [segmentConfiguration()],
    mayChoose: true,
    judgement: credulous,
    ...changes,
  }
}

function source(number: number, address: string, since: number, pinned: boolean): HoldSource {
  return {
    node: nodeId(number),
    vtep: vtepOf(number),
    vtepClaim: { since: 0, pinned: false },
    left: false,
    segments: [{ vni, addresses: [{ address: address as InterfaceAddress, since, pinned }] }],
  }
}

function ipv4Of(claims: OwnClaims): InterfaceAddress | undefined {
  return claims.overlay.find(({ address }) => !address.includes(':'))?.address
}
