import type { IpAddress } from '../model/address.ts'
import type { PingTime } from '../model/ping.ts'
import { type PeerRow, schema } from './protocol.ts'
import { printable } from './text.ts'

export type PingLayer = 'underlay' | 'tunnel' | 'overlay'

export interface PingTarget {
  readonly layer: PingLayer
  readonly address: IpAddress
}

/** One time a target, in their order. */
export type PingRound = readonly PingTime[]

/** `lnetctl ping --json`. */
export interface PingReport {
  readonly schema: typeof schema
  readonly name: string
  readonly node: string
  readonly layers: readonly LayerReport[]
  /** Every segment answered at least once. */
  readonly answers: boolean
  /** What follows from it, in one sentence. */
  readonly verdict: string
}

export interface LayerReport extends PingTarget {
  readonly sent: number
  readonly received: number
  /** Milliseconds; null when nothing came back. */
  readonly min_ms: number | null
  readonly avg_ms: number | null
  readonly max_ms: number | null
}

/** Where one member is: outside, in the tunnel, and in each segment we share. */
export function pingTargets({ endpoint, vtep, segments }: PeerRow): readonly PingTarget[] {
  const outside = endpoint === null ? null : hostText(endpoint)
  const shared = segments.filter(segment => segment.interface !== null)
  return [
    ...(outside === null ? [] : [{ layer: 'underlay' as const, address: outside }]),
    { layer: 'tunnel', address: vtep },
    ...shared.flatMap(({ addresses }) =>
      addresses.slice(0, 1).map(address => ({
        layer: 'overlay' as const,
        address: address.slice(0, address.indexOf('/')) as IpAddress,
      })),
    ),
  ]
}

/** `203.0.113.7` of `203.0.113.7:51820`. Not by model/address: its parser is half of what lnetctl would load. */
export function hostText(place: string): IpAddress {
  return place.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1') as IpAddress
}

export function pingReport(
  { name, node }: Pick<PeerRow, 'name' | 'node'>,
  targets: readonly PingTarget[],
  rounds: readonly PingRound[],
): PingReport {
  const layers = targets.map((target, index) =>
    layerReport(
      target,
      rounds.map(round => round[index] ?? null),
    ),
  )
  const overlay = layers.filter(({ layer }) => layer === 'overlay')
  const answers = overlay.length > 0 && overlay.every(({ received }) => received > 0)
  return { schema, name, node, layers, answers, verdict: verdictOf(name, layers, answers) }
}

/** `gauss: underlay 0.31 ms, tunnel 0.52 ms, overlay no answer`. */
export function roundLine(name: string, targets: readonly PingTarget[], round: PingRound): string {
  const parts = targets.map(({ layer }, index) => `${layer} ${timeText(round[index] ?? null)}`)
  return `${printable(`${name}: ${parts.join(', ')}`)}\n`
}

export function reportPage({ layers, verdict }: PingReport): string {
  const lines = layers.map(({ layer, address, sent, received, min_ms, avg_ms, max_ms }) => {
    const times = avg_ms === null ? '' : `, ${min_ms}/${avg_ms}/${max_ms} ms least/mean/most`
    return `${layer.padEnd(8)}  ${address}: ${received} of ${sent} answered${times}`
  })
  return [...lines, verdict].map(line => `${printable(line)}\n`).join('')
}

function layerReport(target: PingTarget, times: readonly PingTime[]): LayerReport {
  const answered = times.filter(time => time !== null)
  const rounded = (value: number) => Math.round(value * 1000) / 1000
  const none = { min_ms: null, avg_ms: null, max_ms: null }
  const figures = {
    min_ms: Math.min(...answered),
    avg_ms: rounded(answered.reduce((sum, time) => sum + time, 0) / answered.length),
    max_ms: Math.max(...answered),
  }
  return {
    ...target,
    sent: times.length,
    received: answered.length,
    ...(answered.length === 0 ? none : figures),
  }
}

function verdictOf(name: string, layers: readonly LayerReport[], answers: boolean): string {
  const heard = (layer: PingLayer) => layers.some(each => each.layer === layer && each.received > 0)
  const has = (layer: PingLayer) => layers.some(each => each.layer === layer)
  if (answers && !heard('underlay'))
    return `${name} answers; that its underlay is silent is its firewall's choice`
  if (answers) return `${name} answers on every layer`
  if (!has('overlay')) return `${name} has no address in a segment of this node: see lnetctl peer ${name}`
  if (heard('tunnel'))
    return `${name} answers through the tunnel and not on the overlay: its firewall drops VXLAN (UDP 4789 in by the tunnel) or ping; lnetctl doctor there tells more`
  if (heard('underlay'))
    return `${name} is there and its tunnel is silent: is its UDP port blocked? see lnetctl peer ${name}`
  return `${name} does not answer at all: see lnetctl peer ${name}`
}

function timeText(time: PingTime): string {
  return time === null ? 'no answer' : `${time} ms`
}
