import { unusableKeys } from '../x25519.ts'
import type { Report } from './report.ts'
import type { Draft } from './sections.ts'

/** Refuses public keys of machines without lnetd that WireGuard cannot use. Without such machines it costs nothing. */
export async function checkStaticKeys({ staticMembers }: Draft, report: Report): Promise<void> {
  const wanted = staticMembers.flatMap(({ publicKey }, index) => {
    const key = `static_members[${index}].public_key`
    return report.isBroken(key) ? [] : [{ key, publicKey }]
  })
  if (wanted.length === 0) return
  const unusable = await unusableKeys(wanted.map(({ publicKey }) => publicKey))
  for (const { key, publicKey } of wanted)
    if (unusable.has(publicKey))
      report.add(key, `${publicKey} is a point of low order`, {
        why: 'no handshake can succeed with it',
        remedy: 'write what `wg show INTERFACE public-key` prints on that machine',
      })
}
