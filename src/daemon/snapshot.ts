import { resolve } from 'node:path'
import type { Snapshot } from '../control/snapshot.ts'
import { tunnelPrefix } from '../mesh/claims.ts'
import type { UnderlayPaths } from '../model/path.ts'
import type { Problem } from '../model/problem.ts'
import type { DaemonParts } from './parts.ts'
import { assessmentNow, isWarm } from './situation.ts'
import type { State } from './state.ts'

/** The state as views are made of it: nothing in it changes any more. */
export function snapshotOf(
  parts: DaemonParts,
  state: State,
  problems: readonly Problem[],
  paths: UnderlayPaths,
): Snapshot {
  const { membership, tracks, proofs, refused, own, observation } = state
  const now = parts.clock.now()
  return {
    mesh: parts.mesh,
    software: parts.software,
    publicKey: parts.publicKey,
    now,
    startedAt: state.startedAt,
    wallSeconds: parts.clock.wallSeconds(),
    self: own?.announcement ?? null,
    implementation: observation?.implementation ?? null,
    membership,
    tracks,
    judgement: assessmentNow(parts, state).judgement,
    keys: state.records.keys,
    proofs,
    state: observation?.state ?? null,
    floods: observation?.floods ?? [],
    neighbours: state.gossip?.neighbours() ?? [],
    dials: state.gossip?.dials() ?? [],
    problems,
    paths,
    files: filesOf(parts, state),
    refused: new Map(refused),
    unanswered: new Map(state.unanswered),
    absent: state.absent,
    warm: state.synced || isWarm(state, now),
    vteps: tunnelPrefix(state.configuration.tunnel, parts.mesh),
  }
}

function filesOf(
  { configurationFile, networkNamespace }: DaemonParts,
  { configuration }: State,
): Snapshot['files'] {
  if (configurationFile === undefined) return null
  const { mesh, stateDir } = configuration
  const secret = mesh.secret.kind === 'file' ? resolve(mesh.secret.path) : null
  return {
    configuration: resolve(configurationFile),
    state_dir: resolve(stateDir),
    secret,
    ...(networkNamespace === undefined ? {} : { network_namespace: networkNamespace }),
  }
}
