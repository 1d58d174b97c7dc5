import type { DialReport } from '../model/neighbour.ts'
import { degraded, noticed, type Problem } from '../model/problem.ts'

const namedHostsMax = 3

/** Who seems to have another mesh secret: each that was dialled, and one problem for all that dialled this node. */
export function secretProblems(dials: readonly DialReport[], isAlone: boolean): readonly Problem[] {
  const suspected = dials.filter(({ secretMayDiffer }) => secretMayDiffer)
  const outbound = suspected.filter(({ direction }) => direction === 'outbound')
  return [
    ...outbound.map(({ target }) =>
      (isAlone ? degraded : noticed)(
        'secret-may-differ',
        target,
        `${target} is reachable, but the mesh secret may differ`,
        { remedy: 'compare the secret files of both machines' },
      ),
    ),
    ...inboundProblems(suspected.filter(each => !outbound.includes(each))),
  ]
}

/** Anybody can dial this node, by any number of addresses: that says nothing of its own state, and is told once. */
function inboundProblems(dials: readonly DialReport[]): readonly Problem[] {
  if (dials.length === 0) return []
  const hosts = dials.slice(0, namedHostsMax).map(({ target }) => target)
  const rest = dials.length - hosts.length
  const what = `connections ${hosts.join(', ')}${rest > 0 ? ` and ${rest} more` : ''} fail in the handshake again and again`
  return [
    noticed('secret-may-differ', 'inbound', what, {
      why: 'these are strangers, or nodes with another mesh secret',
    }),
  ]
}
