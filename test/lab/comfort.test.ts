import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DoctorView } from '../../src/control/doctor.ts'
import type { PingReport } from '../../src/control/ping-report.ts'
import { createLab, eventually, type Lab } from './lab.ts'
import type { LabNode } from './node.ts'

/** What lnetctl offers beside the views, over two real daemons. */
let lab: Lab
let first: LabNode
let second: LabNode

beforeAll(async () => {
  lab = await createLab({ nodes: 2 })
  ;[first, second] = lab.nodes as [LabNode, LabNode]
  for (const node of lab.nodes) node.start()
  for (const node of lab.nodes) await node.listening()
  await eventually('both are up', async () => {
    const replies = await Promise.all(lab.nodes.map(node => node.ask('status')))
    return replies.every(reply => reply.ok && reply.view.ready && reply.view.members.up === 1)
  })
})
afterAll(() => lab.cleanup())

describe('lnetctl events', () => {
  it('tells who came, and still does after a restart', async () => {
    const events = await eventually('n2 joined and answers', async () => {
      const reply = await first.ask('events')
      const told = reply.ok ? reply.view.events : []
      return told.some(({ kind, name }) => kind === 'up' && name === 'n2') && told
    })
    expect(events.map(({ kind, name }) => `${kind} ${name}`)).toContain('joined n2')
    expect(await first.stop()).toBe(0)
    first.start()
    await first.listening()
    const again = await first.lnetctl(['events', '--json'])
    const lines = again.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { kind: string; number: number })
    expect(lines.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['joined', 'stopped']))
    expect(lines.map(({ number }) => number)).toEqual(
      lines.map((_, index) => (lines[0]?.number ?? 0) + index),
    )
  })
})

describe('lnetctl ping', () => {
  it('tells the layers apart', async () => {
    await eventually('n1 is up again', async () => {
      const reply = await first.ask('status')
      return reply.ok && reply.view.ready && reply.view.members.up === 1
    })
    const { exitCode, stdout } = await first.lnetctl(['ping', 'n2', '-c', '2', '-i', '0.2', '--json'])
    const report = JSON.parse(stdout) as PingReport
    expect(report.layers.map(({ layer, sent, received }) => [layer, sent, received])).toEqual([
      ['underlay', 2, 2],
      ['tunnel', 2, 2],
      ['overlay', 2, 2],
    ])
    expect(exitCode).toBe(0)
  })

  it('exits with 1 when the overlay alone is silent', async () => {
    const rule = 'table inet test { chain c { type filter hook input priority 0; iifname "vlnet0" drop; }; }'
    await second.namespace.must(['nft', rule])
    const { exitCode, stdout } = await first.lnetctl(['ping', 'n2', '-c', '1'])
    await second.namespace.must(['nft', 'delete', 'table', 'inet', 'test'])
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/overlay no answer/)
    expect(stdout).toContain('answers through the tunnel and not on the overlay')
  })
})

describe('lnetctl doctor', () => {
  async function examined(): Promise<DoctorView & { readonly exitCode: number }> {
    const { exitCode, stdout } = await first.lnetctl(['doctor', '--json', '--config', first.write()])
    return { ...(JSON.parse(stdout) as DoctorView), exitCode }
  }

  it('finds nothing wrong in a mesh that works', async () => {
    const { exitCode, healthy, findings } = await examined()
    expect(findings.filter(({ state }) => state === 'wrong')).toEqual([])
    expect({ exitCode, healthy }).toEqual({ exitCode: 0, healthy: true })
    expect(findings).toContainEqual(expect.objectContaining({ check: 'mtu', state: 'ok' }))
  })

  it('finds a path that lost large packets', async () => {
    const rule =
      'table inet test { chain c { type filter hook input priority 0; udp dport 51820 meta length > 1300 drop; ip frag-off & 0x1fff != 0 drop; }; }'
    await second.namespace.must(['nft', rule])
    const { exitCode, findings } = await examined()
    await second.namespace.must(['nft', 'delete', 'table', 'inet', 'test'])
    expect(findings.filter(({ state }) => state === 'wrong')).toMatchObject([
      { check: 'mtu', what: expect.stringContaining('vanish in the tunnel') },
    ])
    expect(exitCode).toBe(4)
  })

  it('works without a daemon', async () => {
    expect(await first.stop()).toBe(0)
    const { exitCode, findings } = await examined()
    expect(findings.filter(({ state }) => state === 'wrong')).toMatchObject([{ check: 'daemon' }])
    expect(exitCode).toBe(4)
  })
})
