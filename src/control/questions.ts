import { sentenceOf } from '../model/explanation.ts'
import { failed, ok, type Result } from '../model/failure.ts'
import { ask, forget, order } from './client.ts'
import { actionPage, peerPage, planPage, statusPage } from './pages.ts'
import { type Action, type PeerRow, type PeersView, schema } from './protocol.ts'
import { type Answered, answered, exitCodes } from './show.ts'
import { peersTable } from './table.ts'
import { type Paint, printable } from './text.ts'

/** What every question needs: whom to ask, and how to write the answer. */
export interface Asking {
  readonly socket: string
  readonly paint: Paint
  /** Where to wrap; null or absent: nowhere. */
  readonly columns?: number | null
}

export async function askPeers({ socket, paint }: Asking, header: boolean): Promise<Answered> {
  return answered(await ask(socket, 'peers'), view => ({
    page: { text: peersTable(view, header, paint), json: view, code: exitCodes.ok },
  }))
}

/** One member, or this node, by name, node id, or the beginning of an id that only one has. */
export async function askPeer({ socket, paint, columns = null }: Asking, wanted: string): Promise<Answered> {
  return answered(await ask(socket, 'peers'), view => {
    const found = findPeer(view, wanted)
    if (!found.ok) return refuse(sentenceOf(found.failure))
    const row = found.value
    return {
      page: {
        text: peerPage(row, paint, columns),
        json: { schema, mesh: view.mesh, peer: row },
        code: exitCodes.ok,
      },
    }
  })
}

/** Removes a dead member from what this node knows. Of several with one name the dead one is meant. */
export async function orderForget({ socket }: Asking, wanted: string): Promise<Answered> {
  const reply = await ask(socket, 'peers')
  if (!reply.ok) return answered(reply, () => refuse(''))
  const found = findPeers({ ...reply.view, self: null }, wanted)
  const dead = found.filter(row => !isAnswering(row))
  const [row, ...more] = dead.length > 0 ? dead : found
  if (row === undefined) return refuse(`no other member is called ${wanted}: see lnetctl peers`)
  if (more.length > 0)
    return refuse(`${wanted} is more than one member: give one of ${nodesOf([row, ...more])}`)
  return answered(await forget(socket, row.node), view => ({
    page: {
      text: `forgot ${printable(view.name)} (${view.node}), here alone\n`,
      json: view,
      code: exitCodes.ok,
    },
  }))
}

/** The one member, or this node, that is meant: of several with one name the only one that lives. */
export function findPeer(view: PeersView, wanted: string): Result<PeerRow> {
  const all = findPeers(view, wanted)
  const isName = all.every(({ name }) => name === wanted.toLowerCase())
  const live = all.filter(row => row === view.self || isAnswering(row))
  const found = isName && live.length === 1 ? live : all
  const [row] = found
  if (row === undefined) return failed(`no member is called ${wanted}`, { remedy: 'see lnetctl peers' })
  return found.length > 1
    ? failed(`${wanted} is more than one member`, { remedy: `give one of ${nodesOf(found)}` })
    : ok(row)
}

/** With `check`, the exit code says whether this node is all it should be. */
export async function askStatus(
  { socket, paint, columns = null }: Asking,
  check: boolean,
): Promise<Answered> {
  return answered(await ask(socket, 'status'), view => {
    const code = check && view.degraded ? exitCodes.degraded : exitCodes.ok
    return { page: { text: statusPage(view, paint, columns), json: view, code } }
  })
}

export async function askPlan({ socket }: Asking): Promise<Answered> {
  return answered(await ask(socket, 'plan'), view => ({
    page: { text: planPage(view), json: view, code: exitCodes.ok },
  }))
}

/** Both versions; a daemon that is not there has none, which is no error. */
export async function askVersion({ socket }: Asking, lnetctl: string): Promise<Answered> {
  const reply = await ask(socket, 'version')
  const lnetd = reply.ok ? reply.view.version : null
  const told = reply.ok ? printable(reply.view.version) : `not known: ${reply.message}`
  return {
    page: {
      text: `lnetctl ${lnetctl}\nlnetd ${told}\n`,
      json: { schema, lnetctl, lnetd },
      code: exitCodes.ok,
    },
  }
}

/** Takes the data plane down, or leaves the mesh; what could not be done is an error that says so. */
export async function orderAction({ socket }: Asking, action: Action): Promise<Answered> {
  return answered(await order(socket, action), view => {
    if (view.failures.length === 0)
      return { page: { text: actionPage(view), json: view, code: exitCodes.ok } }
    return refuse(`not all was done: ${view.failures.map(({ message }) => printable(message)).join('; ')}`)
  })
}

/** A full name or id wins over the beginnings of ids. */
export function findPeers({ self, peers }: PeersView, wanted: string): readonly PeerRow[] {
  const rows = [...(self === null ? [] : [self]), ...peers]
  const exact = rows.filter(({ name, node }) => name === wanted.toLowerCase() || node === wanted)
  if (exact.length > 0) return exact
  return rows.filter(({ node }) => wanted.length > 0 && node.startsWith(wanted))
}

/** Heard by its tunnel, or by gossip not long ago: how often it promises to speak is only its own word. */
function isAnswering({
  state,
  gossip,
  seen_seconds: seconds,
  handshake_seconds: handshake,
}: PeerRow): boolean {
  if (state === 'up') return true
  return gossip === 'live' && handshake !== null && seconds <= answeringSecondsMax
}

/** Some heartbeats of a mesh of usual size. */
const answeringSecondsMax = 900

/** In full, because one of them has to be pasted. */
function nodesOf(rows: readonly PeerRow[]): string {
  const shown = rows.slice(0, choicesMax).map(({ node }) => node)
  return [...shown, ...(rows.length > choicesMax ? [`${rows.length - choicesMax} more`] : [])].join(' ')
}

const choicesMax = 10

function refuse(message: string): Answered {
  return { refusal: { code: exitCodes.error, message: printable(message) } }
}
