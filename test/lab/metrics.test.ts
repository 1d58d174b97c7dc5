import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLab, eventually, type Lab } from './lab.ts'
import type { LabNode } from './node.ts'
import { node24 } from './root.ts'

/** Two real daemons, of which the first serves metrics and the second is told to later. */
let lab: Lab
let first: LabNode
let second: LabNode
const place = '127.0.0.1:51822'

beforeAll(async () => {
  lab = await createLab({
    nodes: 2,
    configure: (base, index) => (index === 1 ? { ...base, metrics: place } : base),
  })
  ;[first, second] = lab.nodes as [LabNode, LabNode]
  for (const node of lab.nodes) node.start()
  for (const node of lab.nodes) await node.listening()
})
afterAll(() => lab.cleanup())

describe('metrics', () => {
  it('tell that the other one is up, and what its tunnel carried', async () => {
    const { status, body } = await eventually('n2 is up, and in the flood list', async () => {
      const answer = await scrape(first)
      const wanted = [
        /^lnet_member_up\{member="n2",node="12D3\w+"\} 1$/m,
        /^lnet_segment_flood_entries\{interface="vlnet0"\} 1$/m,
      ]
      return wanted.every(line => line.test(answer.body)) && answer
    })
    expect(status).toBe(200)
    expect(body).toMatch(/^lnet_members\{state="up"\} 1$/m)
    expect(body).toMatch(/^lnet_ready 1$/m)
    expect(body).toMatch(/^lnet_neighbours\{direction="inbound"\} 1$/m)
    const before = receivedBytes(body)
    const peers = await first.ask('peers')
    const vtep = peers.ok ? (peers.view.peers[0]?.vtep as string) : ''
    await first.namespace.must(['ping', '-n', '-q', '-c', '4', '-i', '0.2', '-s', '1000', vtep])
    await eventually('the counter grew by the answers', async () => {
      return receivedBytes((await scrape(first)).body) >= before + 4000
    })
  })

  it('hold no secret', async () => {
    const { body } = await scrape(first)
    const state = String(first.configuration.state_dir)
    const { secret_file: secret } = first.configuration.mesh as { secret_file: string }
    for (const file of [secret, join(state, 'wireguard.key')]) {
      const text = readFileSync(file, 'utf8').trim()
      expect(text.length).toBeGreaterThan(40)
      expect(body).not.toContain(text)
    }
  })

  it('are there for this machine alone, and nothing else is', async () => {
    expect((await scrape(first, '/v1/peers')).status).toBe(404)
    expect((await scrape(first, '/metrics', 'POST')).status).toBe(405)
    const { ipv4, ipv6 } = first.underlay
    for (const host of [ipv4, `[${ipv6}]`]) {
      const outside = await get(second, `http://${host}:51822/metrics`, 'GET')
      expect(outside.body).toContain('ECONNREFUSED')
    }
  })

  it('survive askers that never finish', async () => {
    const [host, port] = place.split(':')
    const script = `const sockets = Array.from({ length: 64 }, () => require('net').connect(${port}, '${host}'))
      for (const socket of sockets) socket.on('error', () => {}).write('GET /metrics HTTP/1.1\\r\\n')
      const closed = sockets.map(socket => new Promise(resolve => socket.on('close', resolve).resume()))
      Promise.all(closed).then(() => console.log('all closed'))`
    const { stdout } = await first.namespace.run([node24, '-e', script], { milliseconds: 60_000 })
    expect(stdout).toBe('all closed')
    expect((await scrape(first)).status).toBe(200)
  })

  it('come by reload, once their place is free, and the daemon goes on without them', async () => {
    const holding = second.namespace.run([node24, '-e', holder()], { milliseconds: 120_000 })
    await eventually('the place is taken', async () => {
      return (await second.namespace.must(['ss', '-Hltn'])).includes(place)
    })
    reload(second, place)
    const refused = await eventually('it is said', () => notServed(second)[0] ?? null)
    expect(refused.reason).toBe(
      `metrics cannot be served on ${place} (the port is taken): set another address under metrics, then reload lnetd`,
    )
    const reply = await second.ask('status')
    expect(reply.ok && reply.view.members.up).toBe(1)
    expect((await scrape(second, '/end')).body).toBe('ended')
    await holding
    reload(second, place)
    await eventually('n2 is scraped', async () => (await scrape(second)).status === 200)
    expect(notServed(second)).toHaveLength(1)
    reload(second, 'off')
    await eventually('nobody answers', async () => (await scrape(second)).body.includes('ECONNREFUSED'))
    expect(await second.stop()).toBe(0)
  })
})

interface Answer {
  /** 0: none, and the body tells why. */
  readonly status: number
  readonly body: string
}

function scrape(node: LabNode, path = '/metrics', method = 'GET'): Promise<Answer> {
  return get(node, `http://${place}${path}`, method)
}

/** Asks from inside the node. */
async function get(node: LabNode, url: string, method: string): Promise<Answer> {
  const script = `fetch('${url}', { method: '${method}', signal: AbortSignal.timeout(10000) })
    .then(async reply => ({ status: reply.status, body: await reply.text() }))
    .catch(error => ({ status: 0, body: String(error.cause?.code ?? error) }))
    .then(answer => console.log(JSON.stringify(answer)))`
  return JSON.parse(await node.namespace.must([node24, '-e', script])) as Answer
}

function receivedBytes(body: string): number {
  return Number(/^lnet_member_receive_bytes_total\{member="n2",.*\} (\d+)$/m.exec(body)?.[1])
}

/** Another program at the place, which ends once it was asked. */
function holder(): string {
  const [host, port] = place.split(':')
  return `const server = require('http').createServer((_, response) => {
    response.writeHead(200, { connection: 'close' }).end('ended')
    server.close()
  }).listen(${port}, '${host}')`
}

function reload(node: LabNode, metrics: string): void {
  node.configuration = { ...node.configuration, metrics }
  node.write()
  process.kill(node.pid() as number, 'SIGHUP')
}

function notServed(node: LabNode) {
  return node.logs().filter(({ event }) => event === 'metrics.not_served')
}
