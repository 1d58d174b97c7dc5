import { bearersOf } from '../mesh/bearers.ts'
import { everywhere } from '../mesh/ways.ts'
import { formatMemberReference } from '../model/member-reference.ts'
import { degraded, noticed, type Problem } from '../model/problem.ts'
import type { DaemonParts } from './parts.ts'
import { assessmentNow } from './situation.ts'
import type { State } from './state.ts'

/** What keeps this node from using the gateways it should use. */
export function gatewayProblems(parts: DaemonParts, state: State): readonly Problem[] {
  const { configuration, observation, refusedRoutes } = state
  const refusals = refusedRoutes.map(({ prefix, reason }) =>
    noticed('route-refused', prefix, `the offered route ${prefix} is not taken`, { why: reason }),
  )
  const { defaultVia } = configuration
  const ambiguous = ambiguities(parts, state)
  const isServed = observation?.state.detours.some(({ prefix }) => prefix === everywhere) === true
  if (defaultVia === null || observation === null || isServed) return [...refusals, ...ambiguous]
  const subject = defaultVia === 'auto' ? defaultVia : formatMemberReference(defaultVia)
  const who =
    defaultVia === 'auto' ? 'no member is a gateway that answers' : `${subject} is no gateway that answers`
  return [
    ...refusals,
    ...ambiguous,
    degraded('gateway-missing', subject, who, {
      why: "packets leave by this machine's own default route",
      remedy: 'see gateway in its configuration',
    }),
  ]
}

/** Names of the configuration that two members bear. */
function ambiguities(parts: DaemonParts, state: State): readonly Problem[] {
  const { defaultVia, acceptRoutes } = state.configuration
  const named = [
    ...(defaultVia === null || defaultVia === 'auto' ? [] : [{ key: 'default_via', reference: defaultVia }]),
    ...(typeof acceptRoutes === 'string' ? [] : acceptRoutes.members).map(reference => ({
      key: 'accept_routes',
      reference,
    })),
  ]
  const { evidence, members } = assessmentNow(parts, state)
  return named.flatMap(({ key, reference }): readonly Problem[] => {
    const nodes = bearersOf(reference, members, evidence).map(({ announcement }) => announcement.node)
    if (nodes.length < 2) return []
    const subject = formatMemberReference(reference)
    const choices = nodes
      .toSorted()
      .slice(0, 2)
      .map(node => `${subject}/${node}`)
    return [
      degraded('gateway-ambiguous', subject, `${nodes.length} members are called ${subject}`, {
        why: `${key} takes none of them`,
        remedy: `write ${key}: ${choices.join(' or ')}`,
      }),
    ]
  })
}
