import type { TunnelSecrets } from '../../src/kernel/port.ts'
import { keyFingerprint } from '../../src/mesh/derive.ts'
import { diff } from '../../src/mesh/diff.ts'
import { order } from '../../src/mesh/order.ts'
import {
  compareAddresses,
  compareText,
  type Endpoint,
  type InterfaceAddress,
  type InterfaceName,
  type IpAddress,
  ipAddressFromBytes,
  type MacAddress,
  type Port,
  type Prefix,
} from '../../src/model/address.ts'
import { emptyKernelState, type KernelState } from '../../src/model/kernel-state.ts'
import type { MeshId } from '../../src/model/node.ts'
import type { Vni } from '../../src/model/segment.ts'
import type { Plan } from '../../src/model/step.ts'
import type { WireguardPublicKey, WireguardSecretKey } from '../../src/model/wireguard-key.ts'

export const mesh = '00112233445566778899aabbccddeeff' as MeshId
/** A private key and its public key, for tests alone. */
export const privateKey = 'WFB2Wcl3Etwl5bHuJGWLfAgJEQAdOD+28Ai4tpwaEmI=' as WireguardSecretKey
export const publicKey = '+k1c5WupRMZhjlmgH67YGtMkVarJKYkkaBfLHtlv1HY=' as WireguardPublicKey
/** Another pair, for a second node. */
export const otherPrivateKey = '4MhoKd4tJTmzdgBvIHzaIpu85nNRaSrBzZCX0n/PWH8=' as WireguardSecretKey
export const otherPublicKey = 'DnXGinNfaFywYpdanHVhn/jUwfYE2T6Oms7FJ2ebvmo=' as WireguardPublicKey
const presharedKey = 'E5HWWVoIoXvWNG31jNfHhL0SBlgtPq4fC7W6li3hkO8=' as WireguardSecretKey

export const secrets: TunnelSecrets = { privateKey, presharedKey: () => presharedKey }

/** What a node wants when it knows so many members: they are numbered from 2, itself is 1. */
export function desiredState(members: number, family: 4 | 6 = 6): KernelState {
  const others = Array.from({ length: members }, (_, index) => index + 2)
  const vteps = (family === 4 ? '10.77.0.0/16' : 'fd77::/64') as Prefix
  return {
    tunnel: {
      interface: 'lnet0' as InterfaceName,
      up: true,
      mtu: 1420,
      ipv6: true,
      trusts: 'none',
      learned: false,
      publicKey,
      listenPort: 51820 as Port,
      addresses: [`${vtepOf(1, family)}/${family === 4 ? 16 : 64}` as InterfaceAddress],
      peers: others
        .map(number => ({
          publicKey: publicKeyOf(number),
          presharedKey: keyFingerprint(presharedKey),
          endpoint: `10.9.${number >> 8}.${number & 255}:51820` as Endpoint,
          allowedIps: [`${vtepOf(number, family)}/${family === 4 ? 32 : 128}` as Prefix],
          keepaliveSeconds: number % 2 === 0 ? 25 : 0,
        }))
        .sort((a, b) => compareText(a.publicKey, b.publicKey)),
    },
    segments: [
      {
        interface: 'vlnet0' as InterfaceName,
        vni: 49371 as Vni,
        port: 4789 as Port,
        local: vtepOf(1, family),
        lower: 'lnet0' as InterfaceName,
        mac: macOf(1),
        up: true,
        mtu: family === 4 ? 1370 : 1350,
        ipv6: true,
        trusts: 'none',
        learned: false,
        ageingSeconds: 300,
        privileged: true,
        bridge: null,
        suppression: false,
        portMacs: [],
        addresses: ['192.168.0.1/16', 'fde9::1/64'] as InterfaceAddress[],
        flood: others.map(number => vtepOf(number, family)).sort(compareAddresses),
        unicast: others.map(number => ({ mac: macOf(number), vtep: vtepOf(number, family) })),
        neighbours: others
          .flatMap(number => overlayOf(number).map(address => ({ address, mac: macOf(number) })))
          .sort((a, b) => compareAddresses(a.address, b.address)),
        guard: { port: 4789 as Port, tunnel: 'lnet0' as InterfaceName, vteps, privileged: true, exempt: [] },
        // Not every kernel can.
        floodLimit: null,
      },
    ],
    bridges: [],
    routes: [
      ...[null, 'lnet0' as InterfaceName].map(device => ({ prefix: vteps, device })),
      { prefix: '192.168.0.0/16' as Prefix, device: 'vlnet0' as InterfaceName },
      { prefix: 'fde9::/64' as Prefix, device: 'vlnet0' as InterfaceName },
    ].sort((a, b) => compareAddresses(a.prefix, b.prefix) || compareText(a.device ?? '', b.device ?? '')),
    strayGuards: [],
    strayLimits: [],
    loopWatches: [],
    gateway: null,
    detours: [],
    rules: [],
  }
}

/** The ordered plan from one state to another; from nothing when none is given. */
export function planFor(desired: KernelState, observed: KernelState = emptyKernelState): Plan {
  return order(diff(desired, observed), desired.tunnel?.interface ?? null)
}

export function publicKeyOf(number: number): WireguardPublicKey {
  const bytes = Buffer.alloc(32, 7)
  bytes.writeUInt32BE(number, 0)
  return bytes.toString('base64') as WireguardPublicKey
}

export function vtepOf(number: number, family: 4 | 6): IpAddress {
  if (family === 4) return `10.77.${number >> 8}.${number & 255}` as IpAddress
  const bytes = Buffer.alloc(16)
  bytes.writeUInt16BE(0xfd77, 0)
  bytes.writeUInt32BE(number, 12)
  return ipAddressFromBytes(bytes)
}

export function macOf(number: number): MacAddress {
  const hex = number.toString(16).padStart(4, '0')
  return `02:00:00:00:${hex.slice(0, 2)}:${hex.slice(2)}` as MacAddress
}

function overlayOf(number: number): readonly IpAddress[] {
  return [`192.168.${number >> 8}.${number & 255}`, `fde9::${number.toString(16)}`] as IpAddress[]
}
