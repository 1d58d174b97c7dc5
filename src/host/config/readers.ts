import {
  type InterfaceAddress,
  type InterfaceName,
  type IpAddress,
  type Port,
  parseInterfaceAddress,
  parseInterfaceName,
  parseIpAddress,
  parsePort,
} from '../../model/address.ts'
import {
  floodFramesPerSecondMax,
  floodFramesPerSecondMin,
  interfaceNameCharactersMax,
  mtuBytesMax,
  mtuBytesMin,
  pathCharactersMax,
  socketPathBytesMax,
  vniMax,
} from '../../model/limits.ts'
import {
  type MeshId,
  type NodeName,
  nodeNameFromHostname,
  parseMeshId,
  parseNodeName,
} from '../../model/node.ts'
import { parseVni, type Vni } from '../../model/segment.ts'
import { parseMeshSecret } from '../secret.ts'

/** One YAML value: what it means and how it was written. */
export interface Plain {
  readonly value: unknown
  readonly text: string
}

export type Reading<Value> = { readonly value: Value } | { readonly problem: string }
export type Reader<Value> = (plain: Plain) => Reading<Value>

export const port: Reader<Port> = number('1 to 65535', parsePort)
/** Not below what IPv6 needs. */
export const segmentMtu: Reader<number> = number(`${mtuBytesMin} to ${mtuBytesMax}`, value =>
  Number.isInteger(value) && value >= mtuBytesMin && value <= mtuBytesMax ? value : null,
)
/** Frames a second. */
export const floodLimit: Reader<number | 'off'> = plain => {
  const { value } = plain
  const isRate = Number.isInteger(value) && Number(value) >= floodFramesPerSecondMin
  if (value === 'off' || (isRate && Number(value) <= floodFramesPerSecondMax))
    return { value: value as number | 'off' }
  return refuse(`off or frames a second, ${floodFramesPerSecondMin} to ${floodFramesPerSecondMax}`, plain)
}
export const vni: Reader<Vni> = number(`1 to ${vniMax}`, parseVni)

export const interfaceName: Reader<InterfaceName> = text(
  `an interface name: a letter, then letters, digits, - and _, at most ${interfaceNameCharactersMax} together`,
  value => (reservedInterfaces.has(value) ? null : parseInterfaceName(value)),
)

export const nodeName: Reader<NodeName> = plain => {
  const name = parseNodeName(plain.text)
  if (name !== null) return { value: name }
  return refuse(
    `a host name of lower-case letters, digits and hyphens, such as ${nodeNameFromHostname(plain.text)}`,
    plain,
  )
}

export const meshId: Reader<MeshId> = text('32 hexadecimal digits, lower case', parseMeshId)
export const ipAddress: Reader<IpAddress> = text('an IP address without a length', parseIpAddress)
export const interfaceAddress: Reader<InterfaceAddress> = text(
  'an IP address with its length, such as 192.168.102.1/24',
  parseInterfaceAddress,
)

/** Never shows what was written. */
export const inlineSecret: Reader<string> = ({ text: secret }) =>
  parseMeshSecret(secret) === null
    ? { problem: 'must be the base64 of 32 bytes, as `wg genpsk` makes it' }
    : { value: secret }

export const absolutePath: Reader<string> = text('an absolute path', value =>
  value.startsWith('/') && value.length <= pathCharactersMax && !value.includes('\0') ? value : null,
)

export const socketPath: Reader<string> = text(
  `an absolute path of at most ${socketPathBytesMax} bytes`,
  value =>
    value.startsWith('/') && Buffer.byteLength(value) <= socketPathBytesMax && !value.includes('\0')
      ? value
      : null,
)

export const flag: Reader<boolean> = plain =>
  typeof plain.value === 'boolean' ? { value: plain.value } : refuse('true or false', plain)

export function choice<Value extends string>(...values: readonly Value[]): Reader<Value> {
  return text(values.join(' or '), value => values.find(known => known === value) ?? null)
}

/** Seconds from `60s`, `2m`, `1h` or `1d`. A number alone is refused: nobody knows what it counts. */
export function duration(secondsMin: number, secondsMax: number): Reader<number> {
  return text(`a duration such as 60s or 2m, from ${secondsMin}s to ${secondsMax}s`, value => {
    const match = /^(\d{1,7})([smhd])$/.exec(value)
    if (match === null) return null
    const seconds = Number(match[1]) * secondsPerUnit[match[2] as keyof typeof secondsPerUnit]
    return seconds >= secondsMin && seconds <= secondsMax ? seconds : null
  })
}

/** The reader's value, or null for the word `auto`. */
export function orAuto<Value>(reader: Reader<Value>): Reader<Value | null> {
  return plain => {
    if (plain.value === 'auto') return { value: null }
    const reading = reader(plain)
    return 'value' in reading
      ? reading
      : { problem: reading.problem.replace(/^must be /, 'must be auto or ') }
  }
}

export function text<Value>(expected: string, parse: (text: string) => Value | null): Reader<Value> {
  return plain => {
    const value = typeof plain.value === 'boolean' ? null : parse(plain.text)
    return value === null ? refuse(expected, plain) : { value }
  }
}

export function refuse(expected: string, plain: Plain): { readonly problem: string } {
  return { problem: `must be ${expected}, got ${show(plain)}` }
}

const secondsPerUnit = { s: 1, m: 60, h: 3600, d: 86_400 } as const
/** `all` and `default` are directories of sysctl, `lo` is the loopback device. */
const reservedInterfaces: ReadonlySet<string> = new Set(['lo', 'all', 'default'])

function number<Value>(expected: string, parse: (value: number) => Value | null): Reader<Value> {
  return plain => {
    const value = typeof plain.value === 'number' ? parse(plain.value) : null
    return value === null ? refuse(expected, plain) : { value }
  }
}

function show({ value, text: written }: Plain): string {
  const shown = written.length > 60 ? `${written.slice(0, 60)}...` : written
  return typeof value === 'string' ? JSON.stringify(shown) : shown
}
