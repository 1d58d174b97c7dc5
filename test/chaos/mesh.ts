import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLab, eventually, type Lab, type LabOptions } from '../lab/lab.ts'
import { connect, createNamespace } from '../lab/namespace.ts'
import { createNode, type LabNode } from '../lab/node.ts'
import { allUp, overlayAddresses, silentPairs } from '../lab/overlay.ts'

export interface MeshOptions extends Pick<LabOptions, 'configure'> {
  /** How many of the last machines have no daemon yet. */
  readonly spare?: number
  /** The machines' /etc/hosts; the file is `hosts` in the lab's directory. */
  readonly hosts?: string
}

export interface Mesh {
  readonly lab: Lab
  /** All machines, with those that were rebooted as they are now. */
  readonly nodes: LabNode[]
  /** By name, IPv4, of those that were formed. */
  readonly addresses: Map<string, string>
  /** Ends everything on a machine without a word, its network too. */
  powerOff(node: LabNode): Promise<void>
  /** The same machine again after `powerOff`, with nothing but its disk, its addresses and its MAC; no daemon yet. */
  powerOn(node: LabNode): Promise<LabNode>
  /** Something done to the switch's port of a node. */
  port(node: LabNode, change: string): Promise<void>
}

/** Every pair answers then. What is pushed to `ends` is run in the end, the last one first; `keep` before the lab is gone. */
export async function formMesh(
  count: number,
  { spare = 0, hosts, ...options }: MeshOptions,
  say: (text: string) => void,
  ends: (() => unknown)[],
  keep: (lab: Lab) => void,
): Promise<Mesh> {
  const lab = await createLab({ nodes: count, ...options })
  ends.push(
    () => lab.cleanup(),
    () => keep(lab),
  )
  const nodes = [...lab.nodes]
  const formed = nodes.slice(0, count - spare)
  if (hosts !== undefined) await nameHosts(lab, hosts)
  for (const node of formed) node.start()
  await allUp(formed, 90)
  await eventually('every pair answers', async () => (await silentPairs(formed)).length === 0, 60)
  const addresses = new Map<string, string>()
  const macs = new Map<number, string>()
  for (const node of formed) addresses.set(node.name, (await overlayAddresses(node)).ipv4)
  say(`a mesh of ${formed.length} stands, every pair answers`)
  return {
    lab,
    nodes,
    addresses,
    powerOff: async node => {
      macs.set(node.index, (await node.namespace.must(['cat', '/sys/class/net/eth0/address'])).trim())
      await powerOff(lab, node)
    },
    powerOn: async node => {
      const again = await powerOn(lab, node, macs.get(node.index) as string, ends)
      nodes[node.index - 1] = again
      return again
    },
    port: async (node, change) => {
      await lab.hub.must(['ip', 'link', 'set', `p${node.index}`, ...change.split(' ')])
    },
  }
}

/** One file for all, seen by each machine in its own mount namespace. */
async function nameHosts(lab: Lab, text: string): Promise<void> {
  const file = join(lab.directory, 'hosts')
  writeFileSync(file, `${text}\n`)
  for (const { namespace } of lab.nodes) await namespace.must(['mount', '--bind', file, '/etc/hosts'])
}

/** The pair of interfaces goes with the namespace, a moment after its last process. */
async function powerOff(lab: Lab, node: LabNode): Promise<void> {
  node.namespace.close()
  await eventually(
    `the port of ${node.name} is gone`,
    async () => (await lab.hub.run(['ip', 'link', 'show', `p${node.index}`])).exitCode !== 0,
    20,
  )
  await sleep(100)
}

async function powerOn(lab: Lab, node: LabNode, mac: string, ends: (() => unknown)[]): Promise<LabNode> {
  const space = await createNamespace(node.name)
  ends.push(() => space.close())
  const link = {
    node: space,
    interface: 'eth0',
    addresses: [`${node.underlay.ipv4}/24`, `${node.underlay.ipv6}/64`],
    gateways: ['192.0.2.254', '2001:db8::fe'],
    mac,
  }
  await connect(lab.hub, [link], node.index)
  return createNode(space, node.index, node.directory, node.underlay, node.configuration)
}
