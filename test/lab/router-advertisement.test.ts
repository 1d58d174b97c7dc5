import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KernelState } from '../../src/model/kernel-state.ts'
import type { LinkTrust } from '../../src/model/link-trust.ts'
import { desiredState, planFor } from '../kernel/state.ts'
import { sendFrames } from './frame-sender.ts'
import { type RemoteKernel, startKernel } from './kernel-remote.ts'
import { eventually } from './lab.ts'
import { connect, createNamespace, createSwitch, type Namespace } from './namespace.ts'

/** A member of a segment says that it is a router. Its frames come in clear, past a guard that is left out. */
let spaces: Namespace[]
let victim: Namespace
let member: Namespace
let kernel: RemoteKernel

beforeAll(async () => {
  const hub = await createSwitch('sw', [])
  victim = await createNamespace('victim')
  member = await createNamespace('member')
  spaces = [victim, member, hub]
  await connect(hub, [
    { node: victim, interface: 'eth0', addresses: ['10.9.0.1/16'] },
    { node: member, interface: 'eth0', addresses: ['10.9.0.66/16'] },
  ])
  kernel = startKernel(victim)
})

afterAll(async () => {
  await kernel.end()
  for (const space of spaces) space.close()
})

describe('a router advertisement on a segment', () => {
  it('changes nothing', async () => {
    expect(await kernel.apply(planFor(unguarded('none')))).toEqual([])
    expect(await look()).toEqual(unguarded('none'))
    await advertise()
    // What follows on the same path has been taken in by now, and so has this.
    await eventually('the segment took frames in', async () => (await received()) >= 3)
    expect(await learned()).toEqual([])
  })

  it('is drift where somebody opened the device: what it left is removed', async () => {
    await victim.must(['sh', '-c', 'cd /proc/sys/net/ipv6/conf/vlnet0; echo 1 >accept_ra; echo 1 >autoconf'])
    await advertise()
    await eventually(
      'there is a default route by the segment',
      async () => (await learned()).length === 3,
      10,
    )
    const repairs = planFor(unguarded('none'), await look())
    expect(repairs.map(({ kind }) => kind)).toEqual(['link.trust', 'learned.remove'])
    expect(await kernel.apply(repairs)).toEqual([])
    expect(await learned()).toEqual([])
    expect(await look()).toEqual(unguarded('none'))
  })

  it('is drift also where the device was closed again', async () => {
    const opening = 'cd /proc/sys/net/ipv6/conf/vlnet0; echo $0 >accept_ra; echo $0 >autoconf'
    await victim.must(['sh', '-c', opening, '1'])
    await advertise()
    await eventually(
      'there is a default route by the segment',
      async () => (await learned()).length === 3,
      10,
    )
    await victim.must(['sh', '-c', opening, '0'])
    const repairs = planFor(unguarded('none'), await look())
    expect(repairs.map(({ kind }) => kind)).toEqual(['learned.remove'])
    expect(await kernel.apply(repairs)).toEqual([])
    expect(await learned()).toEqual([])
  })

  it('is obeyed where that was asked for', async () => {
    expect(await kernel.apply(planFor(unguarded('routers'), await look()))).toEqual([])
    await advertise()
    await eventually(
      'there is a default route by the segment',
      async () => (await learned()).length === 3,
      10,
    )
    expect(planFor(unguarded('routers'), await look())).toEqual([])
  })
})

function unguarded(trusts: Exclude<LinkTrust, 'open'>): KernelState {
  const state = desiredState(1, 4)
  return { ...state, segments: state.segments.map(segment => ({ ...segment, trusts, guard: null })) }
}

async function look(): Promise<KernelState> {
  const observed = await kernel.observe()
  if (!observed.ok) throw new Error(JSON.stringify(observed.failure))
  return observed.value.state
}

/** The default route, the prefix on the link, the address. */
async function learned(): Promise<readonly string[]> {
  const script = 'ip -6 route show dev vlnet0; ip -6 -oneline address show dev vlnet0'
  const said = await victim.must(['sh', '-c', script])
  return said
    .split('\n')
    .filter(line => / proto ra |2001:db8:bad/.test(line))
    .sort()
}

async function received(): Promise<number> {
  return Number(await victim.must(['cat', '/sys/class/net/vlnet0/statistics/rx_packets']))
}

async function advertise(): Promise<void> {
  const frame = Buffer.concat([hex('333300000001 020000000042 86dd'), packet()])
  await sendFrames(member, [{ family: 4, to: '10.9.0.1', mac: '', frame: frame.toString('hex') }])
}

/** RFC 4861 section 4.2, with a prefix for addresses (section 4.6.2). */
function packet(): Buffer {
  const prefix = '03 04 40 c0 00015180 00003840 00000000 20010db80bad0000 0000000000000000'
  const message = hex(`86 00 0000 40 00 0708 00000000 00000000 ${prefix}`)
  const [from, to] = [hex('fe800000000000000000000000000066'), hex('ff020000000000000000000000000001')]
  const length = Buffer.alloc(4)
  length.writeUInt32BE(message.length)
  message.writeUInt16BE(checksum(Buffer.concat([from, to, length, hex('0000003a'), message])), 2)
  return Buffer.concat([hex('60000000'), length.subarray(2), hex('3aff'), from, to, message])
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return ~sum & 0xffff
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}
