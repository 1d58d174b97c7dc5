import { execFileSync, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Contestant, insideAddress, labOf, type Net, nodeAt } from './contestant.ts'

/**
 * The floor: the same WireGuard and VXLAN, put there by one shell script a machine that knows all of them beforehand.
 * A machine that comes later is told to all the others by a command each.
 */
export const fixed: Contestant = {
  name: 'static',
  isInstalled: () => true,
  async prepare(nodes) {
    const lab = await labOf(nodes)
    const keys = lab.nodes.map(() => keyPair())
    const met = new Map<number, Set<number>>()
    const peer = (index: number) =>
      `peer ${keys[index - 1]?.publicKey} allowed-ips ${vtep(index)}/32 persistent-keepalive 25 endpoint 192.0.2.${index}:51820`
    const flood = (index: number) =>
      `bridge fdb append 00:00:00:00:00:00 dev vlnet0 dst ${vtep(index)} via lnet0`
    const run = (index: number, script: string) => {
      const [file, ...args] = nodeAt({ lab }, index).namespace.argv(['sh', '-c', script])
      spawn(file, args, { stdio: ['ignore', 'ignore', 'inherit'] }).unref()
    }
    const net: Net = {
      lab,
      start(index, others) {
        for (const other of others) {
          const known = met.get(other)
          if (known === undefined || known.has(index)) continue
          known.add(index)
          run(other, `wg set lnet0 ${peer(index)} && ${flood(index)}`)
        }
        met.set(index, new Set(others))
        const keyFile = join(nodeAt(net, index).directory, 'wireguard.key')
        writeFileSync(keyFile, `${keys[index - 1]?.privateKey}\n`, { mode: 0o600 })
        run(index, deviceScript(index, keyFile, others.map(peer), others.map(flood)))
      },
      daemons: [],
      ports: { tunnel: 51_820, gossip: null },
    }
    return net
  },
}

function vtep(index: number): string {
  return `192.168.228.${index}`
}

/**
 * The MTUs are those that lnet chooses, and wireguard-go gets a session of its own as lnet's does, so that throughput
 * compares like with like: on busy processors the scheduler shares by session (sched(7), autogroup), and a
 * wireguard-go in the session of the stream it carries gets a larger share, about a fifth more throughput.
 */
function deviceScript(index: number, keyFile: string, peers: string[], floods: string[]): string {
  return `set -e
    ip link add lnet0 type wireguard 2>/dev/null || setsid wireguard-go lnet0 >/dev/null 2>&1
    wg set lnet0 listen-port 51820 private-key ${keyFile} ${peers.join(' ')}
    ip -batch - <<END
address add ${vtep(index)}/24 dev lnet0
link set lnet0 mtu 1420 up
link add vlnet0 mtu 1350 type vxlan id 49371 dstport 4789 local ${vtep(index)} ttl 64 dev lnet0
address add ${insideAddress(index)}/24 dev vlnet0
link set vlnet0 up
END
    bridge -batch - <<END
${floods.map(line => line.replace(/^bridge /, '')).join('\n')}
END`
}

function keyPair(): { privateKey: string; publicKey: string } {
  const privateKey = execFileSync('wg', ['genkey'], { encoding: 'utf8' }).trim()
  const publicKey = execFileSync('wg', ['pubkey'], { encoding: 'utf8', input: privateKey }).trim()
  return { privateKey, publicKey }
}
