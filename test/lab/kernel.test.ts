import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { InterfaceAddress, InterfaceName, MacAddress, Port } from '../../src/model/address.ts'
import { sentenceOf } from '../../src/model/explanation.ts'
import type { Failure } from '../../src/model/failure.ts'
import { emptyKernelState, type KernelState, type SegmentState } from '../../src/model/kernel-state.ts'
import type { Vni } from '../../src/model/segment.ts'
import type { Plan, Step } from '../../src/model/step.ts'
import { FakeKernel } from '../fake/kernel.ts'
import { desiredState, planFor, vtepOf } from '../kernel/state.ts'
import { type RemoteKernel, startKernel, until } from './kernel-remote.ts'
import { createNamespace, type Namespace } from './namespace.ts'

const vlnet0 = 'vlnet0' as InterfaceName
let space: Namespace
let kernel: RemoteKernel

beforeEach(async () => {
  space = await createNamespace('k1')
  kernel = startKernel(space)
})

afterEach(async () => {
  await kernel.end()
  space.close()
})

describe('the Linux kernel', () => {
  it.each([4, 6] as const)(
    'becomes what was desired over IPv%i, and stays so when asked again',
    async family => {
      const desired = desiredState(3, family)
      expect(await kernel.apply(planFor(desired))).toEqual([])
      expect(await look()).toEqual(desired)
      expect(await kernel.apply(planFor(desired))).toEqual([])
      expect(await look()).toEqual(desired)
    },
  )

  it('goes back to nothing, and to nothing once more', async () => {
    const desired = desiredState(3)
    await kernel.apply(planFor(desired))
    const away = planFor(emptyKernelState, desired)
    expect(await kernel.apply(away)).toEqual([])
    expect(await look()).toEqual(emptyKernelState)
    expect(await kernel.apply(away)).toEqual([])
    expect(await space.must(['nft', 'list', 'ruleset'])).toBe('')
    expect(await space.must(['ip', 'route', 'show', 'table', 'all', 'proto', '201'])).toBe('')
    await until(
      'wireguard-go has ended',
      async () => (await space.run(['pgrep', 'wireguard-go'])).exitCode === 1,
    )
  })

  it('does what the fake one does, along a walk of states', async () => {
    const fake = new FakeKernel()
    for (const desired of walk()) {
      let rounds = 0
      for (let plan = planFor(desired, fake.state); plan.length > 0; plan = planFor(desired, fake.state)) {
        expect(await kernel.apply(plan)).toEqual(await fake.apply(plan))
        expect(await look()).toEqual(fake.state)
        rounds += 1
        expect(rounds).toBeLessThanOrEqual(2)
      }
      expect(fake.state).toEqual(desired)
    }
  })

  it('fails like the fake one where devices are missing', async () => {
    const fake = new FakeKernel()
    const plan = planFor(desiredState(2)).filter(({ kind }) => !kind.endsWith('.create'))
    const [real, faked] = [await kernel.apply(plan), await fake.apply(plan)]
    expect(real.map(({ step }) => step)).toEqual(faked.map(({ step }) => step))
    expect(real.every(({ failure }) => failure.what.length > 0 && failure.exitCode !== 0)).toBe(true)
  })

  it('fails a step alone, with the command to try by hand', async () => {
    const desired = desiredState(2)
    const plan = planFor(desired)
    const bad: Plan = [
      { kind: 'segment.bridge', interface: vlnet0, bridge: 'nobridge' as InterfaceName },
      { kind: 'flood.add', interface: vlnet0, lower: 'lnet0' as InterfaceName, vtep: vtepOf(9, 4) },
    ]
    const failures = await kernel.apply([...plan, ...bad])
    expect(failures.map(({ step }) => step)).toEqual(bad)
    expect(failures.map(({ failure }) => failure.command)).toEqual([
      'ip link set dev vlnet0 master nobridge',
      'bridge fdb append 00:00:00:00:00:00 dst 10.77.0.9 dev vlnet0 via lnet0 self',
    ])
    expect(await look()).toEqual(desired)
  })

  it('tells of WireGuard peers what WireGuard measures', async () => {
    await kernel.apply(planFor(desiredState(2)))
    const observed = await kernel.observe()
    expect(observed).toMatchObject({ ok: true, value: { implementation: 'userspace', foreign: [] } })
  })

  it('sees at a glance what somebody did to WireGuard', async () => {
    await kernel.apply(planFor(desiredState(2)))
    const before = await kernel.observe()
    if (!before.ok) throw new Error(sentenceOf(before.failure))
    const [peer] = before.value.state.tunnel?.peers ?? []
    await meddle(`wg set lnet0 listen-port 51999 peer ${peer?.publicKey} remove`)
    const glance = await kernel.call({ method: 'glance', argument: before.value })
    expect(glance).not.toEqual(before)
    expect(glance).toEqual(await kernel.observe())
  })

  it('says nothing against this machine', async () => {
    expect(await kernel.call({ method: 'preflight' })).toEqual([])
  })

  it('says what is missing, one line each', async () => {
    const link = 'for tool in ip bridge nft wireguard-go; do ln -s $(command -v $tool) /run/tools/; done'
    await space.must(['sh', '-c', `mkdir /run/tools && ${link}`])
    const bare = startKernel(space, [
      'setpriv',
      '--bounding-set=-net_admin',
      '--inh-caps=-net_admin',
      'env',
      'PATH=/run/tools',
    ])
    const failures = (await bare.call({ method: 'preflight' })) as readonly Failure[]
    const observed = await bare.call({ method: 'observe' })
    const [failure] = await bare.apply(planFor(desiredState(1)))
    await bare.end()
    expect(failures.map(sentenceOf)).toEqual([
      'wg is not in PATH: apt-get install wireguard-tools, or add /usr/sbin to PATH where it is installed already',
      'missing CAP_NET_ADMIN (lnetd may not change the network): run lnetd as root or give it CAP_NET_ADMIN',
    ])
    // Tables of nft are shown to those only who may change them.
    expect(observed).toMatchObject({ ok: false, failure: { stderr: expect.stringMatching(/permitted/) } })
    expect(failure?.failure.remedy).toContain('run lnetd as root or give it CAP_NET_ADMIN')
  })

  it('switches IPv6 on for its own devices where it is off', async () => {
    await space.must([
      'sh',
      '-c',
      'for f in all default; do echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6; done',
    ])
    const desired = desiredState(1)
    const blank = { ...desired, tunnel: null, segments: [] }
    const plan = planFor(desired, blank)
    expect(plan.filter(({ kind }) => kind === 'link.ipv6')).toHaveLength(2)
    expect(await kernel.apply(planFor(desired))).toEqual([])
    expect(await look()).toEqual(desired)
  })
})

