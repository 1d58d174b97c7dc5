import { beforeEach, describe, expect, it } from 'vitest'
import { createLooker, type Looker } from '../../src/daemon/looker.ts'
import type { State } from '../../src/daemon/state.ts'
import type { InterfaceName } from '../../src/model/address.ts'
import { floodCalmSeconds, wholeLookSeconds } from '../../src/model/limits.ts'
import { FakeKernel } from '../fake/kernel.ts'
import { desiredState } from '../kernel/state.ts'

const shared = { bridge: { name: 'br0' as InterfaceName } }
let kernel: FakeKernel
let state: Pick<State, 'observation' | 'configuration' | 'floods'>
let now: number
let looker: Looker

beforeEach(() => {
  kernel = new FakeKernel({ state: desiredState(2) })
  state = { observation: null, configuration: { segments: [] } as never, floods: new Map() }
  now = 5000
  looker = createLooker({ kernel, clock: { now: () => now } as never }, state as State)
})

async function look(): Promise<void> {
  const observed = await looker.look()
  if (observed.ok) state.observation = observed.value
}

describe('looking at the kernel', () => {
  it('is whole at first, then a glance that sees what happens to WireGuard, then whole again', async () => {
    await look()
    kernel.meddle(({ tunnel, ...rest }) => ({ ...rest, tunnel: tunnel && { ...tunnel, peers: [] } }), null)
    now += (wholeLookSeconds - 1) * 1000
    await look()
    expect(kernel.calls).toMatchObject({ observe: 1, glance: 1 })
    expect(state.observation?.state).toEqual(kernel.state)
    now += 1000
    await look()
    expect(kernel.calls).toMatchObject({ observe: 2, glance: 1 })
  })

  it('is whole after word of a change, and after a configuration that names other devices', async () => {
    await look()
    looker.distrust()
    await look()
    state.configuration = { ...state.configuration }
    await look()
    expect(kernel.calls).toMatchObject({ observe: 3, glance: 0 })
  })

  it('is whole while a flood limit drops, so that its end is seen', async () => {
    await look()
    state.floods = new Map([['vlnet0' as InterfaceName, { droppedFrames: 1, grewAt: now }]])
    await look()
    expect(kernel.calls).toMatchObject({ observe: 2, glance: 0 })
    now += floodCalmSeconds * 1000
    state.floods = new Map([['vlnet0' as InterfaceName, { droppedFrames: 1, grewAt: 5000 }]])
    await look()
    expect(kernel.calls).toMatchObject({ observe: 2, glance: 1 })
  })

  it('is whole until one succeeded', async () => {
    kernel.failLooking('no')
    expect(await looker.look()).toMatchObject({ ok: false })
    kernel.failLooking(null)
    await look()
    expect(kernel.calls).toMatchObject({ observe: 2, glance: 0 })
  })

  it('is whole at once when the tunnel is gone, of which a glance can tell nothing', async () => {
    await look()
    kernel.meddle(state => ({ ...state, tunnel: null, segments: [], routes: [] }), null)
    await look()
    expect(state.observation?.state.tunnel).toBeNull()
  })

  it('is always whole where bridges are shared with others', async () => {
    state.configuration = { segments: [shared] } as never
    await look()
    await look()
    expect(kernel.calls).toMatchObject({ observe: 2, glance: 0 })
  })
})
