import { type Contestant, insideAddress, labOf, type Net, nodeAt } from './contestant.ts'

/** What is judged. Addresses are pinned, so that it is known from the start whom to ping. */
export const lnet: Contestant = {
  name: 'lnet',
  isInstalled: () => true,
  async prepare(nodes) {
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
