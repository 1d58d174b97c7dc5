import { type NodeId, type NodeName, parseNodeId, parseNodeName } from './node.ts'

/** A member as an operator writes it: `NAME`, or `NAME/NODEID` where the name alone is not enough. */
export interface MemberReference {
  readonly name: NodeName
  readonly node: NodeId | null
}

export function parseMemberReference(text: string): MemberReference | null {
  const [first = '', second, ...rest] = text.split('/')
  const name = parseNodeName(first)
  const node = second === undefined ? null : parseNodeId(second)
  if (name === null || rest.length > 0 || (second !== undefined && node === null)) return null
  return { name, node }
}

export function formatMemberReference({ name, node }: MemberReference): string {
  return node === null ? name : `${name}/${node}`
}

/** Whether a reference names this node. */
export function refersTo(
  { name, node }: MemberReference,
  member: { readonly name: NodeName; readonly node: NodeId },
): boolean {
  return member.name === name && (node === null || member.node === node)
}
