import type { JoinToken, TokenSegment } from '../mesh/token.ts'
import type { Prefix } from '../model/address.ts'
import { formatBootstrapPlace } from '../model/bootstrap.ts'
import type { MeshId, NodeName } from '../model/node.ts'
import { defaultSegment } from './config/sections.ts'

/** The configuration `lnetctl init` writes for the first node of a mesh. */
export function firstConfiguration(
  name: NodeName | null,
  mesh: MeshId,
  secretPath: string,
  prefix: Prefix,
): string {
  return [
    '# Configuration of lnetd, written by `lnetctl init`. Every other key has a default; the sample that comes with',
    '# lnetd shows them all. After a change: lnetd --check, then systemctl reload lnetd.',
    '',
    ...nameLines(name),
    ...meshLines(mesh, secretPath),
    '',
    '# Members to ask first. The first node of a mesh needs none.',
    'bootstrap: []',
    '',
    ...prefixLines(prefix),
  ].join('\n')
}

/** The configuration `lnetctl join` writes. */
export function joiningConfiguration(name: NodeName | null, token: JoinToken, secretPath: string): string {
  return [
    '# Configuration of lnetd, written by `lnetctl join`. Every other key has a default; the sample that comes with',
    '# lnetd shows them all. After a change: lnetd --check, then systemctl reload lnetd.',
    '',
    ...nameLines(name),
    ...meshLines(token.mesh, secretPath),
    '',
    '# Members to ask first. One that can be reached is enough.',
    ...listLines('bootstrap', token.bootstrap.map(formatBootstrapPlace)),
    '',
    ...tunnelLines(token),
    ...segmentLines(token.segments),
  ].join('\n')
}

/** Nothing where it is the default. */
function prefixLines(prefix: Prefix): readonly string[] {
  if (defaultSegment.prefixes.includes(prefix)) return []
  return [
    `# This machine uses ${defaultSegment.prefixes.join()} itself. The same on every node: tokens tell it.`,
    'segments:',
    `  - prefixes: [${quote(prefix)}]`,
    '',
  ]
}

function nameLines(name: NodeName | null): readonly string[] {
  return name === null
    ? ['# What this machine is called in `lnetctl peers`; left out, it is the hostname.', '# name: gauss', '']
    : [`name: ${quote(name)}`, '']
}

function meshLines(mesh: MeshId, secretPath: string): readonly string[] {
  return [
    'mesh:',
    '  # Whoever has this file can join the mesh.',
    `  secret_file: ${quote(secretPath)}`,
    '  # Addresses hang on the id, not on the secret. The same on every node.',
    `  id: ${quote(mesh)}`,
  ]
}

function tunnelLines({ tunnelPrefix }: JoinToken): readonly string[] {
  if (tunnelPrefix === null) return []
  return ['tunnel:', '  # The same on every node.', `  prefix: ${quote(tunnelPrefix)}`, '']
}

function segmentLines(segments: readonly TokenSegment[]): readonly string[] {
  if (isDefault(segments)) return []
  if (segments.length === 0) return ['segments: []', '']
  return [
    '# VNI, port and prefixes are the same on every node of a segment.',
    'segments:',
    ...segments.flatMap(({ interface: name, vni, port, prefixes }) => [
      `  - interface: ${quote(name)}`,
      `    vni: ${vni}`,
      `    port: ${port}`,
      `    prefixes: [${prefixes.map(quote).join(', ')}]`,
    ]),
    '',
  ]
}

function isDefault(segments: readonly TokenSegment[]): boolean {
  const { interface: name, vni, port, prefixes } = defaultSegment
  return JSON.stringify(segments) === JSON.stringify([{ interface: name, vni, port, prefixes }])
}

function listLines(key: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [`${key}: []`] : [`${key}:`, ...items.map(item => `  - ${quote(item)}`)]
}

/** A JSON text is a YAML text. */
function quote(text: string): string {
  return JSON.stringify(text)
}
