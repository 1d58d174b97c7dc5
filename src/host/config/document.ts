import { isMap, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import type { Report } from './report.ts'

/** A YAML file as a tree that knows its lines. */
export interface ConfigDocument {
  /** Null: empty. */
  readonly root: YAMLMap | null
  lineOf(node: Node): number | null
}

/** Null when the text is no YAML map; the report says why. Never throws. */
export function parseConfigDocument(text: string, report: Report): ConfigDocument | null {
  const lines = new LineCounter()
  const document = parse(text, lines)
  if (document === null) {
    report.add('', 'is nested too deep to be read')
    return null
  }
  const faults = [...document.errors, ...document.warnings]
  for (const fault of faults) report.add('', describe(fault.message), { line: lineAt(lines, fault.pos[0]) })
  if (faults.length > 0) return null
  const { contents } = document
  if (contents !== null && !isMap(contents) && contents.range?.[1] !== contents.range?.[0]) {
    report.add('', 'must be a map of keys and values')
    return null
  }
  return {
    root: isMap(contents) ? contents : null,
    lineOf: node => (node.range == null ? null : lineAt(lines, node.range[0])),
  }
}

function parse(text: string, lineCounter: LineCounter) {
  try {
    // The library looks for repeated keys in quadratic time; `Fields` does it on the way.
    return parseDocument(text, { lineCounter, prettyErrors: false, schema: 'core', uniqueKeys: false })
  } catch (error) {
    // The parser goes down by recursion, and throws when the stack is used up.
    if (error instanceof RangeError) return null
    throw error
  }
}

function describe(message: string): string {
  const [first] = message.split('\n')
  return `is no valid YAML: ${first}`.slice(0, 200)
}

function lineAt(lines: LineCounter, offset: number): number | null {
  const { line } = lines.linePos(offset)
  return line > 0 ? line : null
}
