import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { metricsText } from '../../src/control/metrics.ts'
import type { InterfaceName } from '../../src/model/address.ts'
import { metricsMembersMax } from '../../src/model/limits.ts'
import type { NodeId, NodeName } from '../../src/model/node.ts'
import { degraded, problemCodes } from '../../src/model/problem.ts'
import { member, nodeId, publicKey, snapshot, track, wallSeconds } from './snapshots.ts'

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Reads the text by the format's own rules: https://prometheus.io/docs/instrumenting/exposition_formats/ */
function samplesOf(text: string): readonly Sample[] {
  const line = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?\d+)$/
  return text
    .split('\n')
    .filter(each => each !== '' && !each.startsWith('#'))
    .map(each => {
      const [, name, labels = '', value] = line.exec(each) ?? []
      if (name === undefined) throw new Error(`not a sample: ${each}`)
      return { name, labels: labelsIn(labels), value: Number(value) }
    })
}

function labelsIn(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/([a-z]+)="((?:[^"\\]|\\.)*)"/g)]
  const plain = (value: string) =>
    value.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter))
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, plain(value)]))
}

const text = metricsText(
  snapshot(
    [member(2), member(3), member(4, { left: true }), member(5)],
    [track(2), track(3, { grewAt: null, handshakeAt: null }), track(4)],
    { problems: [degraded('no-neighbour', '', 'alone')] },
  ),
)
const samples = samplesOf(text)

function valuesOf(name: string): readonly (readonly [string, number])[] {
  return samples
    .filter(sample => sample.name === name)
    .map(({ labels, value }) => [Object.values(labels)[0] ?? '', value])
}

describe('the metrics', () => {
  it('explain each name once, before its samples, and repeat no series', () => {
    const told = [...text.matchAll(/^# HELP (\S+) \S.*\n# TYPE (\S+) (gauge|counter)\n(\S+?)[ {]/gm)]
    expect(told.map(([, ...names]) => new Set([names[0], names[1], names[3]]).size)).toEqual(
      told.map(() => 1),
    )
    expect(text.match(/^#/gm)).toHaveLength(2 * told.length)
    expect(new Set(samples.map(({ name }) => name))).toEqual(new Set(told.map(([, name]) => name)))
    expect(new Set(samples.map(({ name, labels }) => name + JSON.stringify(labels))).size).toBe(
      samples.length,
    )
    expect(text.endsWith('\n')).toBe(true)
  })

  it('are named by the convention', () => {
    for (const [, name = '', kind] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      expect(name).toMatch(/^lnet(_[a-z]+)+$/)
      expect(name.endsWith('_total')).toBe(kind === 'counter')
    }
  })

  it('count members by state, and name those that did not leave', () => {
    expect(valuesOf('lnet_members')).toEqual([
      ['up', 1],
      ['unknown', 1],
      ['down', 1],
      ['left', 1],
    ])
    expect(valuesOf('lnet_member_up')).toEqual([
      ['node2', 1],
      ['node3', 0],
      ['node5', 0],
    ])
  })

  it('have no counter that would seem to begin anew, and no handshake that never was', () => {
    expect(valuesOf('lnet_member_receive_bytes_total')).toEqual([
      ['node2', 2000],
      ['node3', 3000],
    ])
    expect(valuesOf('lnet_member_transmit_bytes_total')).toEqual([
      ['node2', 4000],
      ['node3', 6000],
    ])
    expect(valuesOf('lnet_member_last_handshake_timestamp_seconds')).toEqual([['node2', wallSeconds - 60]])
  })

  it('have every known problem and reason, at 0 until there is one', () => {
    expect(valuesOf('lnet_problems')).toEqual(
      problemCodes.map(code => [code, code === 'no-neighbour' ? 1 : 0]),
    )
    expect(valuesOf('lnet_announcements_refused_total')).toContainEqual(['bad-signature', 0])
    expect(valuesOf('lnet_neighbours')).toEqual([
      ['inbound', 0],
      ['outbound', 0],
    ])
  })

  it('count what flood limits dropped', () => {
    const floods = [{ interface: 'vlnet0' as InterfaceName, droppedFrames: 42 }]
    const found = samplesOf(metricsText(snapshot([], [], { floods })))
    expect(found).toContainEqual({
      name: 'lnet_segment_flood_dropped_total',
      labels: { interface: 'vlnet0' },
      value: 42,
    })
  })

  it('are there before the kernel was looked at', () => {
    const early = samplesOf(metricsText(snapshot([], [], { self: null, state: null, warm: false })))
    expect(early).toContainEqual({ name: 'lnet_ready', labels: {}, value: 0 })
  })

  it('take any name for a name', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.array(fc.constantFrom('\\', '"', '\n', 'n', '{', '}', ',', ' 1', '#')).map(parts => parts.join('')),
    )
    fc.assert(
      fc.property(hostile, name => {
        const found = samplesOf(metricsText(snapshot([member(2, { name: name as NodeName })], [track(2)])))
        expect(found).toContainEqual({
          name: 'lnet_member_up',
          labels: { member: name, node: nodeId(2) },
          value: 1,
        })
        expect(found).toHaveLength(samplesOf(metricsText(snapshot([member(2)], [track(2)]))).length)
      }),
    )
  })

  it('are bounded in a mesh of any size, where members are still counted', () => {
    const all = metricsMembersMax + 300
    const many = Array.from({ length: all }, (_, index) =>
      member(2, { node: `12D3${index}` as NodeId, name: `n${index}` as NodeName }),
    )
    const found = samplesOf(metricsText(snapshot(many, [track(2)])))
    for (const name of ['lnet_member_up', 'lnet_member_receive_bytes_total'])
      expect(found.filter(sample => sample.name === name)).toHaveLength(metricsMembersMax)
    const members = found.filter(({ name }) => name === 'lnet_members')
    expect(members.reduce((sum, { value }) => sum + value, 0)).toBe(all)
  })

  it('hold no key', () => {
    for (const number of [1, 2, 3, 5]) expect(text).not.toContain(publicKey(number))
  })
})
