import { mkdtempSync, rmSync } from 'node:fs'
import { request, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { boundedServer, closeServer, listen } from '../../src/control/http.ts'
import { answerMetrics } from '../../src/control/metrics-server.ts'
import type { ControlSource } from '../../src/control/snapshot.ts'
import { member, snapshot, sourceOf, track } from './snapshots.ts'

/** Over a unix socket: unit tests make no network. */
let directory: string
let server: Server

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lnet-metrics-'))
})

afterEach(async () => {
  await closeServer(server)
  rmSync(directory, { recursive: true, force: true })
})

async function serve(changes: Partial<ControlSource> = {}): Promise<void> {
  const source = sourceOf(snapshot([member(2)], [track(2)]), changes)
  server = boundedServer({ connectionsMax: 4, idleSecondsMax: 5 }, answerMetrics(source))
  await listen(server, { path: join(directory, 'socket') })
}

interface Answer {
  readonly status: number | undefined
  readonly type: string | undefined
  readonly body: string
}

function ask(path: string, method = 'GET', headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: join(directory, 'socket'), path, method, headers, agent: false }
    const sent = request(options, response => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () =>
        resolve({ status: response.statusCode, type: response.headers['content-type'], body }),
      )
    })
    sent.once('error', reject).end()
  })
}

describe('the metrics server', () => {
  it('answers GET /metrics in the format Prometheus asks for', async () => {
    await serve()
    const { status, type, body } = await ask('/metrics?match=all')
    expect({ status, type }).toEqual({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8' })
    expect(body).toContain('lnet_member_up{member="node2",')
  })

  it.each([
    ['GET', '/', 404],
    ['GET', '/v1/peers', 404],
    ['POST', '/v1/down', 404],
    ['POST', '/metrics', 405],
    ['DELETE', '/metrics', 405],
  ])('refuses %s %s', async (method, path, status) => {
    await serve()
    expect(await ask(path, method)).toMatchObject({ status })
  })

  it.each([
    ['127.0.0.1:51822', 200],
    ['[::1]:51822', 200],
    ['localhost', 200],
    ['LOCALHOST:9999', 200],
    ['rebound.example.org', 403],
    ['rebound.example.org:51822', 403],
    ['localhost.example.org', 403],
    ['127.0.0.1.example.org:51822', 403],
  ])('answers one who asks for the host "%s" with %i', async (host, status) => {
    await serve()
    expect(await ask('/metrics', 'GET', { host })).toMatchObject({ status })
  })

  it('looks at the daemon once for many who ask at once', async () => {
    let looks = 0
    await serve({
      snapshot: async () => {
        looks += 1
        return snapshot()
      },
    })
    const answers = await Promise.all([1, 2, 3, 4].map(() => ask('/metrics')))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(looks).toBe(1)
  })

  it('says that it failed, and goes on', async () => {
    await serve({ snapshot: () => Promise.reject(new Error('no kernel')) })
    expect(await ask('/metrics')).toMatchObject({
      status: 500,
      body: 'lnetd could not answer: no kernel\n',
    })
    expect(await ask('/metrics')).toMatchObject({ status: 500 })
  })

  it('refuses headers without an end', async () => {
    await serve()
    const answer = await ask('/metrics', 'GET', { 'x-long': 'a'.repeat(20_000) }).catch(
      (error: Error) => error,
    )
    expect(answer instanceof Error || answer.status === 400).toBe(true)
    expect(await ask('/metrics')).toMatchObject({ status: 200 })
  })
})
