import type { Archive } from '../../src/daemon/parts.ts'
import { formatMembers, parseMembers, type SavedMember } from '../../src/host/saved-members.ts'
import { formatState, freshState, type Parsed, parseState } from '../../src/host/saved-state.ts'
import { ok } from '../../src/model/failure.ts'

/** A state directory that outlives daemons and power cuts. What is read went through the files' own formats. */
export class Disk {
  #state: Uint8Array | null = null
  #members: { readonly list: readonly SavedMember[]; readonly savedAt: number } | null = null

  /** `wait` is how long a write takes; a daemon that dies meanwhile wrote nothing. */
  open(wallSeconds: () => number, wait: () => Promise<void>): Archive {
    return {
      saved: this.#state === null ? freshState : whole(parseState(this.#state)),
      members: this.#readMembers(wallSeconds()),
      notes: [],
      saveState: async state => {
        const bytes = formatState(state)
        await wait()
        this.#state = bytes
        return ok(undefined)
      },
      saveMembers: async list => {
        const savedAt = wallSeconds()
        await wait()
        this.#members = { list, savedAt }
        return ok(undefined)
      },
    }
  }

  /** The disk was replaced. */
  wipe(): void {
    this.#state = null
    this.#members = null
  }

  /** Encoded only when it is read: a thousand daemons write it often, and few restart. */
  #readMembers(wallSeconds: number): readonly SavedMember[] {
    if (this.#members === null) return []
    const { list, savedAt } = this.#members
    return whole(parseMembers(formatMembers(list, savedAt), wallSeconds))
  }
}

function whole<Value>(parsed: Parsed<Value>): Value {
  if (parsed.kind !== 'whole')
    throw new Error(`what was written to the disk is ${parsed.kind} when it is read`)
  return parsed.value
}
