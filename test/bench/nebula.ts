import { execFileSync, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { type Contestant, insideAddress, labOf, type Net, nodeAt } from './contestant.ts'
import { said } from './machine.ts'

const port = 4242

/** nebula, which carries IP packets and no frames; its first node is the lighthouse. */
export const nebula: Contestant = {
  name: 'nebula',
  isInstalled: () => said('nebula', ['-version']).startsWith('Version'),
  async prepare(nodes) {
    const lab = await labOf(nodes)
    const sign = (...args: string[]) =>
      execFileSync('nebula-cert', args, { cwd: lab.directory, stdio: ['ignore', 'ignore', 'inherit'] })
    sign('ca', '-name', 'bench')
    for (const { name, index, directory } of lab.nodes) {
      sign('sign', '-name', name, '-ip', `${insideAddress(index)}/24`)
      const text = stringify(configuration(lab.directory, name, index))
      writeFileSync(join(directory, 'nebula.yaml'), text)
    }
    const net: Net = {
      lab,
      start(index) {
        const { namespace, directory } = nodeAt(net, index)
        const [file, ...args] = namespace.argv(['nebula', '-config', join(directory, 'nebula.yaml')])
        spawn(file, args, { stdio: 'ignore' }).unref()
      },
      daemons: ['nebula'],
      ports: { tunnel: port, gossip: null },
    }
    return net
  },
}

function configuration(directory: string, name: string, index: number): unknown {
  const anybody = [{ port: 'any', proto: 'any', host: 'any' }]
  return {
    pki: {
      ca: join(directory, 'ca.crt'),
      cert: join(directory, `${name}.crt`),
      key: join(directory, `${name}.key`),
    },
    static_host_map: { [insideAddress(1)]: [`192.0.2.1:${port}`] },
    lighthouse: { am_lighthouse: index === 1, hosts: index === 1 ? [] : [insideAddress(1)], interval: 60 },
    listen: { host: '0.0.0.0', port },
    punchy: { punch: true },
    tun: { dev: 'nebula1', mtu: 1300 },
    firewall: { outbound: anybody, inbound: anybody },
  }
}
