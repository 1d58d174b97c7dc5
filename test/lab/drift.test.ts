import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PeerRow } from '../../src/control/protocol.ts'
import { createLab, eventually, type Lab } from './lab.ts'
import type { LabNode } from './node.ts'
import { allUp, overlayAddresses, pings, silentPairs } from './overlay.ts'

let lab: Lab
let node: LabNode
let other: LabNode

beforeAll(async () => {
  lab = await createLab({ nodes: 3 })
  ;[node, other] = lab.nodes as [LabNode, LabNode]
  for (const each of lab.nodes) each.start()
  await allUp(lab.nodes)
})
afterAll(() => lab.cleanup())

const zero = '00:00:00:00:00:00'
/** Links, addresses, routes and FDB are seen by events; a second is promised, a loaded machine gets more. */
const eventSeconds = 10
/** WireGuard and nftables tell nothing: they are polled every 5 to 10 s. */
const pollSeconds = 30

describe('what somebody takes away comes back', () => {
  it('a flood entry', async () => {
    const { vtep } = await rowOf(other)
    await change(['bridge', 'fdb', 'del', zero, 'dst', vtep, 'dev', 'vlnet0'])
    await returns(`${zero} dst ${vtep}`, ['bridge', 'fdb', 'show', 'dev', 'vlnet0'], eventSeconds)
  })

  it('the unicast entry of a member', async () => {
    const { vtep, segments } = await rowOf(other)
    const mac = segments[0]?.mac as string
    await change(['bridge', 'fdb', 'del', mac, 'dst', vtep, 'dev', 'vlnet0'])
    await returns(`${mac} dst ${vtep}`, ['bridge', 'fdb', 'show', 'dev', 'vlnet0'], eventSeconds)
  })

  it('an overlay address', async () => {
    const { ipv4 } = await overlayAddresses(node)
    await change(['ip', 'address', 'del', `${ipv4}/24`, 'dev', 'vlnet0'])
    await returns(ipv4, ['ip', 'address', 'show', 'dev', 'vlnet0'], eventSeconds)
  })

  it('the VTEP address', async () => {
    const vtep = (await ownRow()).vtep
    await change(['ip', 'address', 'flush', 'dev', 'lnet0', 'scope', 'global'])
    await returns(vtep, ['ip', '-6', 'address', 'show', 'dev', 'lnet0'], eventSeconds)
  })

  it('the routes', async () => {
    const before = await node.namespace.must(['ip', '-6', 'route', 'show', 'proto', '201'])
    expect(before).not.toBe('')
    await change(['ip', '-6', 'route', 'flush', 'proto', '201'])
    for (const route of before.split('\n'))
      await returns(route.trim(), ['ip', '-6', 'route', 'show', 'proto', '201'], eventSeconds)
  })

  it('the state of a link', async () => {
    await change(['ip', 'link', 'set', 'vlnet0', 'down'])
    await returns('UP', ['ip', '-br', 'link', 'show', 'vlnet0'], eventSeconds)
  })

  it('the MTU of a link', async () => {
    const { mtu } = (await link('vlnet0')) as { mtu: number }
    await change(['ip', 'link', 'set', 'vlnet0', 'mtu', '1280'])
    await returns(`mtu ${mtu} `, ['ip', 'link', 'show', 'vlnet0'], eventSeconds)
  })

  it('the segment device, with everything in it', async () => {
    await change(['ip', 'link', 'del', 'vlnet0'])
    await eventually('all pairs answer again', everyPairAnswers, eventSeconds)
  })

  it('the tunnel device, with everything on it', async () => {
    await change(['ip', 'link', 'del', 'lnet0'])
    await eventually('all pairs answer again', everyPairAnswers, pollSeconds)
  })

  it('a WireGuard peer', async () => {
    const { public_key: key } = await rowOf(other)
    await change(['wg', 'set', 'lnet0', 'peer', key, 'remove'])
    await returns(key, ['wg', 'show', 'lnet0', 'peers'], pollSeconds)
    const { ipv4 } = await overlayAddresses(other)
    await eventually(
      'the member answers',
      async () => ((await pings(node, ipv4)) ? true : null),
      eventSeconds,
    )
  })

  it('the guard', async () => {
    // Tables are listed as they were made, and the guard comes back first. Which MACs were heard is no rule.
    const rules = async () => {
      const listed = await node.namespace.must(['nft', '--stateless', '--terse', 'list', 'ruleset'])
      return listed
        .split(/^(?=table )/m)
        .map(table => table.trim())
        .sort()
        .join()
    }
    const before = await rules()
    expect(before).toContain('4789')
    await change(['nft', 'flush', 'ruleset'])
    await eventually('the guard is back', async () => (await rules()) === before, pollSeconds)
  })
})

