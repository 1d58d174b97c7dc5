import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { createLab, eventually, type Lab } from './lab.ts'
import type { ConfigurationText, LabNode } from './node.ts'
import { membersUp, pings } from './overlay.ts'

let lab: Lab | null = null
afterEach(() => {
  lab?.cleanup()
  lab = null
})

const names = ['gauss', 'hilbert', 'noether']

describe('a network written by hand', () => {
  it('moves to lnetd machine by machine, under traffic, and one stays as it is', async () => {
    lab = await createLab({ nodes: 4 })
    const [first, second, third, fourth] = lab.nodes as unknown as readonly [
      LabNode,
      LabNode,
      LabNode,
      LabNode,
    ]
    await bringUp([first, second, third])
    for (const from of [first, second, third])
      for (const to of [1, 2, 3])
        if (to !== from.index) await eventually('the recipe works', () => pings(from, `192.168.102.${to}`))

    const before = (await first.namespace.must(['wg', 'show', 'wg0', 'public-key'])).trim()
    const whileFirst = traffic(first, second, third)
    await move(first, [])
    await eventually('both others are up', async () => (await membersUp(first)) === 2)
    const costs = [await lost(whileFirst)]
    expect(costs[0]).toBeLessThan(lostMax)
    expect((await first.namespace.must(['wg', 'show', 'wg0', 'public-key'])).trim()).toBe(before)
    expect((await first.lnetctl(['peers'])).stdout).toMatch(/^noether +up .*static \(by gauss\)/m)

    const token = join(lab.directory, 'token')
    const said = await first.lnetctl([
      'token',
      '--config',
      configOf(first),
      '--bootstrap',
      first.underlay.ipv4,
    ])
    writeFileSync(token, said.stdout)
    const whileSecond = traffic(first, second, third)
    await move(second, ['--token-file', token])
    await eventually('each other node is up', async () => (await membersUp(second)) === 2)
    costs.push(await lost(whileSecond))
    expect(costs[1]).toBeLessThan(lostMax)
    expect((await first.lnetctl(['peers'])).stdout).not.toMatch(/^hilbert .*static/m)

    const joined = ['join', '--token-file', token, '--config', configOf(fourth)]
    expect((await fourth.lnetctl(joined)).exitCode).toBe(0)
    take(fourth)
    fourth.start()
    await eventually('the fourth sees the nodes', async () => (await membersUp(fourth)) === 2)
    for (const to of [1, 2]) await eventually('a node answers it', () => pings(fourth, `192.168.102.${to}`))
    await eventually('the file of the third lets the fourth in', () => admitFourth(first, third, fourth))
    for (const from of [first, second])
      await eventually('the third answers', () => pings(from, '192.168.102.3'))
    console.log(`pings lost of 200 each: ${costs.join(' and ')}`)
  })
})

/** Pings lost while a machine moves: a restart of wg-quick costs more than a second, of 100 ms each. */
const lostMax = 10

/** The article's file, for machine `index` of three: 192.168.228.N under 192.168.102.N. */
async function bringUp(machines: readonly LabNode[]): Promise<void> {
  const keys = await Promise.all(
    machines.map(async ({ namespace }) => {
      await namespace.must(['sh', '-c', 'umask 077; mkdir -p /run/wireguard; wg genkey >/run/key'])
      const key = (await namespace.must(['cat', '/run/key'])).trim()
      return { key, pub: (await namespace.must(['wg', 'pubkey'], { input: `${key}\n` })).trim() }
    }),
  )
  for (const [index, machine] of machines.entries()) {
    const others = machines.filter(other => other !== machine)
    const text = `[Interface]
Address = 192.168.228.${machine.index}/24
ListenPort = 51820
PrivateKey = ${keys[index]?.key}

Table = off
PostUp = ip link add v%i type vxlan id 49371 dstport 4789 ttl 1 dev %i
${others.map(other => `PostUp = bridge fdb append to 00:00:00:00:00:00 dst 192.168.228.${other.index} dev v%i`).join('\n')}
PostUp = ip address add 192.168.102.${machine.index}/24 dev v%i
PostUp = ip address add fde9:632e:2c3f::${machine.index}/64 dev v%i
PostUp = ip link set v%i up
PreDown = ip link set v%i down
PreDown = ip link delete v%i
${others
  .map(
    other => `
[Peer]
# Name = ${names[other.index - 1]}
PublicKey = ${keys[other.index - 1]?.pub}
AllowedIPs = 192.168.228.${other.index}/32
PersistentKeepalive = 25
Endpoint = ${other.underlay.ipv4}:51820
`,
  )
  .join('')}`
    await machine.namespace.must(['sh', '-c', 'umask 077; cat >/run/wg0.conf'], { input: text })
    await machine.namespace.must(['wg-quick', 'up', '/run/wg0.conf'])
  }
}

/** Every way between three machines, ten a second, for twenty seconds. */
function traffic(...machines: readonly LabNode[]) {
  return machines.flatMap(from =>
    machines
      .filter(to => to !== from)
      .map(to =>
        from.namespace.run(['ping', '-n', '-q', '-i0.1', '-c200', '-W2', `192.168.102.${to.index}`]),
      ),
  )
}

async function lost(running: ReturnType<typeof traffic>): Promise<number> {
  const outcomes = await Promise.all(running)
  return Math.max(...outcomes.map(({ stdout }) => 200 - Number(/(\d+) received/.exec(stdout)?.[1])))
}

/** Imports the file, and starts lnetd on what was written. */
async function move(node: LabNode, options: readonly string[]): Promise<void> {
  const name = ['--name', names[node.index - 1] as string]
  const place = ['--config', configOf(node), '--state-dir', join(node.directory, 'state')]
  const done = await node.lnetctl(['import', 'wg-quick', '/run/wg0.conf', ...place, ...name, ...options])
  expect(done).toMatchObject({ exitCode: 0 })
  expect(done.stdout).not.toContain('not kept')
  take(node)
  node.start()
  await node.listening()
}

function configOf(node: LabNode): string {
  const directory = join(node.directory, 'etc')
  mkdirSync(directory, { recursive: true })
  return join(directory, 'lnetd.yaml')
}

/** From now on the node is told what its commands wrote; the state stays in the lab's directory. */
function take(node: LabNode): void {
  const written = parse(readFileSync(configOf(node), 'utf8')) as ConfigurationText
  node.configuration = { ...written, discovery: { mdns: false }, state_dir: join(node.directory, 'state') }
}

/** As an operator would: what the fourth needs in the file of the one that stays, while it runs. */
async function admitFourth(first: LabNode, third: LabNode, fourth: LabNode): Promise<boolean> {
  const reply = await first.ask('peers')
  const row = reply.ok ? reply.view.peers.find(({ name }) => name === fourth.name) : undefined
  if (row === undefined) return false
  const { ipv4 } = fourth.underlay
  await third.namespace.must([
    'sh',
    '-c',
    `wg set wg0 peer ${row.public_key} allowed-ips ${row.vtep}/32 endpoint ${ipv4}:51820 &&
    bridge fdb append 00:00:00:00:00:00 dst ${row.vtep} dev vwg0`,
  ])
  return pings(fourth, '192.168.102.3')
}
