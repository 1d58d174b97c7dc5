import { holdsOf, ownHolds, tunnelPrefix } from '../mesh/claims.ts'
import { clockBehindSeconds } from '../mesh/clock-skew.ts'
import { isReachable } from '../mesh/desire.ts'
import { type Impostor, isIdentityInUse } from '../mesh/identity.ts'
import { formatBootstrapPlace } from '../model/bootstrap.ts'
import type { BootstrapPlace } from '../model/configuration.ts'
import { describeStep } from '../model/describe-step.ts'
import { sentenceOf } from '../model/explanation.ts'
import { firstNeighbourSeconds, membersMax } from '../model/limits.ts'
import type { DialReport } from '../model/neighbour.ts'
import { degraded, noticed, type Problem } from '../model/problem.ts'
import { accusations } from './accusations.ts'
import { bridgeProblems } from './bridge-problems.ts'
import { contestProblems } from './claim-problems.ts'
import { floodProblems } from './flood-problems.ts'
import { gatewayProblems } from './gateway-problems.ts'
import { overlapProblems } from './overlap-problems.ts'
import type { DaemonParts } from './parts.ts'
import { portProblems } from './port-problems.ts'
import { secretProblems } from './secret-problems.ts'
import { assessmentNow } from './situation.ts'
import type { State } from './state.ts'

export interface Health {
  /** What keeps this node from being all it should be, each with what to do about it. */
  problems(): readonly Problem[]
  /** Logs what came and what went since the last time. */
  tell(): void
}

export function createHealth(parts: DaemonParts, state: State): Health {
  let told = new Map<string, Problem>()
  return {
    problems: () => problemsOf(parts, state),
    tell() {
      const before = told
      told = new Map(problemsOf(parts, state).map(problem => [`${problem.code} ${problem.subject}`, problem]))
      for (const [key, problem] of told)
        if (!before.has(key))
          parts.log.warn('problem.raised', {
            code: problem.code,
            subject: problem.subject,
            reason: sentenceOf(problem),
          })
      for (const [key, { code, subject }] of before)
        if (!told.has(key)) parts.log.info('problem.cleared', { code, subject })
    },
  }
}

function problemsOf(parts: DaemonParts, state: State): readonly Problem[] {
  return [
    ...parts.archive.notes,
    ...kernelProblems(state),
    ...overlapProblems(state),
    ...bridgeProblems(parts, state),
    ...floodProblems(state, parts.clock.now()),
    ...portProblems(state),
    ...gatewayProblems(parts, state),
    ...claimProblems(state),
    ...contestProblems(parts, state),
    ...gossipProblems(state, parts.clock.now()),
    ...mismatchProblems(parts, state),
    ...ownProblems(state, parts.clock.now()),
    ...clockProblems(parts, state),
    ...accusations(parts, state),
  ]
}

function kernelProblems(state: State): readonly Problem[] {
  const problems: Problem[] = []
  if (state.kernelFailure !== null)
    problems.push(degraded('kernel-failed', '', state.kernelFailure.what, state.kernelFailure))
  for (const { step, failure } of state.stepFailures)
    problems.push(degraded('kernel-failed', describeStep(step), failure.what, failure))
  for (const device of state.observation?.foreign ?? [])
    problems.push(
      degraded('foreign-device', device.interface, `${device.interface} is ${device.what}, not lnet's`, {
        remedy: 'remove or rename it, or set another interface name',
      }),
    )
  return problems
}

function claimProblems(state: State): readonly Problem[] {
  const nameOf = (node: string) =>
    [...state.membership.values()].find(({ announcement }) => announcement.node === node)?.announcement
      .name ?? node
  return [
    ...state.lost.map(({ address, owner }) =>
      degraded('address-contested', address, `${address} belongs to ${nameOf(owner)} (${owner})`, {
        remedy: 'configure another address here, or there',
      }),
    ),
    ...state.exhausted.map(prefix =>
      degraded('address-none-free', prefix, `every address of ${prefix} is taken`, {
        remedy: 'configure a larger prefix',
      }),
    ),
  ]
}

