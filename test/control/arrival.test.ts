import { describe, expect, it } from 'vitest'
import { judgeArrival } from '../../src/control/arrival.ts'
import type { Snapshot } from '../../src/control/snapshot.ts'
import { statusView } from '../../src/control/status-view.ts'
import type { InterfaceAddress } from '../../src/model/address.ts'
import type { DialReport } from '../../src/model/neighbour.ts'
import { kernelState, member, nodeId, now, snapshot, track, vtepOf } from './snapshots.ts'

const silent = { grewAt: null, handshakeAt: null }
const addresses = ['192.168.102.1/24', 'fd00::1/64'] as InterfaceAddress[]

/** The kernel with every address this node announces. */
function settled(numbers: readonly number[]): Pick<Snapshot, 'state'> {
  const state = kernelState(numbers.map(vtepOf))
  return { state: { ...state, segments: state.segments.map(segment => ({ ...segment, addresses })) } }
}

function judge(of: Snapshot, others = true) {
  return judgeArrival(statusView(of), others)
}

const dial: DialReport = {
  target: '203.0.113.9:51821',
  direction: 'outbound' as const,
  failures: 4,
  lastTriedAt: now,
  error: 'ECONNRESET',
  answers: true,
  secretMayDiffer: true,
}

const neighbours = [{ node: nodeId(2), address: '203.0.113.2:51821', direction: 'outbound' as const }]
describe('one who joins', () => {
  it('is in when a member answers through the tunnel', () => {
    const both = snapshot([member(2), member(3)], [track(2), track(3, silent)], settled([2, 3]))
    expect(judge(both)).toEqual({
      state: 'in',
      sentence: 'node1 is in the mesh with 1 other, 192.168.102.1 on vlnet0',
      notices: [],
    })
  })

  it('waits while its address is not on the device yet', () => {
    const { state } = judge(snapshot([member(2)], [track(2)], { state: kernelState([vtepOf(2)]) }))
    expect(state).toBe('waiting')
  })

  it('is told that the tunnel is blocked when the others are known and silent', () => {
    const arrival = judge(snapshot([member(2)], [track(2, silent)], settled([2])))
    expect(arrival).toMatchObject({
      state: 'waiting',
      reasons: [expect.stringContaining('UDP port 51820'), expect.any(String)],
    })
  })

  it('does not wait for a secret to become the same', () => {
    const arrival = judge(
      snapshot([], [], {
        ...settled([]),
        dials: [dial],
        problems: [
          {
            code: 'secret-may-differ',
            subject: '',
            what: 'the mesh secret may differ',
            why: null,
            remedy: null,
            severity: 'degraded',
          },
        ],
      }),
    )
    expect(arrival).toEqual({ state: 'wrong', reasons: ['the mesh secret may differ'] })
  })

  it('does not wait for a place that was tried in vain, once there was time for all of them', () => {
    const unanswered = { ...dial, answers: false, secretMayDiffer: false }
    const stateAfter = (seconds: number, changes: Partial<Snapshot> = {}) =>
      judge(
        snapshot([], [], {
          ...settled([]),
          dials: [unanswered],
          startedAt: now - seconds * 1000,
          ...changes,
        }),
      ).state
    expect(stateAfter(6)).toBe('waiting')
    expect(stateAfter(7)).toBe('wrong')
    expect(stateAfter(7, { dials: [] })).toBe('waiting')
    expect(stateAfter(7, { dials: [unanswered, { ...unanswered, answers: true }] })).toBe('waiting')
    expect(stateAfter(7, { neighbours })).toBe('waiting')
  })

  it('is told what is not as it should be although it is in', () => {
    const behind = {
      code: 'clock-behind',
      subject: '',
      what: 'the clock is behind',
      why: null,
      remedy: null,
      severity: 'notice',
    } as const
    const arrival = judge(snapshot([member(2)], [track(2)], { ...settled([2]), problems: [behind] }))
    expect(arrival).toMatchObject({ state: 'in', notices: ['the clock is behind'] })
  })

  it('is told that nobody was found', () => {
    const arrival = judge(snapshot([], [], settled([])))
    expect(arrival).toMatchObject({ state: 'waiting', reasons: [expect.stringContaining('bootstrap')] })
  })

  it('is told that a neighbour has said nothing yet', () => {
    const arrival = judge(snapshot([], [], { ...settled([]), neighbours }))
    expect(arrival).toMatchObject({ state: 'waiting', reasons: [expect.stringContaining('answers gossip')] })
  })
})

describe('the first node', () => {
  it('is in as soon as it has looked for others, though nobody answered', () => {
    const alone = { ...settled([]), warm: false }
    expect(judge(snapshot([], [], { ...alone, startedAt: now - 1000 }), false)).toMatchObject({
      state: 'waiting',
      reasons: ['lnetd still waits for the first word of the mesh'],
    })
    expect(judge(snapshot([], [], { ...alone, startedAt: now - 5000 }), false)).toEqual({
      state: 'in',
      sentence: 'node1 is the first node of its mesh, 192.168.102.1 on vlnet0',
      notices: [],
    })
  })
})
