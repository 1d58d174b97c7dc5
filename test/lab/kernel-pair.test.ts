import { afterEach, beforeEach, expect, it } from 'vitest'
import { keyFingerprint } from '../../src/mesh/derive.ts'
import type { Endpoint, InterfaceAddress, InterfaceName, Prefix } from '../../src/model/address.ts'
import { hostPrefix } from '../../src/model/address.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import type {
  KernelState,
  TunnelState,
  WireguardPeer,
  WireguardReading,
} from '../../src/model/kernel-state.ts'
import type { WireguardPublicKey } from '../../src/model/wireguard-key.ts'
import { desiredState, otherPublicKey, planFor, publicKey, secrets, vtepOf } from '../kernel/state.ts'
import { type RemoteKernel, startKernel, until } from './kernel-remote.ts'
import { connect, createNamespace, createSwitch, type Namespace } from './namespace.ts'

const lnet0 = 'lnet0' as InterfaceName
let spaces: Namespace[]
let one: RemoteKernel
let two: RemoteKernel

beforeEach(async () => {
  const hub = await createSwitch('sw', [])
  const nodes = await Promise.all(['one', 'two'].map(name => createNamespace(name)))
  spaces = [...nodes, hub]
  await connect(
    hub,
    nodes.map((node, index) => ({ node, interface: 'eth0', addresses: [`10.9.0.${index + 1}/16`] })),
  )
  one = startKernel(nodes[0] as Namespace)
  two = startKernel(nodes[1] as Namespace, ['env', 'KERNEL_AGENT=other'])
  expect(await one.apply(planFor(nodeState(1, publicKey, peerOf(2, otherPublicKey))))).toEqual([])
  expect(await two.apply(planFor(nodeState(2, otherPublicKey, peerOf(1, publicKey))))).toEqual([])
})

afterEach(async () => {
  await Promise.all([one.end(), two.end()])
  for (const space of spaces) space.close()
})

it('shakes hands at a word, keeps the session when a peer is set again, and begins anew when it is renewed', async () => {
  expect((await readingOf(one)).handshakeAt).toBeNull()
  await one.call({ method: 'speak', argument: [vtepOf(2, 6), vtepOf(9, 4)] })
  await until('both shook hands', async () => {
    return (await readingOf(one)).handshakeAt !== null && (await readingOf(two)).handshakeAt !== null
  })
  const before = await readingOf(one)
  const again: WireguardPeer = { ...peerOf(2, otherPublicKey), endpoint: null }
  expect(await one.apply([{ kind: 'peer.set', interface: lnet0, peer: again }])).toEqual([])
  const kept = await readingOf(one)
  expect(kept).toMatchObject({ endpoint: '10.9.0.2:51820', handshakeAt: before.handshakeAt })
  expect(kept.receivedBytes).toBeGreaterThanOrEqual(before.receivedBytes)

  const renewed: WireguardPeer = { ...peerOf(2, otherPublicKey), keepaliveSeconds: 25 }
  const began = Math.floor(Date.now() / 1000)
  expect(await one.apply([{ kind: 'peer.renew', interface: lnet0, peer: renewed }])).toEqual([])
  await until('they shake hands again', async () => ((await readingOf(one)).handshakeAt ?? 0) >= began)
})

function peerOf(number: number, key: WireguardPublicKey): WireguardPeer {
  return {
    publicKey: key,
    presharedKey: keyFingerprint(secrets.presharedKey(key)),
    endpoint: `10.9.0.${number}:51820` as Endpoint,
    allowedIps: [hostPrefix(vtepOf(number, 6))],
    keepaliveSeconds: 0,
  }
}

function nodeState(number: number, key: WireguardPublicKey, peer: WireguardPeer): KernelState {
  const { tunnel, routes } = desiredState(0)
  const vteps = 'fd77::/64' as Prefix
  return {
    tunnel: {
      ...(tunnel as TunnelState),
      publicKey: key,
      addresses: [`${vtepOf(number, 6)}/64` as InterfaceAddress],
      peers: [peer],
    },
    segments: [],
    bridges: [],
    routes: routes.filter(({ prefix }) => prefix === vteps),
    strayGuards: [],
    strayLimits: [],
    loopWatches: [],
    gateway: null,
    detours: [],
    rules: [],
  }
}

async function readingOf(kernel: RemoteKernel): Promise<WireguardReading> {
  const observed = await kernel.observe()
  if (!observed.ok) throw new Error(sentenceOf(observed.failure))
  return observed.value.readings[0] as WireguardReading
}
