import { failed, ok, type Result } from '../../model/failure.ts'

/** An object of a tool's JSON, before anything in it was looked at. */
export type Fields = Readonly<Record<string, unknown>>

/** Runs a reader; what it cannot read becomes a failure that names the tool and the place. */
export function reading<Value>(tool: string, read: () => Value): Result<Value> {
  try {
    return ok(read())
  } catch (error) {
    if (!(error instanceof Unreadable) && !(error instanceof SyntaxError)) throw error
    return failed(`cannot read what ${tool} said`, {
      why: error.message,
      remedy: `check whether lnetd supports this version of ${tool}`,
    })
  }
}

export function unreadable(place: string): never {
  throw new Unreadable(place)
}

/** The JSON documents of a batch, a line each. */
export function documents(text: string, count: number): readonly unknown[] {
  const lines = text.split('\n').filter(line => line.trim() !== '')
  if (lines.length !== count) unreadable(`${lines.length} answers instead of ${count}`)
  return lines.map(parseDocument)
}

/** A device's name may hold control characters, which iproute2 writes as they are; JSON has none (RFC 8259 section 7). */
function parseDocument(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return JSON.parse(line.replaceAll(controlCharacters, '\ufffd').replaceAll(oddEscapes, '$1$2'))
  }
}

/** Anything below a space. */
const controlCharacters = /[^\x20-\uffff]/g
/** Whole escapes are kept, and of others the backslash goes. */
const oddEscapes = /(\\["\\/bfnrtu])|\\(.)/g

/**
 * The objects of a list. What is none is passed over, as are the empty objects iproute2 writes for what a filter left
 * out: most of what is listed is somebody else's.
 */
export function objects(value: unknown, place: string): readonly Fields[] {
  if (!Array.isArray(value)) unreadable(`${place} is no list`)
  return value.filter(isObject).filter(hasFields)
}

export function asFields(value: unknown, place: string): Fields {
  return isObject(value) ? value : unreadable(`${place} is no object`)
}

/** For what may be anybody's: what is no object has no fields. */
export function optionalFields(value: unknown): Fields {
  return isObject(value) ? value : {}
}

export function text(fields: Fields, name: string, place: string): string {
  const value = fields[name]
  return typeof value === 'string' ? value : unreadable(`${place} has no text ${name}`)
}

export function optionalText(fields: Fields, name: string): string | null {
  const value = fields[name]
  return typeof value === 'string' ? value : null
}

export function integer(fields: Fields, name: string, place: string): number {
  const value = fields[name]
  return Number.isSafeInteger(value) ? (value as number) : unreadable(`${place} has no whole number ${name}`)
}

/** The texts of a list; what else is in it is passed over. */
export function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : []
}

/** A text through the model's own parser. */
export function parsed<Value>(
  fields: Fields,
  name: string,
  parse: (text: string) => Value | null,
  place: string,
): Value {
  return parse(text(fields, name, place)) ?? unreadable(`${place} has no valid ${name}`)
}

class Unreadable extends Error {}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasFields(fields: Fields): boolean {
  return Object.keys(fields).length > 0
}