function gossipProblems(state: State, now: number): readonly Problem[] {
  const dials = state.gossip?.dials() ?? []
  const isAlone = (state.gossip?.neighbours().length ?? 0) === 0
  const problems = [...secretProblems(dials, isAlone)]
  const knowsNodes = [...state.membership.values()].some(
    ({ announcement }) => announcement.declaredBy === null,
  )
  // The same list for all machines names each one itself, too.
  const own = new Set(state.gossip?.ownPlaces() ?? [])
  const bootstrap = state.configuration.bootstrap.filter(place => !own.has(formatBootstrapPlace(place)))
  const expectsOthers = bootstrap.length > 0 || knowsNodes
  const hadTime = now - state.startedAt >= firstNeighbourSeconds * 1000
  if (isAlone && expectsOthers && hadTime) problems.push(noNeighbour(bootstrap, dials))
  return problems
}

/** Tells of the first place of the configuration: to its reader it says more than a node id. */
function noNeighbour(bootstrap: readonly BootstrapPlace[], dials: readonly DialReport[]): Problem {
  const places = bootstrap.map(formatBootstrapPlace)
  const outbound = dials.filter(({ direction }) => direction === 'outbound')
  const configured = places.flatMap(place => outbound.filter(({ target }) => target === place))
  const first = configured[0] ?? outbound[0]
  return degraded('no-neighbour', '', 'no other node answers gossip', {
    why: first === undefined ? null : `${first.target}: ${first.error}`,
    remedy: 'check the bootstrap addresses, and that their TCP port is open',
  })
}

/** Members that cannot be reached because the two configurations do not fit together. */
function mismatchProblems(parts: DaemonParts, state: State): readonly Problem[] {
  const prefix = tunnelPrefix(state.configuration.tunnel, parts.mesh)
  const { members: acting, judgement } = assessmentNow(parts, state)
  const members = acting.filter(({ announcement }) => !announcement.left)
  const all = [...members.map(({ announcement }) => announcement), ...ownHolds(parts.node, state.claims)]
  const holds = holdsOf(all, judgement)
  return members
    .filter(member => !isReachable(member, prefix, holds))
    .map(({ announcement: { name, vtep } }) =>
      degraded(
        'tunnel-prefix-differs',
        name,
        `${name} has VTEP ${vtep}, which another node holds or which is outside ${prefix}`,
        { remedy: 'set the same tunnel.prefix on all nodes' },
      ),
    )
}

function ownProblems(state: State, now: number): readonly Problem[] {
  const problems: Problem[] = []
  if (isIdentityInUse(state.impostor, now)) problems.push(identityInUse(state.impostor))
  if (state.saveFailure !== null)
    problems.push(degraded('state-not-saved', '', state.saveFailure.what, state.saveFailure))
  if (state.membership.size >= membersMax)
    problems.push(
      degraded('members-full', '', `there are more than ${membersMax} members`, {
        why: 'further ones are ignored',
        remedy: 'make two meshes of it',
      }),
    )
  return problems
}

/** WireGuard takes no handshake that is older than the last one it took of us (whitepaper, section 5.4.2). */
function clockProblems({ clock }: DaemonParts, { membership }: State): readonly Problem[] {
  const others = Array.from(membership.values(), ({ announcement }) => announcement)
  const behind = clockBehindSeconds(others, clock.wallSeconds())
  if (behind === 0) return []
  const what = `this machine’s clock is at least ${Math.ceil(behind / 60)} min behind that of other members`
  return [noticed('clock-behind', '', what, { remedy: 'set it (timedatectl set-ntp true)' })]
}

function identityInUse({ place, yielding }: Impostor): Problem {
  const other = place === null ? 'another machine' : `another machine, at ${place},`
  return degraded('identity-in-use', '', `${other} uses this node’s identity`, {
    why: yielding ? 'this one has given way and has no tunnels until the other is gone' : null,
    remedy: 'on the copy, remove the state directory and restart lnetd',
  })
}
