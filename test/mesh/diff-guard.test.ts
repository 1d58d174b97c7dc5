import { describe, expect, it } from 'vitest'
import { diff } from '../../src/mesh/diff.ts'
import type { InterfaceName, Port } from '../../src/model/address.ts'
import type { KernelState, SegmentState } from '../../src/model/kernel-state.ts'
import type { Vni } from '../../src/model/segment.ts'
import { desiredState } from '../kernel/state.ts'

const desired = desiredState(2, 6)
const [first] = desired.segments as [SegmentState]
const second: SegmentState = { ...first, interface: 'vlnet1' as InterfaceName, vni: 7 as Vni }

describe('the guard of a segment', () => {
  it('asks nothing of source ports while a device with that VXLAN port is kept that sends from any', () => {
    const old = { ...first, privileged: false, guard: null }
    expect(guards(withSegments(first, second), withSegments(old))).toEqual([
      ['vlnet0', false],
      ['vlnet1', false],
    ])
  })

  it('does so of devices with another port, and once that device is re-created', () => {
    const port = 4790 as Port
    const elsewhere = { ...second, port, guard: second.guard && { ...second.guard, port } }
    const old = { ...first, privileged: false, guard: null }
    expect(guards(withSegments(first, elsewhere), withSegments(old))).toEqual([
      ['vlnet0', false],
      ['vlnet1', true],
    ])
    const otherVni = { ...old, vni: 9 as Vni }
    expect(guards(withSegments(first, second), withSegments(otherVni))).toEqual([
      ['vlnet0', true],
      ['vlnet1', true],
    ])
  })
})

function withSegments(...segments: readonly SegmentState[]): KernelState {
  return { ...desired, segments }
}

function guards(wanted: KernelState, observed: KernelState) {
  return diff(wanted, observed).flatMap(step =>
    step.kind === 'guard.set' ? [[step.interface, step.guard.privileged]] : [],
  )
}
