import { addressOf, isHostOf } from '../../model/address.ts'
import type { StaticMember } from '../../model/configuration.ts'
import { segmentFactsBytesMax } from '../../model/limits.ts'
import type { Report } from './report.ts'
import type { Draft } from './sections.ts'

/** Holds what is declared of machines without lnetd against each other and against the tunnel. */
export function checkStaticMembers(draft: Draft, report: Report): void {
  const seen = new Map<string, string>()
  for (const [index, member] of draft.staticMembers.entries()) {
    const key = `static_members[${index}]`
    checkVtep(member, key, draft, report)
    checkSegments(member, key, report)
    for (const [name, value] of Object.entries({
      name: member.name,
      public_key: member.publicKey,
      vtep: member.vtep,
    })) {
      const earlier = seen.get(`${name} ${value}`)
      if (value === null || report.isBroken(`${key}.${name}`)) continue
      if (earlier !== undefined)
        report.add(`${key}.${name}`, `${value} is that of ${earlier}`, { remedy: 'give it another one' })
      seen.set(`${name} ${value}`, `${key}.${name}`)
    }
  }
}

function checkVtep({ vtep }: StaticMember, key: string, { tunnel }: Draft, report: Report): void {
  if (report.isBroken(`${key}.vtep`, 'tunnel.prefix')) return
  if (vtep === null) {
    if (tunnel.prefix !== null)
      report.add(`${key}.vtep`, 'is missing', { remedy: `set an address in tunnel.prefix ${tunnel.prefix}` })
    return
  }
  if (tunnel.prefix === null)
    report.add(`${key}.vtep`, 'is derived where tunnel.prefix is auto', { remedy: 'leave it out' })
  else if (vtep === tunnel.address) report.add(`${key}.vtep`, `${vtep} is tunnel.address, this node's own`)
  else if (!isHostOf(tunnel.prefix, vtep))
    report.add(`${key}.vtep`, `must be in tunnel.prefix ${tunnel.prefix}, got ${vtep}`)
}

/** So that a declaration fits into an announcement. */
function checkSegments({ segments }: StaticMember, key: string, report: Report): void {
  if (report.isBroken(`${key}.segments`)) return
  const bytes = segments
    .flatMap(({ addresses }) => addresses)
    .reduce((sum, address) => sum + address.length + claimBytesMax, segments.length * segmentBytesMax)
  if (bytes > segmentFactsBytesMax)
    report.add(`${key}.segments`, 'has more segments and addresses than an announcement can hold', {
      remedy: 'leave some out',
    })
  const vnis = segments.map(({ vni }) => vni)
  for (const vni of vnis.filter((each, index) => vnis.indexOf(each) !== index))
    report.add(`${key}.segments`, `VNI ${vni} is there twice`)
  for (const { vni, addresses } of segments) {
    const hosts = addresses.map(addressOf)
    for (const host of hosts.filter((each, index) => hosts.indexOf(each) !== index))
      report.add(`${key}.segments`, `${host} is there twice in VNI ${vni}`)
  }
}

/** VNI, MAC and framing; and what a claim adds to the text of its address, in CBOR. */
const segmentBytesMax = 30
const claimBytesMax = 10
