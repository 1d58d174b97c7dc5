import { afterEach, describe, expect, it } from 'vitest'
import { createLab, eventually, type Lab } from './lab.ts'
import type { LabNode } from './node.ts'
import { allUp, overlayAddresses } from './overlay.ts'
import { node24 } from './root.ts'

const framesPerSecond = 50
let lab: Lab | null = null
afterEach(() => {
  lab?.cleanup()
  lab = null
})

async function started(): Promise<readonly [LabNode, LabNode]> {
  const configure = (base: object) => ({ ...base, segments: [segment(framesPerSecond)] })
  lab = await createLab({ nodes: 2, configure: configure as never })
  for (const node of lab.nodes) node.start()
  await allUp(lab.nodes)
  return lab.nodes as unknown as readonly [LabNode, LabNode]
}

describe('a storm of broadcasts', () => {
  it('is limited where it starts, counted and shown while it lasts; unicast and ARP pass', async () => {
    const [first, second] = await started()
    const { ipv4 } = await overlayAddresses(second)
    await countArrivals(second)
    const storm = send(first, '192.168.102.255', 20)
    const ping = ['ping', '-n', '-q', '-i0.05', '-c100', '-W2', ipv4]
    expect((await first.namespace.run(ping)).stdout).toContain('100 received')
    expect(await arpAnswers(first, second, ipv4)).toBe(true)
    // Any event has the daemon look at once; counters are none.
    await first.namespace.must(['ip', 'address', 'add', '10.99.0.1/32', 'dev', 'vlnet0'])
    await eventually('status names the storm', async () => (await codes(first)).includes('flood-limited'), 60)
    const [sent, seconds] = await storm
    const arrived = await arrivals(second)
    expect(sent).toBeGreaterThan(10 * framesPerSecond * seconds)
    expect(arrived).toBeGreaterThan(0)
    expect(arrived).toBeLessThan(2 * framesPerSecond * (seconds + 2))
    await eventually('the storm is over', async () => !(await codes(first)).includes('flood-limited'), 90)
    const { flood_limit: limit, flood_dropped: dropped } = await segmentOf(first)
    expect(limit).toBe(framesPerSecond)
    expect(dropped).toBeGreaterThanOrEqual(sent - arrived - framesPerSecond)
    expect(await codes(second)).not.toContain('flood-limited')
  })
})

describe('a storm of frames for nobody', () => {
  it('is limited like broadcasts, and frames for somebody are not', async () => {
    const [first, second] = await started()
    const { ipv4 } = await overlayAddresses(second)
    const nobody = '192.168.102.250'
    await first.namespace.must([
      ...['ip', 'neighbour', 'replace', nobody, 'lladdr', '02:00:5e:00:00:99', 'dev', 'vlnet0'],
      ...['nud', 'permanent'],
    ])
    await first.namespace.must(['ping', '-n', '-q', '-c1', '-W2', ipv4])
    await countArrivals(second, '02:00:5e:00:00:99')
    const [forNobody] = await send(first, nobody, 3)
    const arrived = await arrivals(second)
    expect(forNobody).toBeGreaterThan(20 * framesPerSecond * 3)
    expect(arrived).toBeGreaterThan(0)
    expect(arrived).toBeLessThan(2 * framesPerSecond * 5)
    const before = await dropped(first)
    expect(before).toBeGreaterThan(0)
    expect((await send(first, ipv4, 2))[0]).toBeGreaterThan(20 * framesPerSecond * 2)
    expect((await dropped(first)) - before).toBeLessThan(framesPerSecond)
  })
})

