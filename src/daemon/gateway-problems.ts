import { everywhere } from '../mesh/ways.ts'
import type { Problem } from '../model/problem.ts'
import type { State } from './state.ts'

/** What keeps this node from using the gateways it should use. */
export function gatewayProblems({ configuration, observation, refusedRoutes }: State): readonly Problem[] {
  const refusals = refusedRoutes.map(
    ({ prefix, reason }): Problem => ({
      code: 'route-refused',
      subject: prefix,
      message: `the offered route ${prefix} is not taken: ${reason}`,
      severity: 'notice',
    }),
  )
  const { defaultVia } = configuration
  const isServed = observation?.state.detours.some(({ prefix }) => prefix === everywhere) === true
  if (defaultVia === null || observation === null || isServed) return refusals
  const who =
    defaultVia === 'auto' ? 'no member is a gateway that answers' : `${defaultVia} is no gateway that answers`
  return [
    ...refusals,
    {
      code: 'gateway-missing',
      subject: defaultVia,
      message: `${who}: packets leave by this machine's own default route; see gateway in its configuration`,
      severity: 'degraded',
    },
  ]
}
