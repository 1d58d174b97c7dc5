import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KernelEvent } from '../../src/kernel/port.ts'
import type { InterfaceName } from '../../src/model/address.ts'
import { desiredState, planFor } from '../kernel/state.ts'
import { type RemoteKernel, startKernel, until } from './kernel-remote.ts'
import { eventually } from './lab.ts'
import { createNamespace, type Namespace } from './namespace.ts'

let space: Namespace
let kernel: RemoteKernel

beforeEach(async () => {
  space = await createNamespace('k2')
  await space.must(['ip', 'link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up1'])
  kernel = startKernel(space)
  await kernel.apply(planFor(desiredState(2)))
  await kernel.call({ method: 'watch' })
  await listening()
})

afterEach(async () => {
  await kernel.end()
  space.close()
})

describe('watching', () => {
  it.each([
    ['ours', 'ip link set dev vlnet0 down'],
    ['ours', 'ip link delete dev vlnet0'],
    ['ours', 'ip link set dev lnet0 mtu 1300'],
    ['ours', 'ip address delete 192.168.0.1/16 dev vlnet0'],
    ['ours', 'ip route delete fde9::/64 dev vlnet0 proto 201 metric 201000'],
    ['ours', 'ip route delete unreachable fd77::/64 proto 201'],
    ['ours', 'bridge fdb delete 00:00:00:00:00:00 dst fd77::2 dev vlnet0 via lnet0'],
    ['ours', 'bridge fdb delete 02:00:00:00:00:02 dev vlnet0'],
    ['ours', 'bridge fdb add 02:bb:00:00:00:01 dst fd77::bad dev vlnet0 static'],
    ['ours', 'ip neigh delete 192.168.0.2 dev vlnet0'],
    ['ours', 'nft delete table inet lnet_vlnet0'],
    ['ours', 'nft flush chain inet lnet_vlnet0 guard_rx'],
    ['ours', 'ip link add name br0 address 02:00:00:00:00:77 type bridge'],
    ['underlay', 'ip link add name br1 address 02:00:00:00:00:78 type bridge'],
    ['underlay', 'ip address add 198.51.100.7/24 dev up0'],
    ['underlay', 'ip link set dev up0 mtu 1400'],
  ] as const)('tells %s of: %s', async (event, command) => {
    const began = Date.now()
    await space.must(command.split(' '))
    const heard = await eventually(
      'it is told',
      () => kernel.events.find(told => told.event === event) ?? null,
    )
    // The machine may be busy; on an idle one it is milliseconds.
    expect(heard.at - began).toBeLessThan(5000)
    if (event === 'underlay') expect(kinds()).not.toContain('ours')
  })

  it.each([
    'nft flush ruleset',
    'nft flush chain inet lnet_vlnet0 guard_rx',
    'nft add rule inet lnet_vlnet0 guard_rx accept',
  ])('puts the guard back at once, and once, after: %s', async command => {
    const before = await guardRules()
    const began = performance.now()
    await space.must(command.split(' '))
    await until('the guard is back', async () => (await guardRules()) === before)
    console.log(`guard back ${(performance.now() - began).toFixed()} ms after ${command}`)
    const generations = await space.must(['sh', '-c', 'timeout 1 nft monitor || true'])
    expect(generations).not.toContain('lnet_vlnet0')
  })

  it('does not put back what was to be removed', async () => {
    await kernel.apply([{ kind: 'guard.remove', interface: 'vlnet0' as InterfaceName }])
    await until('it is told', () => kernel.events.length > 0)
    await space.must(['nft', 'add', 'table', 'inet', 'lnet_vlnet0'])
    await space.must(['nft', 'delete', 'table', 'inet', 'lnet_vlnet0'])
    expect(await guardRules()).toBe('')
  })

  it('keeps silent about what comes and goes by itself', async () => {
    await space.must([
      'bridge',
      'fdb',
      'add',
      '02:bb:00:00:00:02',
      'dst',
      'fd77::2',
      'dev',
      'vlnet0',
      'dynamic',
    ])
    await space.must(['ip', 'route', 'add', 'unreachable', '203.0.113.0/24'])
    await space.must([
      'ip',
      'neighbour',
      'add',
      '192.168.9.9',
      'lladdr',
      '02:bb:00:00:00:03',
      'dev',
      'vlnet0',
      'nud',
      'reachable',
    ])
    // Each monitor reports what follows, so all before it has been passed over. One change may be reported twice.
    await space.must(['ip', 'address', 'add', '198.51.100.8/24', 'dev', 'up0'])
    await until('the underlay is reported', () => kinds().includes('underlay'))
    expect(kinds()).not.toContain('ours')
    const began = Date.now()
    await space.must(['bridge', 'fdb', 'delete', '02:00:00:00:00:02', 'dev', 'vlnet0'])
    await until('the entry is reported', () => kinds().includes('ours'))
    expect(kernel.events.filter(({ event, at }) => event === 'ours' && at < began)).toEqual([])
  })

  it('starts a monitor that was killed again, and says that something may have been missed', async () => {
    await space.must(['pkill', '-KILL', '-f', '^bridge monitor'])
    await until('the end is told', () => kernel.failures.length > 0)
    expect(kernel.failures[0]).toMatchObject({ command: 'bridge monitor fdb' })
    await until('both kinds are told', () => new Set(kinds()).size === 2)
    kernel.events.length = 0
    const entry = 'bridge fdb add 02:bb:00:00:00:04 dst fd77::2 dev vlnet0'.split(' ')
    await until('it hears again', async () => {
      await space.must([...entry, 'static'])
      await space.must(['bridge', 'fdb', 'delete', '02:bb:00:00:00:04', 'dev', 'vlnet0'])
      return kinds().includes('ours')
    })
  })

  it.each([undefined, 'SIGKILL'] as const)('leaves no monitor behind (%s)', async signal => {
    expect(await monitors()).toBe(3)
    await kernel.end(signal)
    await until('they are gone', async () => (await monitors()) === 0)
  })

  it('stops when it is closed', async () => {
    await kernel.call({ method: 'unwatch' })
    await until('they are gone', async () => (await monitors()) === 0)
    await space.must(['ip', 'link', 'delete', 'dev', 'vlnet0'])
    await kernel.observe()
    expect(kernel.events).toEqual([])
    expect(kernel.failures).toEqual([])
  })
})

