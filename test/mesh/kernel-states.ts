import fc from 'fast-check'
import { detourRules } from '../../src/mesh/detour-rules.ts'
import {
  compareAddresses,
  compareText,
  type Endpoint,
  type InterfaceAddress,
  type InterfaceName,
  type IpAddress,
  type MacAddress,
  type Port,
  type Prefix,
  prefixOf,
} from '../../src/model/address.ts'
import type {
  BridgeState,
  KernelState,
  Route,
  SegmentState,
  TunnelState,
  WireguardPeer,
} from '../../src/model/kernel-state.ts'
import { emptyKernelState } from '../../src/model/kernel-state.ts'
import { segmentMtu, type Vni } from '../../src/model/segment.ts'
import { configuration, facts, presharedKey, publicKey } from './world.ts'

/** Small kernel states that collide a lot: few devices, few addresses, few members, so that every step comes up. */

const tunnelNames = ['lnet0', 'lnet1'] as InterfaceName[]
const segmentNames = ['vlnet0', 'vlnet1', 'vlnet2'] as InterfaceName[]
const bridgeNames = ['br0', 'br1'] as InterfaceName[]
const vteps = Array.from({ length: 6 }, (_, index) => `192.168.228.${index + 1}` as IpAddress)
const macs = Array.from({ length: 5 }, (_, index) => `02:00:00:00:00:0${index}` as MacAddress)
const overlay = ['10.1.0.1/24', '10.1.0.2/24', '10.2.0.1/24', 'fd00::1/64'] as InterfaceAddress[]
const ports = [4789, 4790] as Port[]
const prefix = '192.168.228.0/24' as Prefix

const peers = fc
  .subarray([1, 2, 3, 4, 5])
  .chain(numbers => fc.tuple(...numbers.map(peer)))
  .map(list => dealAddresses(list).sort((a, b) => compareText(a.publicKey, b.publicKey)))

function peer(number: number): fc.Arbitrary<WireguardPeer> {
  return fc.record({
    publicKey: fc.constant(publicKey(number)),
    presharedKey: fc.constantFrom(null, presharedKey(publicKey(number))),
    endpoint: fc.constantFrom('203.0.113.1:1' as Endpoint, '203.0.113.2:2' as Endpoint),
    allowedIps: fc.subarray(vteps.map(vtep => `${vtep}/32` as Prefix)),
    keepaliveSeconds: fc.constantFrom(0, 25),
  })
}

/** Cryptokey routing: an address belongs to one peer. */
function dealAddresses(list: readonly WireguardPeer[]): WireguardPeer[] {
  const taken = new Set<Prefix>()
  return list.map(each => ({
    ...each,
    allowedIps: each.allowedIps
      .filter(address => !taken.has(address) && taken.add(address))
      .sort(compareAddresses),
  }))
}

const tunnel: fc.Arbitrary<TunnelState> = fc.record({
  interface: fc.constantFrom(...tunnelNames),
  up: fc.constant(true),
  mtu: fc.constantFrom(1380, 1420, 1500),
  ipv6: fc.constant(true),
  trusts: fc.constant('none'),
  learned: fc.constant(false),
  publicKey: fc.constantFrom(publicKey(8), publicKey(9)),
  listenPort: fc.constantFrom(51_820 as Port, 51_821 as Port),
  addresses: sorted(vteps.map(vtep => `${vtep}/24` as InterfaceAddress)),
  peers,
})

const neighbours = fc
  .uniqueArray(fc.record({ address: fc.constantFrom(...vteps), mac: fc.constantFrom(...macs) }), {
    selector: ({ address }) => address,
  })
  .map(list => list.sort((a, b) => compareAddresses(a.address, b.address)))

function segment(device: InterfaceName, vni: Vni, below: TunnelState): fc.Arbitrary<SegmentState> {
  return fc.tuple(fc.constantFrom(...vteps), fc.constantFrom(null, ...bridgeNames)).chain(([local, bridge]) =>
    fc.record({
      interface: fc.constant(device),
      vni: fc.constant(vni),
      port: fc.constantFrom(...ports),
      local: fc.constant(local),
      lower: fc.constant(below.interface),
      mac: fc.constantFrom(...macs),
      up: fc.constant(true),
      mtu: fc.constantFrom(segmentMtu(below.mtu, local), 1300),
      ipv6: fc.constant(true),
      trusts: fc.constantFrom('none', 'routers'),
      learned: fc.constant(false),
      ageingSeconds: fc.constantFrom(60, 300),
      privileged: fc.constant(true),
      bridge: fc.constant(bridge),
      suppression: fc.constant(bridge !== null),
      portMacs: bridge === null ? fc.constant([]) : fc.subarray(macs),
      addresses: sorted(overlay),
      flood: sorted(vteps),
      unicast: fc
        .uniqueArray(fc.record({ mac: fc.constantFrom(...macs), vtep: fc.constantFrom(...vteps) }), {
          selector: ({ mac }) => mac,
        })
        .map(list => list.sort((a, b) => compareText(a.mac, b.mac))),
      neighbours,
      guard: fc.record({
        port: fc.constantFrom(...ports),
        tunnel: fc.constant(below.interface),
        vteps: fc.constant(prefix),
        privileged: fc.constant(true),
        exempt: fc.option(sorted(vteps)),
      }),
      floodLimit: fc.constantFrom(null, 100, 10_000),
    }),
  )
}

function segments(below: TunnelState): fc.Arbitrary<readonly SegmentState[]> {
  const numbers = fc.shuffledSubarray([1, 2, 3] as Vni[], { minLength: 3, maxLength: 3 })
  return fc
    .tuple(fc.subarray(segmentNames), numbers)
    .chain(([names, vnis]) =>
      fc.tuple(...names.map((name, index) => segment(name, vnis[index] as Vni, below))),
    )
}

