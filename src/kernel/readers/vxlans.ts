import type { Result } from '../../model/failure.ts'
import { documents, type Fields, objects, optionalFields, reading } from './fields.ts'

/** A VXLAN device, whoever made it. */
export interface OtherVxlan {
  readonly interface: string
  /** Null: `external`, which takes every VNI of its port. */
  readonly vni: number | null
  readonly port: number
}

/** From `ip -json -details link show type vxlan`. */
export function readVxlans(output: string): Result<readonly OtherVxlan[]> {
  return reading('ip link', () =>
    objects(output.trim() === '' ? [] : documents(output, 1)[0], 'links').flatMap(({ ifname, linkinfo }) =>
      vxlanOf(String(ifname), optionalFields(optionalFields(linkinfo).info_data)),
    ),
  )
}

function vxlanOf(device: string, { id, port, external }: Fields): readonly OtherVxlan[] {
  if (typeof port !== 'number') return []
  return [{ interface: device, vni: typeof id === 'number' && external !== true ? id : null, port }]
}