describe('what others did', () => {
  it('finds foreign entries on our devices, so that they go', async () => {
    const desired = desiredState(2)
    await kernel.apply(planFor(desired))
    await meddle(
      'bridge fdb append 00:00:00:00:00:00 dst fd77::bad dev vlnet0',
      'bridge fdb append 00:00:00:00:00:00 dst fd77::bed dev vlnet0 via lnet0',
      'bridge fdb add 02:bb:00:00:00:01 dst fd77::bad dev vlnet0 static',
      'bridge fdb add 02:bb:00:00:00:02 dst fd77::bad dev vlnet0 dynamic',
      'ip neighbour add 192.168.77.77 lladdr 02:bb:00:00:00:01 dev vlnet0 nud permanent',
      'ip neighbour add 192.168.77.78 lladdr 02:bb:00:00:00:01 dev vlnet0 nud reachable',
      'ip address add 192.168.77.1/24 dev vlnet0',
      'ip address add 198.51.100.1/24 dev lnet0',
      'ip route add 203.0.113.0/24 dev lnet0 proto 201',
      'ip route add 2001:db8::/64 dev lnet0',
      'ip link set dev vlnet0 mtu 1280',
      'wg set lnet0 peer Bh3RCrTMCKWeSRPpXWSqHTUXriUui/UDVaoOrnxCoV4= allowed-ips fd77::bad/128',
    )
    const repairs = planFor(desired, await look())
    expect(repairs.map(({ kind }) => kind).sort()).toEqual([
      'address.remove',
      'address.remove',
      'flood.remove',
      'flood.remove',
      'link.mtu',
      'neighbour.remove',
      'peer.remove',
      'route.remove',
      'unicast.remove',
    ])
    expect(await kernel.apply(repairs)).toEqual([])
    expect(await look()).toEqual(desired)
    expect(await space.must(['ip', '-6', 'route', 'show', '2001:db8::/64'])).toContain('lnet0')
  })

  it('does not take an altered guard for one', async () => {
    const desired = desiredState(1)
    await kernel.apply(planFor(desired))
    await meddle('nft add rule inet lnet_vlnet0 guard_rx accept')
    expect((await look()).segments[0]?.guard).toBeNull()
    await kernel.apply(planFor(desired, await look()))
    expect(await look()).toEqual(desired)
    await meddle('nft flush chain inet lnet_vlnet0 guard_tx')
    expect((await look()).segments[0]?.guard).toBeNull()
    await meddle('nft delete table inet lnet_vlnet0')
    expect((await look()).segments[0]?.guard).toBeNull()
  })

  it('does not take an altered flood limit for one', async () => {
    const desired = limited(100)
    await kernel.apply(planFor(desired))
    expect(await look()).toEqual(desired)
    await meddle('nft insert rule netdev lnet_vlnet0 flood accept')
    expect((await look()).segments[0]?.floodLimit).toBe(0)
    expect(planFor(desired, await look()).map(({ kind }) => kind)).toEqual(['limit.set'])
    await kernel.apply(planFor(desired, await look()))
    expect(await look()).toEqual(desired)
    await meddle('nft delete table netdev lnet_vlnet0')
    expect((await look()).segments[0]?.floodLimit).toBeNull()
  })

  it('limits floods by a table that comes, changes and goes with its segment', async () => {
    await kernel.apply(planFor(limited(100)))
    await kernel.apply(planFor(limited(200), await look()))
    expect(await look()).toEqual(limited(200))
    await meddle('ip link delete vlnet0')
    expect(await look()).toMatchObject({ segments: [], strayLimits: ['vlnet0'], strayGuards: ['vlnet0'] })
    await kernel.apply(planFor(limited(100), await look()))
    expect(await look()).toEqual(limited(100))
    await kernel.apply(planFor(limited(null), await look()))
    expect(await space.must(['nft', 'list', 'tables', 'netdev'])).toBe('')
    await kernel.apply(planFor(limited(100), await look()))
    await meddle('ip link delete lnet0')
    await kernel.apply(planFor(emptyKernelState, await look()))
    expect(await space.must(['nft', 'list', 'tables'])).toBe('')
  })

  it('guards a segment whose flood limit it refuses', async () => {
    const guard = { kind: 'guard.set', interface: vlnet0, guard: desiredState(1).segments[0]?.guard } as Step
    const limit = { kind: 'limit.set', interface: vlnet0, framesPerSecond: -1 } as Step
    expect(await kernel.apply([limit, guard])).toMatchObject([{ step: { kind: 'limit.set' } }])
    expect(await space.must(['nft', 'list', 'tables'])).toBe('table inet lnet_vlnet0')
  })

  it('leaves foreign devices alone, and says whose names they hold', async () => {
    await meddle(
      'ip link add lnet0 type bridge',
      'ip link add vlnet0 type veth peer name other',
      'ip link set dev vlnet0 alias lnet:ffffffffffffffffffffffffffffffff',
    )
    const before = await space.must(['ip', '-details', 'address', 'show'])
    const plan = planFor(desiredState(2))
    const failures = await kernel.apply(plan)
    expect(
      failures.filter(({ step }) => step.kind.endsWith('.create')).map(({ failure }) => sentenceOf(failure)),
    ).toEqual([
      "lnet0 is a bridge device without a mark, not lnet's: rename or remove it, or configure another name",
      "vlnet0 is a veth device marked lnet:ffffffffffffffffffffffffffffffff, not lnet's: rename or remove it, or configure another name",
    ])
    expect(await space.must(['ip', '-details', 'address', 'show'])).toBe(before)
    expect(await kernel.observe()).toMatchObject({
      ok: true,
      value: {
        state: { tunnel: null, segments: [] },
        foreign: [
          { interface: 'lnet0', what: 'a bridge device without a mark' },
          { interface: 'vlnet0', what: 'a veth device marked lnet:ffffffffffffffffffffffffffffffff' },
        ],
      },
    })
  })

  it('finds segments and tunnels that a former configuration left', async () => {
    const desired = renamed(desiredState(1), 'old0', 'old-1')
    expect(await kernel.apply(planFor(desired))).toEqual([])
    expect(await look()).toEqual(desired)
    const wanted = desiredState(1)
    expect(await kernel.apply(planFor(wanted, await look()))).toEqual([])
    expect(await look()).toEqual(wanted)
  })
})

