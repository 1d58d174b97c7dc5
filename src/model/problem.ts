/** Something that keeps this node from being all it should be. Bounded, so that each can be counted and tested. */
export const problemCodes = [
  'kernel-failed',
  'foreign-device',
  'address-contested',
  'address-none-free',
  'bridge-unusable',
  'bridge-loop',
  'bridge-unwatched',
  'flood-limited',
  'flood-unlimited',
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

export interface Problem {
  readonly code: ProblemCode
  /** What it is about: an interface, an address, a place; empty when it is the whole node. */
  readonly subject: string
  /** One sentence that names the remedy. */
  readonly message: string
  /** `degraded` makes `status --check` fail; a `notice` is only shown. */
  readonly severity: 'degraded' | 'notice'
}
