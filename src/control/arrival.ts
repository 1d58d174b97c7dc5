import { setTimeout as sleep } from 'node:timers/promises'
import {
  arrivalPollMilliseconds,
  arrivalSecondsMax,
  claimGraceSeconds,
  everyPlaceSeconds,
  refusalSecondsMin,
} from '../model/limits.ts'
import { ask, type Reply } from './client.ts'
import type { StatusView } from './protocol.ts'
import { plural, printable } from './text.ts'

const goesOn = 'lnetd goes on trying: lnetctl status tells how it is'

/** How a node that was just started is doing. */
export type Arrival =
  | { readonly state: 'in'; readonly sentence: string; readonly notices: readonly string[] }
  /** Nothing can be said yet; the reasons are what it would be when nothing changes any more. */
  | { readonly state: 'waiting'; readonly reasons: readonly string[] }
  /** Waiting does not help. */
  | { readonly state: 'wrong'; readonly reasons: readonly string[] }

/** lnetd as a service that was just started. */
export interface StartedService {
  /** Why it did not start, in sentences, as far as it left word. */
  refusals(): Promise<readonly string[]>
}

/** `others`: whether there have to be any, as for one who joins. */
export function judgeArrival(view: StatusView, others: boolean): Arrival {
  const reasons = reasonsOf(view, others)
  const isIn = others ? view.ready && view.members.up > 0 : isSettled(view)
  if (isIn && hasAddresses(view)) return { state: 'in', sentence: inSentence(view), notices: notices(view) }
  return { state: others && isHopeless(view) ? 'wrong' : 'waiting', reasons }
}

/** Asks the daemon until it is in, or until it is known why not. */
export async function awaitArrival(
  socket: string,
  others: boolean,
  service: StartedService,
): Promise<Arrival> {
  const began = performance.now()
  for (;;) {
    const reply = await ask(socket, 'status')
    const seconds = (performance.now() - began) / 1000
    const arrival = reply.ok ? judgeArrival(reply.view, others) : await judgeSilence(reply, service, seconds)
    if (arrival.state === 'in') return arrival
    if (arrival.state === 'wrong' || seconds >= arrivalSecondsMax)
      return { state: 'wrong', reasons: reply.ok ? [...arrival.reasons, goesOn] : arrival.reasons }
    await sleep(arrivalPollMilliseconds)
  }
}

/** A daemon that cannot be asked has said in its log why. Some starts are refused once, and not the next time. */
async function judgeSilence(
  reply: Exclude<Reply<StatusView>, { ok: true }>,
  service: StartedService,
  seconds: number,
): Promise<Arrival> {
  const refusals = seconds < refusalSecondsMin ? [] : await service.refusals()
  if (refusals.length > 0) return { state: 'wrong', reasons: refusals.map(printable) }
  const silence = 'lnetd does not answer: journalctl -u lnetd -n 20 tells why'
  return { state: 'waiting', reasons: [reply.kind === 'failed' ? reply.message : silence] }
}

/** No place answers at all, and nobody was found by multicast meanwhile; or one answers and does not understand. */
function isHopeless({ dials: all, neighbours, uptime_seconds: uptime }: StatusView): boolean {
  if (neighbours.length > 0) return false
  // Who dials this node may be anybody.
  const dials = all.filter(({ direction }) => direction === 'outbound')
  if (dials.some(dial => dial.secret_may_differ)) return true
  return uptime >= everyPlaceSeconds && dials.length > 0 && !dials.some(dial => dial.answers)
}

function notices({ problems }: StatusView): readonly string[] {
  return problems.filter(({ severity }) => severity === 'notice').map(({ message }) => printable(message))
}

/** A first node has nobody to wait for, but time to see whether there is somebody after all. */
function isSettled({ ready, tunnel, uptime_seconds: uptime }: StatusView): boolean {
  return ready || (tunnel?.up === true && uptime > claimGraceSeconds)
}

/** The devices have every address this node announces. */
function hasAddresses({ self, segments }: StatusView): boolean {
  return (self?.segments ?? []).every(({ vni, addresses }) => {
    const device = segments.find(segment => segment.vni === vni)
    return device !== undefined && device.addresses.length >= addresses.length
  })
}

function inSentence({ members, self, segments }: StatusView): string {
  const others =
    members.up === 0 ? 'the first node of its mesh' : `in the mesh with ${plural(members.up, 'other')}`
  const places = segments.flatMap(({ interface: device, addresses }) =>
    addresses.slice(0, 1).map(address => `${bare(address)} on ${device}`),
  )
  const name = self === null ? '' : `${self.name} is `
  return printable([`${name}${others}`, ...places].join(', '))
}

function reasonsOf(view: StatusView, others: boolean): readonly string[] {
  const reasons = [
    ...view.problems.map(({ message }) => message),
    ...(others ? absenceReasons(view) : []),
    ...(view.ready ? [] : [`lnetd still waits for ${view.waiting.join(' and ')}`]),
  ]
  return [...new Set(reasons)].map(printable)
}

function absenceReasons(view: StatusView): readonly string[] {
  if (view.members.up > 0) return []
  if (view.members.known > view.members.left) {
    const port = view.tunnel?.port ?? null
    const tunnel = port === null ? 'the tunnel port' : `UDP port ${port}`
    const first = view.unreachable[0]?.reason ?? null
    return [
      `the others are known, but none answers through the tunnel: open ${tunnel} on one of the two sides`,
      ...(first === null ? [] : [first]),
    ]
  }
  const isExplained = view.problems.some(
    ({ code, severity }) =>
      severity === 'degraded' && (code === 'no-neighbour' || code === 'secret-may-differ'),
  )
  if (isExplained) return []
  return view.neighbours.length > 0
    ? ['another node answers gossip and has not said anything yet: see lnetctl status in some seconds']
    : ['no other node was found: check the bootstrap addresses and their TCP port, or make a fresh token']
}

function bare(address: string): string {
  return address.slice(0, address.indexOf('/'))
}