describe('wireguard-go', () => {
  it.each([undefined, 'SIGKILL'] as const)('outlives its maker (%s)', async signal => {
    const desired = desiredState(2)
    await kernel.apply(planFor(desired))
    await kernel.end(signal)
    kernel = startKernel(space)
    expect(await look()).toEqual(desired)
  })

  it('is made anew over the socket of one that was killed', async () => {
    const desired = desiredState(2)
    await kernel.apply(planFor(desired))
    await space.must(['pkill', '-KILL', '-x', 'wireguard-go'])
    await until(
      'the tunnel is gone',
      async () => (await space.run(['ip', 'link', 'show', 'lnet0'])).exitCode === 1,
    )
    expect(await space.must(['ls', '/run/wireguard'])).toContain('lnet0.sock')
    const lost = await look()
    expect(lost.segments).toEqual([])
    expect(await kernel.apply(planFor(desired, lost))).toEqual([])
    expect(await look()).toEqual(desired)
  })
})

describe('the scale of a thousand members', () => {
  it('takes no more processes than three do, and little time', async () => {
    const desired = desiredState(1000)
    expect(await kernel.apply(planFor(desired))).toEqual([])
    const applied = kernel.milliseconds
    expect(await look()).toEqual(desired)
    await look()
    const looked = kernel.milliseconds
    console.log(
      `1000 members: applied from nothing in ${applied.toFixed()} ms, looked at in ${looked.toFixed()} ms`,
    )
    expect(applied).toBeLessThan(10_000)
    expect(looked).toBeLessThan(2000)
  })
})

