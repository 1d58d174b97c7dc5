import type { MeshId, NodeId, NodeName } from '../model/node.ts'
import type { schema } from './protocol.ts'

/** POST with `?node=`, the id of a member that is dead. */
export const forgetPath = '/v1/forget'

export interface ForgetView {
  readonly schema: typeof schema
  readonly action: 'forget'
  readonly mesh: MeshId
  readonly node: NodeId
  readonly name: NodeName
}
