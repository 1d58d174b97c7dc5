import type { Kernel } from '../kernel/port.ts'
import { tunnelLiveness } from '../mesh/liveness.ts'
import { hostAddress, type IpAddress } from '../model/address.ts'
import type { Facts } from '../model/facts.ts'
import type { PathAnswer, UnderlayPath, UnderlayPaths } from '../model/path.ts'
import type { DaemonParts } from './parts.ts'
import type { State } from './state.ts'

/** Keeps what the kernel answers of the routes to members that cannot be reached. */
export interface PathBook {
  /** Asks again for all whose answer is old, those of the first members only in a large mesh. */
  refresh(): Promise<void>
  answers(): UnderlayPaths
}

/** Each takes a socket and a fraction of a millisecond. */
const asksMax = 64
const answerSecondsMax = 10

export function createPathBook(
  { clock, kernel }: { clock: DaemonParts['clock']; kernel: Pick<Kernel, 'path'> },
  state: State,
): PathBook {
  let known = new Map<IpAddress, { readonly answer: PathAnswer; readonly at: number }>()

  async function refresh(): Promise<void> {
    const now = clock.now()
    const wanted = addressesInQuestion(state, now).slice(0, asksMax)
    const fresh = [...known].filter(([, { at }]) => now - at < answerSecondsMax * 1000)
    known = new Map(fresh)
    const missing = wanted.filter(address => !known.has(address))
    const answers = await Promise.all(missing.map(address => kernel.path(address)))
    for (const [index, answer] of answers.entries())
      known.set(missing[index] as IpAddress, { answer, at: clock.now() })
  }

  return {
    refresh,
    answers: () => new Map([...known].map(([address, { answer }]) => [address, pathOf(answer, state.facts)])),
  }
}

function pathOf(answer: PathAnswer, { addresses }: Facts): UnderlayPath {
  if (!answer.ok) return answer
  const isVpn = addresses.some(({ interface: device, kind }) => kind === 'vpn' && device === answer.device)
  return { ok: true, source: answer.source, vpn: isVpn ? answer.device : null }
}

/** Those of endpoints of members that are not up. */
function addressesInQuestion({ membership, tracks }: State, now: number): readonly IpAddress[] {
  const addresses = new Set<IpAddress>()
  for (const { announcement } of membership.values()) {
    const track = tracks.get(announcement.publicKey)
    if (announcement.left || (track !== undefined && tunnelLiveness(track, now) === 'up')) continue
    for (const place of [...announcement.endpoints.map(each => each.place), ...(track?.candidates ?? [])]) {
      const address = hostAddress(place)
      if (address !== null) addresses.add(address)
    }
  }
  return [...addresses]
}
