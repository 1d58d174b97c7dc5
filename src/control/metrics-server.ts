import type { RequestListener, Server, ServerResponse } from 'node:http'
import { type Endpoint, hostOf, portOf } from '../model/address.ts'
import { failed, ok, type Result } from '../model/failure.ts'
import { controlReadSecondsMax, metricsConnectionsMax, metricsFreshMilliseconds } from '../model/limits.ts'
import { boundedServer, closeServer, listen } from './http.ts'
import { metricsText } from './metrics.ts'
import type { ControlSource } from './snapshot.ts'

export interface MetricsServer {
  /** Answers at this place from now on and nowhere else; null: nowhere. When it fails, nowhere: a later call tries again. */
  serve(place: Endpoint | null): Promise<Result<void>>
  close(): Promise<void>
}

/** Answers `GET /metrics`, and nothing else, to whoever reaches the place. Nothing depends on it. */
export function createMetricsServer(source: Pick<ControlSource, 'snapshot'>): MetricsServer {
  const answer = answerMetrics(source)
  let open: { readonly place: Endpoint; readonly server: Server } | null = null

  async function close(): Promise<void> {
    const closing = open
    open = null
    if (closing !== null) await closeServer(closing.server)
  }

  async function serve(place: Endpoint | null): Promise<Result<void>> {
    if (place === (open?.place ?? null)) return ok(undefined)
    await close()
    if (place === null) return ok(undefined)
    const bounds = { connectionsMax: metricsConnectionsMax, idleSecondsMax: controlReadSecondsMax }
    const server = boundedServer(bounds, answer)
    try {
      await listen(server, { host: hostOf(place), port: portOf(place) })
      open = { place, server }
      return ok(undefined)
    } catch (error) {
      return placeRefusal(place, error)
    }
  }

  return { serve, close }
}

/** Answers one request; its path, its method, the host it asks for and nothing else of it counts. */
export function answerMetrics(source: Pick<ControlSource, 'snapshot'>): RequestListener {
  const text = freshText(source)
  return ({ method, url = '', headers }, response) => {
    if (!isOwnHost(headers.host)) return send(response, 403, 'ask by address, or as localhost\n')
    if (url.split('?', 1)[0] !== '/metrics') return send(response, 404, 'only /metrics is here\n')
    if (method !== 'GET') return send(response, 405, '/metrics takes GET only\n')
    text().then(
      found => send(response, 200, found),
      (error: Error) => send(response, 500, `lnetd could not answer: ${error.message}\n`),
    )
  }
}

/** A web page can have a browser here ask loopback under the name of its own site, and no other: by DNS rebinding. */
function isOwnHost(host: string | undefined): boolean {
  return host === undefined || /^(localhost|[\d.]+|\[[\da-f:.]+\])(:\d+)?$/i.test(host)
}

/** The text of now, shared by all who ask within metricsFreshMilliseconds: each look costs a tool. */
function freshText(source: Pick<ControlSource, 'snapshot'>): () => Promise<string> {
  let latest: Promise<string> | null = null
  return () => {
    if (latest !== null) return latest
    latest = source.snapshot().then(metricsText)
    const expire = () => {
      setTimeout(() => {
        latest = null
      }, metricsFreshMilliseconds).unref()
    }
    latest.then(expire, expire)
    return latest
  }
}

function send(response: ServerResponse, status: number, text: string): void {
  const bytes = Buffer.from(text)
  response.writeHead(status, {
    'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    'content-length': bytes.length,
    connection: 'close',
  })
  response.end(bytes)
}

function placeRefusal(place: Endpoint, error: unknown): Result<never> {
  const code = (error as NodeJS.ErrnoException).code ?? String(error)
  const reasons: Record<string, string> = {
    EADDRINUSE: 'the port is taken',
    EACCES: 'ports below 1024 are for root',
    EADDRNOTAVAIL: 'this machine does not have that address',
  }
  return failed(`metrics cannot be served on ${place}`, {
    why: reasons[code] ?? code,
    remedy: 'set another address under metrics, then reload lnetd',
  })
}
