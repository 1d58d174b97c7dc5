import { type Contestant, insideAddress, labOf, type Net, nodeAt } from './contestant.ts'

let warmed: Promise<void> | null = null

/** What is judged. Addresses are pinned, so that it is known from the start whom to ping. */
export const lnet: Contestant = {
  name: 'lnet',
  isInstalled: () => true,
  async prepare(nodes) {
    warmed ??= warm()
    await warmed
    const lab = await labOf(nodes, (base, index) => ({
      ...base,
      segments: [{ interface: 'vlnet0', vni: 49_371, addresses: [`${insideAddress(index)}/24`] }],
    }))
    const net: Net = {
      lab,
      start: index => nodeAt(net, index).start(),
      daemons: ['lnetd'],
      ports: { tunnel: 51_820, gossip: 51_821 },
    }
    return net
  },
}

/** V8 keeps what it made of the program when a daemon ends: as after any start but the first of an installation. */
async function warm(): Promise<void> {
  const lab = await labOf(1)
  try {
    const node = nodeAt({ lab }, 1)
    node.start()
    await node.listening()
    await node.stop()
  } finally {
    lab.cleanup()
  }
}
