import { hostname } from 'node:os'
import type { Configuration } from '../model/configuration.ts'
import { type Explanation, explained, sentenceOf } from '../model/explanation.ts'
import { failed, type Result } from '../model/failure.ts'
import { configBytesMax } from '../model/limits.ts'
import { nodeNameFromHostname } from '../model/node.ts'
import { crossCheck } from './config/cross-checks.ts'
import { parseConfigDocument } from './config/document.ts'
import { Fields } from './config/fields.ts'
import { type ConfigurationProblem, placedProblem, Report } from './config/report.ts'
import { type Draft, readDraft, sortSegments } from './config/sections.ts'
import { checkStaticKeys } from './config/static-keys.ts'
import { isOpenToOthers, readWhole } from './files.ts'

export { type ConfigurationProblem, describeConfigurationProblem, placedProblem } from './config/report.ts'

export type LoadedConfiguration =
  | {
      readonly ok: true
      readonly configuration: Configuration
      /** Base64, where the file holds the secret itself. */
      readonly inlineSecret: string | null
      /** What works but should not stay so. */
      readonly warnings: readonly string[]
    }
  | {
      readonly ok: false
      readonly problems: readonly ConfigurationProblem[]
      /** Nothing of the file is known. */
      readonly unread?: 'missing' | 'unreadable'
    }

/** Reads and checks a configuration file. Every problem is found in one go. */
export async function loadConfiguration(path: string): Promise<LoadedConfiguration> {
  const read = await readWhole(path, configBytesMax)
  if (!read.ok) return refused(read.failure, 'unreadable')
  if (read.value === null)
    return refused(
      explained('there is no such file', {
        remedy: 'run `lnetctl init`, or `lnetctl join` to join a mesh',
      }),
      'missing',
    )
  const loaded = await checkConfiguration(Buffer.from(read.value.bytes).toString('utf8'), hostname())
  if (!loaded.ok || loaded.inlineSecret === null || !isOpenToOthers(read.value.mode)) return loaded
  return {
    ...loaded,
    warnings: [
      ...loaded.warnings,
      `${path} holds the mesh secret and is open to others: run \`chmod 600 ${path}\``,
    ],
  }
}

/** For a command that cannot go on without the configuration. */
export function refusedConfiguration(path: string, problems: readonly ConfigurationProblem[]): Result<never> {
  const [first, second] = problems.map(problem => placedProblem(path, problem))
  if (first === undefined) return failed(`${path} is refused`)
  if (second === undefined) return failed(first.what, first)
  const remedy = `see all with lnetd --check --config ${path}`
  return failed(`${path} has ${problems.length} problems`, { why: `the first: ${sentenceOf(first)}`, remedy })
}

/** The same for a text; `machine` is the hostname, the default for the node's name. Never throws. */
export async function checkConfiguration(text: string, machine: string): Promise<LoadedConfiguration> {
  const report = new Report()
  const draft = readText(text, machine, report)
  if (draft !== null) await checkStaticKeys(draft, report)
  return concluded(draft, report)
}

/** The same without what takes time: whether the keys of static members can be used. */
export function parseConfiguration(text: string, machine: string): LoadedConfiguration {
  const report = new Report()
  return concluded(readText(text, machine, report), report)
}

/** Null when the text is no YAML map. */
function readText(text: string, machine: string, report: Report): Draft | null {
  const document = parseConfigDocument(text, report)
  if (document === null) return null
  const root = new Fields(document.root, '', document, report)
  const draft = readDraft(root, nodeNameFromHostname(machine))
  root.finish()
  crossCheck(draft, report)
  return draft
}

function concluded(draft: Draft | null, report: Report): LoadedConfiguration {
  const problems = report.problems()
  if (draft === null || problems.length > 0) return { ok: false, problems }
  return {
    ok: true,
    configuration: finish(draft),
    inlineSecret: draft.mesh.inlineSecret,
    warnings: [],
  }
}

function finish(draft: Draft): Configuration {
  const { secretFile, id } = draft.mesh
  return {
    ...draft,
    mesh: { secret: secretFile === null ? { kind: 'inline' } : { kind: 'file', path: secretFile }, id },
    segments: sortSegments(draft.segments),
  }
}

function refused({ what, why, remedy }: Explanation, unread: 'missing' | 'unreadable'): LoadedConfiguration {
  return { ok: false, problems: [{ key: '', line: null, what, why, remedy }], unread }
}
