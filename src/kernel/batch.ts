import { peersPerCommandMax } from '../model/limits.ts'
import type { MeshId } from '../model/node.ts'
import type { Plan, Step } from '../model/step.ts'
import type { WireguardPublicKey } from '../model/wireguard-key.ts'
import { type Instruction, render } from './render.ts'

export type InstructionOf<Tool extends Instruction['tool']> = Extract<Instruction, { readonly tool: Tool }>

/** An instruction that remembers which step it came from. */
export interface Traced<Item extends Instruction> {
  readonly step: Step
  readonly instruction: Item
}

/** What one process does; never empty. */
export type Batch = {
  [Tool in Instruction['tool']]: {
    readonly tool: Tool
    readonly items: readonly Traced<InstructionOf<Tool>>[]
  }
}[Instruction['tool']]

/** The processes of a plan, in its order: their number grows with the kinds of its steps, not with its length. */
export function batchesOf(plan: Plan, mesh: MeshId): readonly Batch[] {
  const drafts: Draft[] = []
  for (const step of plan) for (const instruction of render(step, mesh)) add(drafts, { step, instruction })
  return drafts.map(({ tool, items }) => ({ tool, items }) as Batch)
}

interface Draft {
  readonly tool: Instruction['tool']
  readonly items: { readonly step: Step; readonly instruction: Instruction }[]
  /** Whose WireGuard peers it is about. */
  readonly keys: Set<WireguardPublicKey>
}

/** Joins the nearest draft of its kind that it can reach without overtaking what it depends on. */
function add(drafts: Draft[], item: Draft['items'][number]): void {
  const key = peerKeyOf(item.instruction)
  const draft = reachable(drafts, item.instruction, key) ?? emptyDraft(item.instruction)
  if (draft.items.length === 0) drafts.push(draft)
  draft.items.push(item)
  if (key !== null) draft.keys.add(key)
}

function reachable(
  drafts: readonly Draft[],
  instruction: Instruction,
  key: WireguardPublicKey | null,
): Draft | null {
  for (const draft of drafts.toReversed()) {
    if (takes(draft, instruction)) return draft
    if (!mayOvertake(draft, instruction, key)) return null
  }
  return null
}

function emptyDraft({ tool }: Instruction): Draft {
  return { tool, items: [], keys: new Set() }
}

function takes(draft: Draft, instruction: Instruction): boolean {
  if (draft.tool !== instruction.tool) return false
  switch (instruction.tool) {
    case 'ip':
    case 'bridge':
    case 'nft':
    case 'sysctl':
      return true
    case 'wg-remove':
      return isSameDevice(draft, instruction) && draft.items.length < peersPerCommandMax
    case 'wg-peer':
      return isSameDevice(draft, instruction)
    case 'wg-device':
    case 'tunnel':
    case 'forwarding':
      return false
  }
}

/**
 * Renewals and settings of different WireGuard peers do not depend on each other. A plain removal keeps its place:
 * it comes after the peer that takes its addresses over.
 */
function mayOvertake(draft: Draft, instruction: Instruction, key: WireguardPublicKey | null): boolean {
  if (key === null || draft.keys.size === 0 || draft.keys.has(key)) return false
  if (!isSameDevice(draft, instruction)) return false
  return instruction.tool === 'wg-peer' || (instruction.tool === 'wg-remove' && instruction.renewed)
}

function isSameDevice(draft: Draft, instruction: Instruction): boolean {
  const first = draft.items[0]?.instruction
  return (
    first !== undefined &&
    'interface' in first &&
    'interface' in instruction &&
    first.interface === instruction.interface
  )
}

function peerKeyOf(instruction: Instruction): WireguardPublicKey | null {
  switch (instruction.tool) {
    case 'wg-peer':
      return instruction.peer.publicKey
    case 'wg-remove':
      return instruction.publicKey
    default:
      return null
  }
}
