import { parsedAddressesCachedMax } from '../../model/limits.ts'

/**
 * A parser that knows what it parsed before: a look at a large mesh meets the same few thousand texts again and
 * again, and parsing them is most of its cost. Forgets everything when it is full.
 */
export function remembered<Value>(parse: (text: string) => Value): (text: string) => Value {
  const known = new Map<string, Value>()
  return text => {
    const value = known.get(text)
    if (value !== undefined || known.has(text)) return value as Value
    // A piece of a tool's output would hold all of it in memory.
    const own = Buffer.from(text).toString()
    const fresh = parse(own)
    if (known.size >= parsedAddressesCachedMax) known.clear()
    known.set(own, fresh)
    return fresh
  }
}
