import type { Cancel } from '../host/clock.ts'
import { gatewaysOf, isGatewayGone, noteAnswer } from '../mesh/ways.ts'
import { addressOf } from '../model/address.ts'
import { gatewayIdleQuestions, gatewayQuestionMilliseconds } from '../model/limits.ts'
import type { Member } from '../model/member.ts'
import type { DaemonParts } from './parts.ts'
import { assessmentNow } from './situation.ts'
import type { State } from './state.ts'

/** Asks the gateways this node would use whether they are there. Says nothing where none is wanted. */
export interface Asker {
  /** The configuration is another one. */
  update(): void
  stop(): void
}

/** `changed`: a gateway is gone, is back, or answered for the first time. */
export function createAsker(parts: DaemonParts, state: State, changed: () => void): Asker {
  const { clock, kernel } = parts
  let timer: Cancel | null = null
  let round = 0
  let stopped = false

  /** Without anybody to ask there is no timer either. */
  function update(): void {
    const { defaultVia, acceptRoutes } = state.configuration
    const isWanted = !stopped && (defaultVia !== null || acceptRoutes !== 'none')
    if (isWanted) timer ??= clock.setTimer(gatewayQuestionMilliseconds, next)
  }

  function next(): void {
    timer = null
    askAll()
    update()
  }

  function askAll(): void {
    const { evidence } = assessmentNow(parts, state)
    const gateways = gatewaysOf(state.configuration, state.membership.values(), evidence)
    const nodes = new Set(gateways.map(({ announcement }) => announcement.node))
    if (nodes.size < state.answers.size || [...state.answers.keys()].some(node => !nodes.has(node)))
      state.answers = new Map([...state.answers].filter(([node]) => nodes.has(node)))
    const all = round % gatewayIdleQuestions === 0
    round += 1
    for (const gateway of gateways) if (all || isUrgent(gateway)) void ask(gateway)
  }

  /** One in use, or one that stopped answering and may be back. */
  function isUrgent({ announcement: { node, segments } }: Member): boolean {
    const answers = state.answers.get(node)
    if (answers === undefined || answers.misses > 0) return true
    const used = new Set(state.observation?.state.detours.map(({ via }) => via))
    return segments.some(({ addresses }) => addresses.some(({ address }) => used.has(addressOf(address))))
  }

  async function ask({ announcement: { node, vtep } }: Member): Promise<void> {
    const milliseconds = await kernel.question(vtep)
    const before = state.answers.get(node)
    const after = noteAnswer(before, milliseconds)
    state.answers = new Map([...state.answers, [node, after]])
    const isNews = (before?.milliseconds ?? null) === null && milliseconds !== null
    if (isNews || (before !== undefined && isGatewayGone(before) !== isGatewayGone(after))) changed()
  }

  update()
  return {
    update,
    stop() {
      stopped = true
      timer?.()
    },
  }
}
