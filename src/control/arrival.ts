import { setTimeout as sleep } from 'node:timers/promises'
import { arrivalPollMilliseconds, arrivalSecondsMax, claimGraceSeconds } from '../model/limits.ts'
import { ask, type Reply } from './client.ts'
import type { StatusView } from './protocol.ts'
import { plural, printable } from './text.ts'

/** How a node that was just started is doing. */
export type Arrival =
  | { readonly state: 'in'; readonly sentence: string }
  /** Nothing can be said yet; the reasons are what it would be when nothing changes any more. */
  | { readonly state: 'waiting'; readonly reasons: readonly string[] }
  /** Waiting does not help. */
  | { readonly state: 'wrong'; readonly reasons: readonly string[] }

/** `others`: whether there have to be any, as for one who joins. */
export function judgeArrival(view: StatusView, others: boolean): Arrival {
  const reasons = reasonsOf(view, others)
  const isIn = others ? view.ready && view.members.up > 0 : isSettled(view)
  if (isIn && hasAddresses(view)) return { state: 'in', sentence: inSentence(view) }
  const secretDiffers = view.dials.some(dial => dial.secret_may_differ) && view.neighbours.length === 0
  return { state: secretDiffers ? 'wrong' : 'waiting', reasons }
}

/** Asks the daemon until it is in, or until it is known why not. */
export async function awaitArrival(
  socket: string,
  others: boolean,
  secondsMax = arrivalSecondsMax,
): Promise<Arrival> {
  const deadline = performance.now() + secondsMax * 1000
  for (;;) {
    const arrival = judgeReply(await ask(socket, 'status'), others)
    if (arrival.state !== 'waiting') return arrival
    if (performance.now() >= deadline) return { ...arrival, state: 'wrong' }
    await sleep(arrivalPollMilliseconds)
  }
}

function judgeReply(reply: Reply<StatusView>, others: boolean): Arrival {
  if (reply.ok) return judgeArrival(reply.view, others)
  return { state: 'waiting', reasons: reply.kind === 'failed' ? [reply.message] : [] }
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
  if (view.problems.some(({ code }) => code === 'no-neighbour' || code === 'secret-may-differ')) return []
  return view.neighbours.length > 0
    ? ['another node answers gossip and has not said anything yet: see lnetctl status in some seconds']
    : ['no other node was found: check the bootstrap addresses and their TCP port, or make a fresh token']
}

function bare(address: string): string {
  return address.slice(0, address.indexOf('/'))
}
