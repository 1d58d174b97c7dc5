import { type Explanation, type ExplanationDetails, explained } from './explanation.ts'

/** Something that keeps this node from being all it should be. Bounded, so that each can be counted and tested. */
export const problemCodes = [
  'kernel-failed',
  'foreign-device',
  'network-overlaps',
  'address-contested',
  'address-none-free',
  'claim-contested',
  'bridge-unusable',
  'bridge-loop',
  'bridge-unwatched',
  'flood-limited',
  'flood-unlimited',
  'ports-unprivileged',
  'gateway-missing',
  'gateway-ambiguous',
  'route-refused',
  'no-neighbour',
  'secret-may-differ',
  'tunnel-prefix-differs',
  'member-misbehaves',
  'identity-in-use',
  'clock-behind',
  'state-not-saved',
  'state-set-aside',
  'members-full',
] as const
export type ProblemCode = (typeof problemCodes)[number]

export interface Problem extends Explanation {
  readonly code: ProblemCode
  /** What it is about: an interface, an address, a place; empty when it is the whole node. */
  readonly subject: string
  /** `degraded` makes `status --check` fail; a `notice` is only shown. */
  readonly severity: 'degraded' | 'notice'
}

/** Makes `status --check` fail. `degraded('members-full', '', 'there are too many', { remedy: 'remove some' })` */
export function degraded(
  code: ProblemCode,
  subject: string,
  what: string,
  details: ExplanationDetails = {},
): Problem {
  return { code, subject, ...explained(what, details), severity: 'degraded' }
}

/** Is only shown. */
export function noticed(
  code: ProblemCode,
  subject: string,
  what: string,
  details: ExplanationDetails = {},
): Problem {
  return { ...degraded(code, subject, what, details), severity: 'notice' }
}
