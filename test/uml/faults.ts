import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from '../lab/lab.ts'
import type { LabNode } from '../lab/node.ts'
import type { Chance } from '../sim/chance.ts'

/** Something that happens to a node, from its beginning to its end; the mesh then heals by itself. */
export interface Fault {
  readonly name: string
  happen(place: FaultPlace): Promise<void>
}

export interface FaultPlace {
  readonly lab: Lab
  readonly node: LabNode
  readonly chance: Chance
}

const zero = '00:00:00:00:00:00'
const longestSeconds = 120

/** What ends lnetd, and with it what its memory grew to. */
export const endings: readonly Fault[] = [
  { name: 'kill -9', happen: place => restart(place, 'SIGKILL') },
  { name: 'restart', happen: place => restart(place, 'SIGTERM') },
  {
    name: 'reboot',
    async happen(place) {
      await place.node.stop('SIGKILL')
      await run(place, 'ip link del lnet0; nft flush ruleset')
      await pause(place)
      place.node.start()
    },
  },
]

/** What it must live through. */
export const nuisances: readonly Fault[] = [
  {
    name: 'cable out and in',
    async happen(place) {
      await setPort(place, 'down')
      await pause(place)
      await setPort(place, 'up')
    },
  },
  {
    name: 'flapping cable',
    async happen(place) {
      for (let times = place.chance.between(3, 15); times > 0; times--) {
        await setPort(place, 'down')
        await sleep(1000)
        await setPort(place, 'up')
        await sleep(1000)
      }
    },
  },
  {
    name: 'another address',
    async happen({ node, chance }) {
      const host = 100 + node.index * 10 + chance.below(10)
      const lines = [
        'address flush dev eth0 scope global',
        `address add 192.0.2.${host}/24 dev eth0`,
        `address add 2001:db8::${host.toString(16)}/64 dev eth0 nodad`,
        'route replace default via 192.0.2.254 dev eth0',
        'route replace default via 2001:db8::fe dev eth0',
      ]
      await node.namespace.must(['ip', '-batch', '-'], { input: lines.join('\n') })
    },
  },
  meddling('all flood entries gone', `bridge fdb del ${zero} dev vlnet0`),
  meddling('a flood entry too many', `bridge fdb append ${zero} dst fd00::99 dev vlnet0`),
  meddling('a WireGuard peer gone', 'wg set lnet0 peer "$(wg show lnet0 peers | shuf -n 1)" remove'),
  meddling(
    'a WireGuard peer too many',
    'wg set lnet0 peer "$(wg genkey | wg pubkey)" allowed-ips 10.9.9.9/32',
  ),
  meddling('overlay addresses gone', 'ip address flush dev vlnet0 scope global'),
  meddling('routes gone', 'ip -6 route flush proto 201'),
  meddling('guard gone', 'nft flush ruleset'),
  meddling('segment down', 'ip link set vlnet0 down'),
  meddling('segment gone', 'ip link del vlnet0'),
  meddling('tunnel gone', 'ip link del lnet0'),
]

function meddling(name: string, script: string): Fault {
  return { name, happen: place => run(place, script) }
}

async function restart(place: FaultPlace, signal: NodeJS.Signals): Promise<void> {
  await place.node.stop(signal)
  await pause(place)
  place.node.start()
}

async function setPort({ lab, node }: FaultPlace, state: 'up' | 'down'): Promise<void> {
  await lab.hub.must(['ip', 'link', 'set', `p${node.index}`, state])
}

/** What is to be taken away may be away already: an earlier fault is still being put right. */
async function run({ node }: FaultPlace, script: string): Promise<void> {
  await node.namespace.run(['sh', '-c', script])
}

async function pause({ chance }: FaultPlace): Promise<void> {
  await sleep(1000 * chance.between(1, longestSeconds))
}
