import { chmod } from 'node:fs/promises'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { type Failure, type FailureDetails, failureOf, ok, type Result } from '../model/failure.ts'
import { controlActionSecondsMax, controlConnectionsMax, controlResponseBytesMax } from '../model/limits.ts'
import { parseNodeId } from '../model/node.ts'
import { failureView } from './failure-view.ts'
import { type ForgetView, forgetPath } from './forget-protocol.ts'
import { boundedServer, closeServer, listen } from './http.ts'
import {
  type Action,
  type ActionView,
  actionPaths,
  type ErrorView,
  type Reading,
  readingPaths,
  schema,
  type Views,
} from './protocol.ts'
import type { ControlSource, Snapshot } from './snapshot.ts'
import { claimSocketPath, socketRefusal } from './socket.ts'
import { eventsView, planView, statusView, versionView } from './status-view.ts'
import { peersView } from './views.ts'

export interface ControlServer {
  /** Takes no more questions; answers under way are finished, for at most controlCloseSecondsMax. */
  close(): Promise<void>
}

/** Answers lnetctl on a unix socket that only root can write to. */
export async function openControlServer(path: string, source: ControlSource): Promise<Result<ControlServer>> {
  const claimed = await claimSocketPath(path)
  if (!claimed.ok) return claimed
  const server = makeServer(source)
  try {
    await listen(server, { path })
    await chmod(path, 0o660)
    return ok({ close: () => closeServer(server) })
  } catch (error) {
    server.close()
    return socketRefusal(path, error)
  }
}

/** What a request is answered with. */
interface Answer {
  readonly status: number
  readonly body: object
}

function makeServer(source: ControlSource): Server {
  const bounds = { connectionsMax: controlConnectionsMax, idleSecondsMax: controlActionSecondsMax }
  return boundedServer(bounds, (request, response) => {
    void answer(request, source).then(given => send(response, given))
  })
}

/** Decides by method and path; every way ends in an answer, none in an exception. */
async function answer(request: IncomingMessage, source: ControlSource): Promise<Answer> {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  const reading = nameOf(readingPaths, path)
  const action = nameOf(actionPaths, path)
  if (hasBody(request)) return refusal(413, 'no request to lnetd has a body')
  const forgets = path === forgetPath
  if (reading === null && action === null && !forgets)
    return refusal(404, 'lnetd does not know this question', {
      remedy: 'check that lnetctl and lnetd are of one version',
    })
  const wanted = reading === null ? 'POST' : 'GET'
  if (request.method !== wanted) return refusal(405, `${path} takes ${wanted} only`)
  try {
    if (forgets) return await forget(query, source)
    return action === null ? await read(reading as Reading, query, source) : await act(action, source)
  } catch (error) {
    return refusal(500, 'lnetd could not answer', { why: (error as Error).message })
  }
}

async function read(reading: Reading, query: string, source: ControlSource): Promise<Answer> {
  if (reading === 'events') return { status: 200, body: eventsView(await source.events(numberAfter(query))) }
  if (reading !== 'plan') return { status: 200, body: viewers[reading](await source.snapshot()) }
  const plan = await source.plan()
  return plan.ok ? { status: 200, body: planView(plan.value) } : failure(503, plan.failure)
}

const viewers: { [R in Exclude<Reading, 'plan' | 'events'>]: (snapshot: Snapshot) => Views[R] } = {
  peers: peersView,
  status: statusView,
  version: versionView,
}

/** Of `after=N`; anything else asks for all there is. */
function numberAfter(query: string): number {
  const after = Number(new URLSearchParams(query).get('after') ?? 0)
  return Number.isSafeInteger(after) ? after : 0
}

async function act(action: Action, source: ControlSource): Promise<Answer> {
  const { mesh, state } = await source.snapshot()
  const failures = await source[action]()
  const ours = [
    state?.tunnel?.interface ?? [],
    (state?.segments ?? []).map(segment => segment.interface),
  ].flat()
  const body: ActionView = { schema, action, mesh, removed: ours, failures: failures.map(failureView) }
  return { status: 200, body }
}

async function forget(query: string, source: ControlSource): Promise<Answer> {
  const node = parseNodeId(new URLSearchParams(query).get('node') ?? '')
  if (node === null) return refusal(400, 'node is missing, or is no node id')
  const { mesh } = await source.snapshot()
  const forgotten = await source.forget(node)
  if (!forgotten.ok) return failure(409, forgotten.failure)
  const body: ForgetView = { schema, action: 'forget', mesh, ...forgotten.value }
  return { status: 200, body }
}

function send(response: ServerResponse, { status, body }: Answer): void {
  const bytes = Buffer.from(JSON.stringify(body))
  if (bytes.length > controlResponseBytesMax) {
    send(response, refusal(500, `the answer is larger than ${controlResponseBytesMax} bytes`))
    return
  }
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    connection: 'close',
  })
  response.end(bytes)
}

function nameOf<Name extends string>(paths: Readonly<Record<Name, string>>, path: string): Name | null {
  const entry = Object.entries(paths).find(([, known]) => known === path)
  return entry === undefined ? null : (entry[0] as Name)
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0
}

function refusal(status: number, what: string, details: FailureDetails = {}): Answer {
  return failure(status, failureOf(what, details))
}

function failure(status: number, reason: Failure): Answer {
  const body: ErrorView = { schema, error: failureView(reason) }
  return { status, body }
}