/** `br0` is somebody else's, `br1` is ours; those that segments are in, and now and then another one. */
function bridgesOf(above: readonly SegmentState[]): fc.Arbitrary<readonly BridgeState[]> {
  return fc.subarray(bridgeNames).chain(extra => {
    const names = bridgeNames.filter(
      name => extra.includes(name) || above.some(({ bridge }) => bridge === name),
    )
    return fc
      .tuple(...names.map(bridge))
      .map(list =>
        list.filter(each => each.mac !== null || each.addresses.length + each.neighbours.length > 0),
      )
  })
}

function bridge(name: InterfaceName): fc.Arbitrary<BridgeState> {
  return fc.record({
    interface: fc.constant(name),
    mac: name === 'br0' ? fc.constant(null) : fc.constantFrom(...macs),
    up: fc.constant(true),
    trusts: fc.constant('none' as const),
    learned: fc.constant(false),
    addresses: sorted(overlay),
    neighbours,
  })
}

function routesOf(below: TunnelState, above: readonly (SegmentState | BridgeState)[]): readonly Route[] {
  const all: Route[] = [
    { prefix, device: below.interface },
    { prefix, device: null },
    ...above.flatMap(({ addresses, interface: device }) =>
      addresses.map(address => ({ prefix: prefixOf(address), device })),
    ),
  ]
  const distinct = new Map(all.map(route => [`${route.prefix} ${route.device}`, route]))
  return [...distinct.values()].sort(
    (a, b) => compareAddresses(a.prefix, b.prefix) || compareText(a.device ?? '', b.device ?? ''),
  )
}

function sorted<Address extends IpAddress | InterfaceAddress>(addresses: readonly Address[]) {
  return fc.subarray([...addresses]).map(list => list.sort(compareAddresses))
}

/** This machine as a gateway, or with ways by another one. */
function waysOf(
  segments: readonly SegmentState[],
): fc.Arbitrary<Pick<KernelState, 'gateway' | 'detours' | 'rules'>> {
  const device = segments[0]?.interface
  if (device === undefined) return fc.constant({ gateway: null, detours: [], rules: [] })
  const out = 'eth0' as InterfaceName
  const network = '192.168.102.0/24' as Prefix
  return fc
    .record({
      isGateway: fc.boolean(),
      nat: fc.boolean(),
      borrows: fc.boolean(),
      host: fc.integer({ min: 0, max: 9 }),
    })
    .map(({ isGateway, nat, borrows, host }) => {
      const prefix = '0.0.0.0/0' as Prefix
      const via = `192.168.102.${host}` as IpAddress
      const isUsed = host > 0
      return {
        gateway: isGateway
          ? {
              interface: out,
              nat,
              sources: [{ device, network }],
              borrowed: borrows ? [out] : [],
              forwards: true,
            }
          : null,
        detours: isUsed ? [{ prefix, via, device }] : [],
        rules: isUsed ? detourRules(configuration(1), facts(1)) : [],
      }
    })
}

/** A state that lnetd may desire. */
export const desirable: fc.Arbitrary<KernelState> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.constant<KernelState>(emptyKernelState),
  },
  {
    weight: 9,
    arbitrary: tunnel.chain(below =>
      segments(below).chain(above =>
        fc.tuple(bridgesOf(above), waysOf(above)).map(([bridges, ways]) => ({
          tunnel: below,
          segments: above,
          bridges,
          routes: routesOf(below, [...above, ...bridges]),
          strayGuards: [],
          strayLimits: [],
          loopWatches: above
            .filter(({ bridge }) => bridge !== null)
            .map(({ interface: device }) => ({ interface: device, ports: ['eth1' as InterfaceName] })),
          ...ways,
        })),
      ),
    ),
  },
)

/** A state that lnetd may find: one it once desired, on which others then laid hands. */
export const observable: fc.Arbitrary<KernelState> = desirable.chain(state =>
  fc
    .record({
      up: fc.boolean(),
      ipv6: fc.boolean(),
      trusts: fc.constantFrom('none', 'routers', 'open'),
      advertised: fc.boolean(),
      keyless: fc.boolean(),
      unguarded: fc.boolean(),
      limit: fc.constantFrom('kept', 'gone', 'altered'),
      routeless: fc.boolean(),
      strays: fc.subarray(segmentNames),
    })
    .map(
      ({ up, ipv6, trusts, advertised, keyless, unguarded, limit, routeless, strays }): KernelState => ({
        tunnel:
          state.tunnel === null
            ? null
            : {
                ...state.tunnel,
                up,
                ipv6,
                trusts,
                learned: advertised && trusts !== 'routers',
                ...(keyless ? { publicKey: null, listenPort: null } : {}),
              },
        segments: state.segments.map(each => ({
          ...each,
          up,
          ipv6,
          trusts,
          learned: advertised && trusts !== 'routers',
          guard: unguarded ? null : each.guard,
          floodLimit: limit === 'kept' ? each.floodLimit : limit === 'gone' ? null : 0,
        })),
        bridges: state.bridges.map(each =>
          each.mac === null ? each : { ...each, up, trusts, learned: advertised && trusts !== 'routers' },
        ),
        routes: routeless || !up ? [] : state.routes,
        strayGuards: strays.filter(name => state.segments.every(each => each.interface !== name)),
        strayLimits: strays.filter(name => state.segments.every(each => each.interface !== name)),
        loopWatches: unguarded
          ? state.loopWatches.map(watch => ({ ...watch, ports: [] }))
          : state.loopWatches,
        gateway: state.gateway === null ? null : { ...state.gateway, forwards: up },
        detours: routeless ? [] : state.detours,
        rules: unguarded ? [] : state.rules,
      }),
    ),
)
