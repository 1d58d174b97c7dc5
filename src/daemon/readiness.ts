import type { Readiness } from '../mesh/compose.ts'
import { sendsPrivileged } from '../mesh/source-ports.ts'
import type { Observation } from '../model/kernel-state.ts'
import type { State } from './state.ts'

/** What this node may announce of its kernel, as it was last observed. */
export function readiness(observation: Observation | null): Readiness {
  return {
    isGateway: observation?.state.gateway?.forwards === true,
    privileged: observation !== null && sendsPrivileged(observation.state.segments),
  }
}

/** What was announced of it is not so any more. */
export function hasNewReadiness({ own, observation }: Pick<State, 'own' | 'observation'>): boolean {
  if (own === null) return false
  const { isGateway, privileged } = readiness(observation)
  const { announcement } = own
  return isGateway !== (announcement.gateway !== null) || privileged !== announcement.privileged
}
