import type { RemoteInfo } from 'node:dgram'
import { decodeLoopProbe, encodeLoopProbe, type LoopProbe } from '../mesh/loop-probe.ts'
import { type InterfaceName, parseInterfaceName } from '../model/address.ts'
import { loopPortsMax, loopProbePort, loopProbesPerSecondMax } from '../model/limits.ts'
import type { LinkPlace } from '../model/loop-watch.ts'
import { type Datagrams, openDatagrams } from './datagrams.ts'
import { allNodes } from './loop-watch.ts'
import type { HeardProbe, ProbeWire } from './port.ts'
import { ask } from './question.ts'

/**
 * Loop probes of this mesh on the bridges of this machine: small UDP datagrams to every node of the link, from the
 * bridge's own link-local address. Errors are of no account: who does not hear even itself will say so.
 */
export function openProbes(key: Uint8Array, hear: (heard: HeardProbe) => void): ProbeWire {
  let datagrams: Datagrams | null = null
  /** Words on their way: a socket that is closed before they are sent takes them along. */
  let saying = 0
  let closed = false
  const isFlood = floodGauge()

  function open(): Datagrams {
    // The next word opens another one. What waited for this one is never told of.
    const opened = openDatagrams({ type: 'udp6', ipv6Only: true, reuseAddr: true }, () => {
      if (datagrams !== opened) return
      datagrams = null
      saying = 0
    })
    opened.socket?.on('message', (bytes, from) => {
      if (isFlood(performance.now())) return
      const heard = readProbe(bytes, from, key)
      if (heard !== null) hear(heard)
    })
    opened.socket?.bind(loopProbePort, '::')
    return opened
  }

  function closeWhenSaid(): void {
    if (!closed || saying > 0) return
    datagrams?.end()
    datagrams = null
  }

  return {
    say(bridge: InterfaceName, probe: LoopProbe) {
      datagrams ??= open()
      const used = datagrams
      saying += 1
      used.socket?.send(encodeLoopProbe(probe, key), loopProbePort, `${allNodes}%${bridge}`, () => {
        if (datagrams === used) saying -= 1
        closeWhenSaid()
      })
    },
    // On the port that has to be open for probes: where lnetd ended nobody listens there, and the kernel says so.
    ask: async place => (await ask('udp6', place, loopProbePort)) !== null,
    close() {
      closed = true
      closeWhenSaid()
    },
  }
}

/** Tells when more came in within a second than is looked at: telling probes from noise costs a hash each. */
function floodGauge(): (now: number) => boolean {
  let began = Number.NEGATIVE_INFINITY
  let count = 0
  return now => {
    if (now - began >= 1000) {
      began = now
      count = 0
    }
    count += 1
    return count > loopProbesPerSecondMax
  }
}

/** A source port after ours was set by the watch of the segment; ours is left where no physical port was on the way. */
function readProbe(bytes: Uint8Array, { address, port }: RemoteInfo, key: Uint8Array): HeardProbe | null {
  const bridge = parseInterfaceName(address.split('%')[1] ?? '')
  const index = port - loopProbePort - 1
  if (bridge === null || index < -1 || index >= loopPortsMax) return null
  const probe = decodeLoopProbe(bytes, key)
  return probe === null
    ? null
    : { probe, bridge, port: index < 0 ? null : index, place: address as LinkPlace }
}
