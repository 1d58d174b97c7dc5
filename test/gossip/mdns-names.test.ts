import { randomBytes } from 'node:crypto'
import { decode, encode, type Packet } from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { lanNames, oldServiceOf, recordsOf } from '../../src/gossip/mdns-names.ts'
import { nodeId } from '../mesh/world.ts'
import { meshKey, topic } from './mesh.ts'

const day = 20_787
const seconds = day * 86_400 + 4000
const names = lanNames(meshKey, () => seconds)
const answer = { node: nodeId(1), address: '/ip4/192.168.1.7/tcp/51821' }

describe('the name of a mesh on a LAN', () => {
  it('is another one each day, and known to who has the secret', () => {
    expect(names.today()).toBe(day)
    const week = Array.from({ length: 7 }, (_, index) => names.serviceOf(day + index))
    expect(new Set(week).size).toBe(7)
    expect(week.map(service => names.dayOf(service))).toEqual([0, 1, 2, 3, 4, 5, 6].map(each => day + each))
    expect(lanNames(randomBytes(32), () => seconds).dayOf(names.serviceOf(day))).toBeNull()
    expect(names.dayOf(oldServiceOf(topic))).toBeNull()
  })

  it('is read without an exception, whatever it is', () => {
    fc.assert(fc.property(fc.string(), text => names.dayOf(text) === null))
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...`0123456789abcdef`), maxLength: 40 }),
        text => names.dayOf(`_lnet-${text}._tcp.local`) === null,
      ),
    )
  })
})

describe('an answer', () => {
  it('is opened by who has the secret, on its day', () => {
    const sealed = names.seal(answer, day)
    expect(names.open(sealed, day)).toEqual(answer)
    expect(names.open(sealed, day + 1)).toBeNull()
    expect(lanNames(randomBytes(32), () => seconds).open(sealed, day)).toBeNull()
  })

  it('shows nothing that is the same on another day: no id, no name of the mesh', () => {
    const packet = (of: number) =>
      encode({ type: 'response', answers: recordsOf(names, answer, [of]) } as Packet).toString('latin1')
    const [today, tomorrow] = [packet(day), packet(day + 1)]
    for (const text of [today, tomorrow]) {
      for (const secret of [answer.node, answer.address, '51821', oldServiceOf(topic).slice(0, 22)])
        expect(text).not.toContain(secret)
    }
    const wordsOf = (text: string) => new Set(text.match(/[\da-f]{16}/g))
    expect([...wordsOf(today)].filter(word => wordsOf(tomorrow).has(word))).toEqual([])
    expect(decode(Buffer.from(today, 'latin1')).answers).toHaveLength(2)
  })

  it('that is damaged or of nobody is none', () => {
    const sealed = names.seal(answer, day)
    for (let index = 0; index < sealed.length; index += 1) {
      const damaged = Buffer.from(sealed)
      damaged[index] = (damaged[index] ?? 0) ^ 1
      expect(names.open(damaged, day)).toBeNull()
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), bytes => names.open(bytes, day) === null))
  })
})
