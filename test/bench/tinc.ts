import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Contestant, insideAddress, labOf, type Net, nodeAt } from './contestant.ts'
import { said } from './machine.ts'

/** tinc 1.0 in switch mode: all know each other's keys, and only the first one's address, as Debian has it. */
export const tinc: Contestant = {
  name: 'tinc',
  isInstalled: () => said('tincd', ['--version']).startsWith('tinc'),
  async prepare(nodes) {
    const lab = await labOf(nodes)
    const hosts = lab.nodes.map(({ index, directory, underlay }) => {
      const home = join(directory, 'tinc')
      mkdirSync(join(home, 'hosts'), { recursive: true })
      writeFileSync(join(home, 'tinc.conf'), configuration(index))
      writeFileSync(join(home, 'tinc-up'), upScript(index), { mode: 0o755 })
      const place = index === 1 ? `Address = ${underlay.ipv4}\n` : ''
      writeFileSync(join(home, 'hosts', `n${index}`), place)
      execFileSync('tincd', ['-c', home, '-K2048'], { stdio: ['ignore', 'ignore', 'ignore'] })
      return readFileSync(join(home, 'hosts', `n${index}`), 'utf8')
    })
    for (const { directory } of lab.nodes)
      hosts.forEach((host, at) => {
        writeFileSync(join(directory, 'tinc', 'hosts', `n${at + 1}`), host)
      })
    const net: Net = {
      lab,
      start(index) {
        const { namespace, directory } = nodeAt(net, index)
        const command = ['tincd', '-c', join(directory, 'tinc'), '-D', '--pidfile=/run/tinc.pid']
        const [file, ...args] = namespace.argv(command)
        spawn(file, args, { stdio: 'ignore' }).unref()
      },
      daemons: ['tincd'],
      ports: { tunnel: 655, gossip: null },
    }
    return net
  },
}

function configuration(index: number): string {
  const lines = [`Name = n${index}`, 'Mode = switch', 'Interface = tinc0']
  return [...lines, ...(index === 1 ? [] : ['ConnectTo = n1']), ''].join('\n')
}

function upScript(index: number): string {
  return `#!/bin/sh\nip address add ${insideAddress(index)}/24 dev $INTERFACE\nip link set $INTERFACE up\n`
}
