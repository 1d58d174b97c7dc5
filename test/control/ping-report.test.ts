import { describe, expect, it } from 'vitest'
import { hostText, pingReport, pingTargets, reportPage, roundLine } from '../../src/control/ping-report.ts'
import type { PeerRow } from '../../src/control/protocol.ts'
import { peersView } from '../../src/control/views.ts'
import { member, snapshot, track } from './snapshots.ts'

const row = peersView(snapshot([member(2)], [track(2)])).peers[0] as PeerRow
const targets = pingTargets(row)

describe('a ping in three layers', () => {
  it('goes outside, into the tunnel and to the segment', () => {
    expect(targets).toEqual([
      { layer: 'underlay', address: '203.0.113.2' },
      { layer: 'tunnel', address: '192.168.228.2' },
      { layer: 'overlay', address: '192.168.102.2' },
    ])
    expect(pingTargets({ ...row, endpoint: null }).map(({ layer }) => layer)).toEqual(['tunnel', 'overlay'])
  })

  it.each([
    ['every layer', [1, 2, 3], true, 'answers on every layer'],
    ['a firewall that drops ping outside', [null, 2, 3], true, 'its firewall'],
    ['a firewall that drops VXLAN', [1, 2, null], false, 'VXLAN'],
    ['a blocked tunnel', [1, null, null], false, 'UDP port blocked'],
    ['nobody', [null, null, null], false, 'does not answer at all'],
  ])('tells %s', (_, round, answers, verdict) => {
    expect(pingReport(row, targets, [round])).toMatchObject({
      schema: 1,
      name: 'node2',
      answers,
      verdict: expect.stringContaining(verdict),
    })
  })

  it('counts and averages what came back', () => {
    const report = pingReport(row, targets, [
      [1, 2, 3],
      [null, 4, 3.5],
    ])
    expect(report.layers).toMatchObject([
      { sent: 2, received: 1, min_ms: 1, avg_ms: 1, max_ms: 1 },
      { sent: 2, received: 2, min_ms: 2, avg_ms: 3, max_ms: 4 },
      { sent: 2, received: 2, min_ms: 3, avg_ms: 3.25, max_ms: 3.5 },
    ])
    expect(reportPage(report)).toContain('underlay  203.0.113.2: 1 of 2 answered, 1/1/1 ms least/mean/most\n')
    expect(roundLine('node2', targets, [1, null, 3])).toBe(
      'node2: underlay 1 ms, tunnel no answer, overlay 3 ms\n',
    )
  })

  it('does not answer where it has no segment with us', () => {
    const alone = { ...row, segments: [] }
    expect(pingReport(alone, pingTargets(alone), [[1, 1]]).answers).toBe(false)
  })

  it('takes the host of an endpoint', () => {
    expect(['192.0.2.1:51820', '[2001:db8::1]:51820'].map(hostText)).toEqual(['192.0.2.1', '2001:db8::1'])
  })
})