async function look(): Promise<KernelState> {
  const observed = await kernel.observe()
  if (!observed.ok) throw new Error(sentenceOf(observed.failure))
  return observed.value.state
}

async function meddle(...commands: readonly string[]): Promise<void> {
  for (const command of commands) await space.must(command.split(' '))
}

/** States that between them need every kind of step, in both directions. */
function walk(): readonly KernelState[] {
  const [none, three, five] = [desiredState(0), desiredState(3), desiredState(5)]
  const [segment] = three.segments as [SegmentState]
  const second: SegmentState = {
    ...segment,
    interface: 'vlnet-1' as InterfaceName,
    vni: 7 as Vni,
    port: 4790 as Port,
    mac: '02:00:00:00:77:01' as MacAddress,
    addresses: ['10.55.0.1/24' as InterfaceAddress],
    neighbours: [],
    guard: segment.guard === null ? null : { ...segment.guard, port: 4790 as Port },
  }
  const other = { ...segment, mac: '02:00:00:00:66:01' as MacAddress, mtu: 1280, local: vtepOf(1, 6) }
  const smaller = three.tunnel === null ? null : { ...three.tunnel, mtu: 1350, listenPort: 51999 as Port }
  return [
    none,
    five,
    three,
    { ...three, segments: [second, segment] },
    { ...three, tunnel: smaller, segments: [{ ...other }] },
    five,
    desiredState(2, 4),
    emptyKernelState,
    three,
  ]
}

function renamed(state: KernelState, tunnel: string, segment: string): KernelState {
  const text = JSON.stringify(state)
    .replaceAll('"lnet0"', `"${tunnel}"`)
    .replaceAll('"vlnet0"', `"${segment}"`)
  return JSON.parse(text) as KernelState
}

function limited(floodLimit: number | null): KernelState {
  const state = desiredState(1)
  return { ...state, segments: state.segments.map(segment => ({ ...segment, floodLimit })) }
}
