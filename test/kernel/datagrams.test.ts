import { describe, expect, it } from 'vitest'
import { connectDatagrams, openDatagrams } from '../../src/kernel/datagrams.ts'
import { isPortTaken } from '../../src/kernel/port-taken.ts'
import { openProbes } from '../../src/kernel/probes.ts'
import { ask } from '../../src/kernel/question.ts'
import { speak } from '../../src/kernel/speak.ts'
import type { LoopProbe } from '../../src/mesh/loop-probe.ts'
import type { InterfaceName, IpAddress, Port } from '../../src/model/address.ts'
import type { NodeId } from '../../src/model/node.ts'
import type { Vni } from '../../src/model/segment.ts'

/** Without SO_BROADCAST the kernel refuses it, at once, as it does an address without a route (ip(7)). */
const refused = '255.255.255.255' as IpAddress
const bridge = 'none0' as InterfaceName
const probe: LoopProbe = {
  node: 'nobody' as NodeId,
  vni: 1 as Vni,
  sequence: { incarnation: 1, counter: 1 },
  standing: 'out',
}

describe('datagrams', () => {
  it('to where no route leads are no answer, and no exception', async () => {
    expect(await ask('udp4', refused, 9)).toBeNull()
    expect(await ask('udp6', 'not an address', 9)).toBeNull()
    speak([refused, '::' as IpAddress])
  })

  it('are answered by the kernel of this machine', async () => {
    expect(await ask('udp4', '127.0.0.1', 9)).toBeGreaterThanOrEqual(0)
  })

  it('end once, and are neither used nor ended after that', async () => {
    const failures: Error[] = []
    const datagrams = openDatagrams({ type: 'udp4' }, error => failures.push(error))
    const { socket } = datagrams
    socket?.emit('error', new Error('first'))
    socket?.emit('error', new Error('second'))
    datagrams.end()
    expect(failures.map(({ message }) => message)).toEqual(['first'])
    expect(datagrams.socket).toBeNull()
    connectDatagrams(datagrams, 9, '127.0.0.1', () => expect.unreachable())
  })

  it('of loop probes go by a bridge that is not there', async () => {
    const probes = openProbes(new Uint8Array(32), () => undefined)
    for (let round = 0; round < 3; round += 1) probes.say(bridge, probe)
    probes.close()
    await new Promise(resolve => setTimeout(resolve, 20))
    probes.close()
  })

  it('find a port that another program holds', async () => {
    const held = openDatagrams({ type: 'udp4' }, () => undefined)
    const port = await new Promise<Port>(resolve => {
      held.socket?.bind(0, () => resolve(held.socket?.address().port as Port))
    })
    expect(await isPortTaken(bridge, port)).toBe(true)
    held.end()
  })
})
