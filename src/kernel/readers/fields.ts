import { failed, ok, type Result } from '../../model/failure.ts'

/** An object of a tool's JSON, before anything in it was looked at. */
export type Fields = Readonly<Record<string, unknown>>

/** Runs a reader; what it cannot read becomes a failure that names the tool and the place. */
export function reading<Value>(tool: string, read: () => Value): Result<Value> {
  try {
    return ok(read())
  } catch (error) {
    if (!(error instanceof Unreadable) && !(error instanceof SyntaxError)) throw error
    return failed(`cannot read what ${tool} said: ${error.message}; is its version supported?`)
  }
}

export function unreadable(place: string): never {
  throw new Unreadable(place)
}

/** The JSON documents of a batch, a line each. */
export function documents(text: string, count: number): readonly unknown[] {
  const lines = text.split('\n').filter(line => line.trim() !== '')
  if (lines.length !== count) unreadable(`${lines.length} answers instead of ${count}`)
  return lines.map((line): unknown => JSON.parse(line))
}

/** A list of objects. iproute2 writes empty objects for what a filter left out; they are passed over. */
export function objects(value: unknown, place: string): readonly Fields[] {
  if (!Array.isArray(value)) unreadable(`${place} is no list`)
  return value.map((item, index) => asFields(item, `${place}[${index}]`)).filter(hasFields)
}

export function asFields(value: unknown, place: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) unreadable(`${place} is no object`)
  return value as Fields
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

function hasFields(fields: Fields): boolean {
  return Object.keys(fields).length > 0
}
