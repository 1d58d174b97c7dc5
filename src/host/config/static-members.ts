import { compareAddresses, type MacAddress, type Port, parseMacAddress } from '../../model/address.ts'
import type { StaticMember, StaticSegment } from '../../model/configuration.ts'
import {
  overlayAddressesPerSegmentMax,
  segmentsPerMemberMax,
  staticTunnelMtuBytesDefault,
} from '../../model/limits.ts'
import type { NodeName } from '../../model/node.ts'
import type { Vni } from '../../model/segment.ts'
import { parseWireguardPublicKey, type WireguardPublicKey } from '../../model/wireguard-key.ts'
import type { Fields } from './fields.ts'
import { hostPort } from './places.ts'
import {
  interfaceAddress,
  ipAddress,
  nodeName,
  orAuto,
  type Reader,
  segmentMtu,
  text,
  vni,
} from './readers.ts'

/** One machine without lnetd. What is missing is in the report, and then the whole file is refused. */
export function readStaticMember(fields: Fields): StaticMember {
  return {
    name: fields.need('name', nodeName) ?? ('' as NodeName),
    publicKey: fields.need('public_key', wireguardKey) ?? ('' as WireguardPublicKey),
    endpoint: fields.read('endpoint', hostPort(tunnelPortDefault)),
    vtep: fields.read('vtep', orAuto(ipAddress)),
    mtu: fields.read('mtu', segmentMtu) ?? staticTunnelMtuBytesDefault,
    segments: (fields.sections('segments', readSegment, segmentsPerMemberMax) ?? []).toSorted(
      (a, b) => a.vni - b.vni,
    ),
  }
}

const tunnelPortDefault = 51_820 as Port
const wireguardKey: Reader<WireguardPublicKey> = text(
  'a WireGuard public key, 44 characters of base64',
  parseWireguardPublicKey,
)
const mac: Reader<MacAddress> = text('a MAC such as 02:00:5e:00:53:01, no group address', parseMacAddress)

function readSegment(fields: Fields): StaticSegment {
  const addresses = fields.readList('addresses', interfaceAddress, overlayAddressesPerSegmentMax) ?? []
  return {
    vni: fields.need('vni', vni) ?? (0 as Vni),
    mac: fields.read('mac', mac),
    addresses: addresses.toSorted(compareAddresses),
  }
}
