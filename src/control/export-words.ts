import {
  parseEndpoint,
  parseHostPort,
  parseInterfaceAddress,
  parseInterfaceName,
  parseIpAddress,
  parseMacAddress,
  parsePort,
} from '../model/address.ts'
import { mtuBytesMax } from '../model/limits.ts'
import { parseNodeName } from '../model/node.ts'
import { parseVni } from '../model/segment.ts'
import { parseWireguardPublicKey } from '../model/wireguard-key.ts'
import type { PeerRow, PeersView, StatusView } from './protocol.ts'

/**
 * The first value of a view that is not what its type says, as `peers[2].vtep`; null when there is none. An exported file
 * has them in command lines that root's shell runs, whatever answers at the socket.
 */
export function strangeValue({ self, peers }: PeersView, { tunnel, segments }: StatusView): string | null {
  const checks = [
    ...(self === null ? [] : rowChecks(self, 'self')),
    ...peers.flatMap((peer, index) => rowChecks(peer, `peers[${index}]`)),
    ...(tunnel?.addresses ?? []).map(address => check('tunnel.addresses', address, parseInterfaceAddress)),
    ...(tunnel === null
      ? []
      : [optionalCheck('tunnel.port', tunnel.port, parsePort), check('tunnel.mtu', tunnel.mtu, parseMtu)]),
    ...segments.flatMap(({ interface: name, vni, port, mtu }, index) => [
      check(`segments[${index}].interface`, name, parseInterfaceName),
      check(`segments[${index}].vni`, vni, parseVni),
      check(`segments[${index}].port`, port, parsePort),
      check(`segments[${index}].mtu`, mtu, parseMtu),
    ]),
  ]
  return checks.find(place => place !== null) ?? null
}

function rowChecks(row: PeerRow, place: string): readonly (string | null)[] {
  return [
    check(`${place}.name`, row.name, parseNodeName),
    check(`${place}.public_key`, row.public_key, parseWireguardPublicKey),
    check(`${place}.vtep`, row.vtep, parseIpAddress),
    optionalCheck(
      `${place}.endpoint`,
      row.endpoint,
      (text: string) => parseEndpoint(text) ?? parseHostPort(text),
    ),
    check(`${place}.mtu`, row.mtu, parseMtu),
    ...row.segments.flatMap(({ vni, mac, addresses }) => [
      check(`${place}.segments.vni`, vni, parseVni),
      optionalCheck(`${place}.segments.mac`, mac, parseMacAddress),
      ...addresses.map(address => check(`${place}.segments.addresses`, address, parseInterfaceAddress)),
    ]),
  ]
}

/** The place where the value is not exactly what its parser makes of it. */
function check<Value>(place: string, value: Value, parse: (value: Value) => unknown): string | null {
  try {
    return value !== null && parse(value) === value ? null : place
  } catch {
    // A value of another type than the parser takes.
    return place
  }
}

function optionalCheck<Value>(
  place: string,
  value: Value | null,
  parse: (value: Value) => unknown,
): string | null {
  return value === null ? null : check(place, value, parse)
}

function parseMtu(value: number): number | null {
  return Number.isInteger(value) && value > 0 && value <= mtuBytesMax ? value : null
}
