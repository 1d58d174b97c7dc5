import { hostEntries } from '../mesh/names.ts'
import { sentenceOf } from '../model/explanation.ts'
import { formatHosts } from '../model/hosts.ts'
import type { DaemonParts } from './parts.ts'
import { assessmentNow } from './situation.ts'
import type { State } from './state.ts'

/** Keeps the names of members where they are resolved from, while the configuration asks for it. */
export interface Namer {
  /** Something was heard, or is configured otherwise. */
  looked(): void
  /** No names any more: the data plane goes. */
  end(): Promise<void>
}

export function createNamer(parts: DaemonParts, state: State): Namer {
  const { hosts, log } = parts
  let kept: string | null = null
  let writing: Promise<void> = Promise.resolve()

  function keep(text: string): void {
    if (text === kept) return
    kept = text
    writing = writing.then(async () => {
      const done = await hosts.keep(text)
      if (done.ok) return
      log.warn('names.not_kept', { reason: sentenceOf(done.failure) })
      kept = null
    })
  }

  function looked(): void {
    const { names, segments } = state.configuration
    if (!names) {
      keep('')
      return
    }
    const { members, judgement } = assessmentNow(parts, state)
    const all = [...(state.own === null ? [] : [state.own]), ...members]
    const announcements = all.map(({ announcement }) => announcement)
    keep(formatHosts(hostEntries(announcements, new Set(segments.map(({ vni }) => vni)), judgement)))
  }

  return {
    looked,
    end: () => {
      keep('')
      return writing
    },
  }
}