describe('a flood limit', () => {
  it('comes back when it is deleted, changes by reload, and goes with the network', async () => {
    const [first] = await started()
    await first.namespace.must(['nft', 'delete', 'table', 'netdev', 'lnet_vlnet0'])
    await eventually('the limit is back', async () =>
      (await rules(first)).includes(`${framesPerSecond}/second`),
    )
    reload(first, 7000)
    await eventually('the limit changed', async () => (await rules(first)).includes('7000/second'))
    reload(first, 'off')
    await eventually('nothing is limited', async () => (await rules(first)) === '')
    expect(await segmentOf(first)).toMatchObject({ flood_limit: null, flood_dropped: 0 })
    reload(first, 7000)
    await eventually('the limit is back', async () => (await rules(first)).includes('7000/second'))
    await first.lnetctl(['down'])
    expect(await first.namespace.must(['nft', 'list', 'tables'])).toBe('')
  })
})

function segment(limit: number | 'off') {
  return { interface: 'vlnet0', vni: 49371, prefixes: ['192.168.102.0/24'], flood_limit: limit }
}

/** Sends packets, 100 every 10 ms, for so many seconds; answers how many, and how long it took. */
async function send(node: LabNode, to: string, seconds: number): Promise<readonly [number, number]> {
  const { stdout } = await node.namespace.run([node24, '-e', storm, to, String(seconds)])
  return stdout.split(' ').map(Number) as [number, number]
}

const storm = `
const socket = require('node:dgram').createSocket('udp4')
const began = performance.now()
const seconds = () => (performance.now() - began) / 1000
let sent = 0
socket.bind(() => {
  socket.setBroadcast(true)
  const timer = setInterval(() => {
    for (let count = 0; count < 100; count += 1)
      socket.send(Buffer.alloc(100), 9, process.argv[1], error => { if (error === null) sent += 1 })
    if (seconds() < process.argv[2]) return
    clearInterval(timer)
    socket.close(() => console.log(sent, seconds()))
  }, 10)
})
`

async function countArrivals(node: LabNode, mac = 'ff:ff:ff:ff:ff:ff'): Promise<void> {
  const input = `table netdev seen {
  chain arrivals {
    type filter hook ingress device "vlnet0" priority 0;
    ether daddr ${mac} udp dport 9 counter
  }
}
`
  await node.namespace.must(['nft', '-f', '-'], { input })
}

async function arrivals(node: LabNode): Promise<number> {
  const listed = await node.namespace.must(['nft', 'list', 'table', 'netdev', 'seen'])
  return Number(/counter packets (\d+)/.exec(listed)?.[1])
}

/** An address of the other one that no lnetd knows has to be asked for by broadcast. */
async function arpAnswers(asker: LabNode, asked: LabNode, known: string): Promise<boolean> {
  const address = known === '192.168.102.250' ? '192.168.102.251' : '192.168.102.250'
  await asked.namespace.must(['sh', '-c', 'echo 0 >/proc/sys/net/ipv4/conf/all/arp_ignore'])
  await asked.namespace.must(['ip', 'address', 'add', `${address}/32`, 'dev', 'lo'])
  const { exitCode } = await asker.namespace.run(['ping', '-n', '-q', '-c3', '-W2', address])
  return exitCode === 0
}

async function codes(node: LabNode): Promise<readonly string[]> {
  return (await status(node)).problems.map(({ code }) => code)
}

async function segmentOf(node: LabNode) {
  const [first] = (await status(node)).segments
  if (first === undefined) throw new Error('there is no segment')
  return first
}

async function status(node: LabNode) {
  const reply = await node.ask('status')
  if (!reply.ok) throw new Error(reply.message)
  return reply.view
}

/** By now; what status tells is of the last look. */
async function dropped(node: LabNode): Promise<number> {
  return Number(/counter packets (\d+) .*drop/.exec(await rules(node))?.[1])
}

async function rules(node: LabNode): Promise<string> {
  return (await node.namespace.run(['nft', 'list', 'table', 'netdev', 'lnet_vlnet0'])).stdout
}

function reload(node: LabNode, limit: number | 'off'): void {
  node.configuration = { ...node.configuration, segments: [segment(limit)] }
  node.write()
  process.kill(node.pid() as number, 'SIGHUP')
}
