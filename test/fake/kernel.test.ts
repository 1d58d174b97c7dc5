import { describe, expect, it } from 'vitest'
import type { InterfaceName, IpAddress, Port, Prefix } from '../../src/model/address.ts'
import type { KernelState, WireguardPeer } from '../../src/model/kernel-state.ts'
import type { Plan, Step } from '../../src/model/step.ts'
import type { WireguardPublicKey } from '../../src/model/wireguard-key.ts'
import { desiredState, planFor } from '../kernel/state.ts'
import { FakeKernel } from './kernel.ts'

const tunnel = 'lnet0' as InterfaceName
const segment = 'vlnet0' as InterfaceName

describe('FakeKernel', () => {
  it('becomes what a plan asks for', async () => {
    const kernel = new FakeKernel()
    const wanted = desiredState(3)
    expect(await kernel.apply(planFor(wanted))).toEqual([])
    expect(kernel.state).toEqual(wanted)
    expect(await kernel.apply(planFor(wanted))).toEqual([])
    expect(kernel.state).toEqual(wanted)
  })

  it('refuses a step whose device is not there, and goes on', async () => {
    const kernel = new FakeKernel()
    const early: Step = {
      kind: 'flood.add',
      interface: segment,
      lower: tunnel,
      vtep: 'fd00::2' as IpAddress,
    }
    const failures = await kernel.apply([early, { kind: 'tunnel.create', interface: tunnel, mtu: 1420 }])
    expect(failures.map(({ step }) => step)).toEqual([early])
    expect(kernel.state.tunnel?.interface).toBe('lnet0')
    expect(kernel.calls).toEqual({ observe: 0, glance: 0, apply: 1, steps: 1 })
  })

  it('refuses a route over a device that is down', async () => {
    const kernel = new FakeKernel()
    const route: Step = {
      kind: 'route.add',
      route: { prefix: 'fd00::/64' as Prefix, device: tunnel },
    }
    const plan: Plan = [
      { kind: 'tunnel.create', interface: tunnel, mtu: 1420 },
      route,
      { kind: 'link.up', interface: tunnel },
      route,
    ]
    expect((await kernel.apply(plan)).map(({ failure }) => failure.stderr)).toEqual(['Network is down'])
    expect(kernel.state.routes).toHaveLength(1)
  })

  it('takes segments and routes away with their tunnel, and keeps guards', async () => {
    const kernel = new FakeKernel({ state: desiredState(2) })
    await kernel.apply([{ kind: 'tunnel.remove', interface: tunnel }])
    expect(kernel.state.segments).toEqual([])
    expect(kernel.state.routes.map(({ device }) => device)).toEqual([null])
  })

  it('moves an allowed address from one WireGuard peer to another', async () => {
    const kernel = new FakeKernel({ state: desiredState(2) })
    const [first, second] = (kernel.state.tunnel?.peers ?? []) as [WireguardPeer, WireguardPeer]
    const taking = { ...second, allowedIps: [...first.allowedIps, ...second.allowedIps] }
    await kernel.apply([{ kind: 'peer.set', interface: tunnel, peer: taking }])
    expect(kernel.state.tunnel?.peers.map(({ allowedIps }) => allowedIps.length)).toEqual([0, 2])
  })

  it('fails the nth step alone', async () => {
    const kernel = new FakeKernel()
    kernel.failStep(1, 'out of luck')
    const step: Step = { kind: 'tunnel.create', interface: tunnel, mtu: 1420 }
    expect((await kernel.apply([step]))[0]?.failure.why).toContain('out of luck')
    expect(await kernel.apply([step])).toEqual([])
  })

  it('fails looking while told to', async () => {
    const kernel = new FakeKernel()
    kernel.failLooking('no such tool')
    expect(await kernel.observe()).toMatchObject({ ok: false, failure: { what: 'no such tool' } })
    kernel.failLooking(null)
    expect(await kernel.observe()).toMatchObject({ ok: true, value: { implementation: null } })
  })

  it('tells watchers of meddling until they close', async () => {
    const kernel = new FakeKernel({ state: desiredState(1), echo: true })
    const heard: string[] = []
    const watch = kernel.watch(event => heard.push(event))
    kernel.meddle((state: KernelState) => ({ ...state, routes: [] }))
    expect(kernel.state.routes).toEqual([])
    kernel.fire('underlay')
    await kernel.apply([{ kind: 'link.up', interface: tunnel }])
    watch.close()
    kernel.fire('ours')
    expect(heard).toEqual(['ours', 'underlay', 'ours'])
  })

  it('measures WireGuard peers, and forgets with the peer', async () => {
    const kernel = new FakeKernel({ state: desiredState(1) })
    const peer = kernel.state.tunnel?.peers[0] as WireguardPeer
    kernel.measure(peer.publicKey, { receivedBytes: 92, handshakeAt: 1_700_000_000 })
    kernel.measure('nobody' as WireguardPublicKey, { receivedBytes: 1 })
    expect(await kernel.observe()).toMatchObject({
      ok: true,
      value: { readings: [{ publicKey: peer.publicKey, endpoint: peer.endpoint, receivedBytes: 92 }] },
    })
    await kernel.apply([{ kind: 'peer.renew', interface: tunnel, peer }])
    expect(await kernel.observe()).toMatchObject({
      value: { readings: [{ receivedBytes: 0, handshakeAt: null }] },
    })
  })

  it('leaves foreign devices alone', async () => {
    const kernel = new FakeKernel({ foreign: [{ interface: tunnel, what: 'a bridge device' }] })
    const failures = await kernel.apply([{ kind: 'tunnel.create', interface: tunnel, mtu: 1420 }])
    expect(failures[0]?.failure.stderr).toBe("lnet0 is not lnet's")
    expect(kernel.state.tunnel).toBeNull()
  })

  it('clamps the MTU of a new segment and refuses a greater one later', async () => {
    const kernel = new FakeKernel({ state: desiredState(0) })
    const [made] = kernel.state.segments
    const failures = await kernel.apply([{ kind: 'link.mtu', interface: segment, mtu: 9000 }])
    expect(failures).toHaveLength(1)
    const other = { ...made, interface: 'vlnet1', vni: 8, port: 4790 as Port, mtu: 9000 }
    await kernel.apply([{ kind: 'segment.create', segment: other } as Step])
    expect(kernel.state.segments.map(({ mtu }) => mtu)).toEqual([1350, 1350])
  })
})