function kinds(): KernelEvent[] {
  return kernel.events.map(({ event }) => event)
}

async function monitors(): Promise<number> {
  return (await space.run(['pgrep', '-f', '^(ip|bridge|nft) .*monitor'])).stdout
    .split('\n')
    .filter(line => line !== '').length
}

/** The monitors are at work once each has told of something. */
async function listening(): Promise<void> {
  let mtu = 1300
  const flood = ['00:00:00:00:00:00', 'dst', 'fd77::99', 'dev', 'vlnet0', 'via', 'lnet0']
  await until('the monitors listen', async () => {
    mtu += 1
    await space.must(['ip', 'link', 'set', 'dev', 'up1', 'mtu', String(mtu)])
    await space.must(['bridge', 'fdb', 'append', ...flood])
    await space.must(['bridge', 'fdb', 'delete', ...flood])
    const heardBefore = kinds().length
    await space.must(['nft', 'add table inet lnet_heard; delete table inet lnet_heard'])
    await new Promise(resolve => setTimeout(resolve, 100))
    if (kinds().length === heardBefore) return false
    return new Set(kinds()).size === 2
  })
  let heard = -1
  await until('it is quiet again', async () => {
    const before = heard
    heard = kernel.events.length
    await new Promise(resolve => setTimeout(resolve, 300))
    return heard === before
  })
  kernel.events.length = 0
}

/** Without counts and handles. */
async function guardRules(): Promise<string> {
  const { stdout } = await space.run(['nft', '--stateless', 'list', 'table', 'inet', 'lnet_vlnet0'])
  return stdout
}