describe('what somebody adds to our devices goes', () => {
  it('a foreign WireGuard peer, and it is logged', async () => {
    const key = (await node.namespace.must(['sh', '-c', 'wg genkey | wg pubkey'])).trim()
    await change(['wg', 'set', 'lnet0', 'peer', key, 'allowed-ips', '10.9.9.9/32'])
    await goes(key, ['wg', 'show', 'lnet0', 'peers'], pollSeconds)
    expect(logText()).toContain(key)
  })

  it('a foreign flood entry, and it is logged', async () => {
    await change(['bridge', 'fdb', 'append', zero, 'dst', 'fd00::99', 'dev', 'vlnet0'])
    await goes('fd00::99', ['bridge', 'fdb', 'show', 'dev', 'vlnet0'], eventSeconds)
    expect(logText()).toContain('fd00::99')
  })

  it('a foreign address', async () => {
    await change(['ip', 'address', 'add', '192.168.102.250/24', 'dev', 'vlnet0'])
    await goes('192.168.102.250', ['ip', 'address', 'show', 'dev', 'vlnet0'], eventSeconds)
  })
})

describe('what is not ours stays', () => {
  it('a device, a WireGuard interface, an nftables table of somebody else', async () => {
    await change(['ip', 'link', 'add', 'other0', 'type', 'bridge'])
    await change(['nft', 'add', 'table', 'inet', 'other'])
    await change(['ip', 'route', 'add', '198.51.100.0/24', 'dev', 'eth0'])
    // Something of ours besides, so that a whole reconcile has gone by.
    await change(['ip', 'link', 'set', 'vlnet0', 'down'])
    await returns('UP', ['ip', '-br', 'link', 'show', 'vlnet0'], eventSeconds)
    expect(await link('other0')).toMatchObject({ ifname: 'other0' })
    expect(await node.namespace.must(['nft', 'list', 'tables'])).toContain('table inet other')
    expect(await node.namespace.must(['ip', 'route', 'show'])).toContain('198.51.100.0/24')
  })
})

describe('afterwards', () => {
  it('the mesh is as it was, on all nodes', async () => {
    await eventually('all pairs answer', everyPairAnswers, pollSeconds)
    const { stdout } = await node.lnetctl(['status', '--check'])
    expect(stdout).not.toBe('')
    await eventually('nothing is degraded', async () =>
      (await node.lnetctl(['status', '--check'])).exitCode === 0 ? true : null,
    )
  })
})

async function change(command: readonly string[]): Promise<void> {
  await node.namespace.must(command)
}

async function returns(text: string, command: readonly string[], seconds: number): Promise<void> {
  await eventually(
    `${text} in ${command.join(' ')}`,
    async () => ((await node.namespace.run(command)).stdout.includes(text) ? true : null),
    seconds,
  )
}

async function goes(text: string, command: readonly string[], seconds: number): Promise<void> {
  await eventually(
    `no ${text} in ${command.join(' ')}`,
    async () => ((await node.namespace.must(command)).includes(text) ? null : true),
    seconds,
  )
}

async function everyPairAnswers(): Promise<true | null> {
  return (await silentPairs(lab.nodes)).length === 0 ? true : null
}

async function ownRow(): Promise<PeerRow> {
  const reply = await node.ask('peers')
  if (!reply.ok || reply.view.self === null) throw new Error('no answer')
  return reply.view.self
}

async function rowOf(member: LabNode): Promise<PeerRow> {
  const reply = await node.ask('peers')
  const row = reply.ok ? reply.view.peers.find(({ name }) => name === member.name) : undefined
  if (row === undefined) throw new Error(`${member.name} is not known`)
  return row
}

async function link(name: string): Promise<unknown> {
  return (JSON.parse(await node.namespace.must(['ip', '-json', 'link', 'show', name])) as unknown[])[0]
}

function logText(): string {
  return JSON.stringify(node.logs())
}
