/**
 * Fields of one message of the topic protocol, on all its levels: 5000 names of messages, which gossipsub tells at once
 * at most, and what is around them. Each costs two microseconds and 200 bytes once it is decoded.
 */
const fieldsMax = 6000

/** Wire types of protobuf (protobuf.dev, encoding). */
const wire = { varint: 0, fixed64: 1, delimited: 2, fixed32: 5 } as const

/** Fields whose content is fields again: of an RPC its subscriptions, messages and control; of control all of its lists. */
interface Shape {
  readonly inner: Readonly<Record<number, Shape>>
}

const flat: Shape = { inner: {} }
const message: Shape = { inner: {} }
const prune: Shape = { inner: { 2: flat } }
const control: Shape = { inner: { 1: flat, 2: flat, 3: flat, 4: prune, 5: flat } }
const rpc: Shape = { inner: { 1: flat, 2: message, 3: control } }

/** Whether gossipsub may decode these bytes of a neighbour: counts their fields, and makes nothing of them. */
export function isModestRpc(bytes: Uint8Array): boolean {
  return countRpc(bytes) !== null
}

/** How many fields these bytes have, and messages among them; null where gossipsub must not decode them. */
export function countRpc(bytes: Uint8Array): { readonly fields: number; readonly messages: number } | null {
  const reader = { bytes, at: 0, fields: 0, messages: 0 }
  return readFields(reader, bytes.length, rpc) ? reader : null
}

interface Reader {
  readonly bytes: Uint8Array
  at: number
  fields: number
  messages: number
}

function readFields(reader: Reader, end: number, shape: Shape): boolean {
  while (reader.at < end) {
    reader.fields += 1
    if (reader.fields > fieldsMax) return false
    const tag = readVarint(reader)
    if (tag < 0) return false
    const type = tag % 8
    if (type === wire.varint) {
      if (readVarint(reader) < 0) return false
    } else if (type === wire.fixed64 || type === wire.fixed32) {
      reader.at += type === wire.fixed64 ? 8 : 4
    } else if (type !== wire.delimited || !readDelimited(reader, end, shape.inner[Math.floor(tag / 8)])) {
      return false
    }
  }
  return reader.at === end
}

function readDelimited(reader: Reader, end: number, inner: Shape | undefined): boolean {
  const length = readVarint(reader)
  if (length < 0 || reader.at + length > end) return false
  if (inner === message) reader.messages += 1
  if (inner !== undefined) return readFields(reader, reader.at + length, inner)
  reader.at += length
  return true
}

/** Less than nothing where there is none. */
function readVarint(reader: Reader): number {
  let value = 0
  for (let scale = 1; scale < 2 ** 70; scale *= 128) {
    const byte = reader.bytes[reader.at]
    if (byte === undefined) return -1
    reader.at += 1
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return value
  }
  return -1
}
