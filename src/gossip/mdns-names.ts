import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { multicastAnswerBytesMax } from '../model/limits.ts'
import { type NodeId, parseNodeId } from '../model/node.ts'

/** Who answers, and where its gossip is: a multiaddr. */
export interface LanAnswer {
  readonly node: NodeId
  readonly address: string
}

/**
 * What a mesh calls itself on a LAN, by DNS-SD. The name is another one each day and only who knows the secret can tell
 * that it is the mesh's, and the answers are sealed: nobody on the LANs where a machine appears can recognise it.
 */
export interface LanNames {
  /** Days since 1970, by this machine's clock. */
  today(): number
  serviceOf(day: number): string
  /** The day of a name that who knows the secret made; null for every other name. */
  dayOf(service: string): number | null
  /** The name of a node's answer for that day. */
  instanceOf(node: NodeId, day: number): string
  seal(answer: LanAnswer, day: number): Buffer
  /** Null: not of this mesh, not of that day, or damaged. */
  open(sealed: Uint8Array, day: number): LanAnswer | null
}

const secondsPerDay = 86_400
const keyBytes = 32
/** RFC 8439 section 2.8. */
const cipher = 'chacha20-poly1305'
const nonceBytes = 12
const tagBytes = 16
/** Until the year 4840. */
const dayDigits = 5
const servicePattern = /^_lnet-([\da-f]{5})([\da-f]{16})\._tcp\.local$/i

export function lanNames(networkKey: Uint8Array, wallSeconds: () => number): LanNames {
  const key = derive(networkKey, 'mdns')
  const sealingKey = (day: number) => derive(key, `seal ${day}`)
  const tagOf = (text: string) => createHmac('sha256', key).update(text).digest('hex').slice(0, 16)
  const serviceOf = (day: number) =>
    `_lnet-${day.toString(16).padStart(dayDigits, '0')}${tagOf(`service ${day}`)}._tcp.local`
  return {
    today: () => Math.max(0, Math.floor(wallSeconds() / secondsPerDay)),
    serviceOf,
    dayOf(service) {
      const digits = servicePattern.exec(service)?.[1]
      if (digits === undefined) return null
      const day = Number.parseInt(digits, 16)
      return serviceOf(day) === service.toLowerCase() ? day : null
    },
    instanceOf: (node, day) => `${tagOf(`node ${day} ${node}`)}.${serviceOf(day)}`,
    seal({ node, address }, day) {
      const nonce = randomBytes(nonceBytes)
      const sealing = createCipheriv(cipher, sealingKey(day), nonce, { authTagLength: tagBytes })
      const text = Buffer.concat([sealing.update(`${node} ${address}`), sealing.final()])
      return Buffer.concat([nonce, text, sealing.getAuthTag()])
    },
    open(sealed, day) {
      if (sealed.length <= nonceBytes + tagBytes || sealed.length > multicastAnswerBytesMax) return null
      const opening = createDecipheriv(cipher, sealingKey(day), sealed.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      })
      opening.setAuthTag(sealed.subarray(-tagBytes))
      try {
        const text = Buffer.concat([opening.update(sealed.subarray(nonceBytes, -tagBytes)), opening.final()])
        const [id = '', address = ''] = text.toString('utf8').split(' ')
        const node = parseNodeId(id)
        return node === null ? null : { node, address }
      } catch {
        return null
      }
    },
  }
}

/** What 0.1.0 calls the mesh, for ever: asked for and understood where a node of that version is, never answered to. */
export function oldServiceOf(topic: string): string {
  const digest = createHash('sha256').update(topic).digest('hex').slice(0, 16)
  return `_lnet-${digest}._tcp.local`
}

/** An answer for each of these days, as DNS-SD has it: RFC 6763. */
export function recordsOf(names: LanNames, answer: LanAnswer, days: readonly number[]) {
  return days.flatMap(day => {
    const name = names.instanceOf(answer.node, day)
    return [
      { name: names.serviceOf(day), type: 'PTR' as const, ttl: 120, data: name },
      { name, type: 'TXT' as const, ttl: 120, data: [names.seal(answer, day)] },
    ]
  })
}

function derive(key: Uint8Array, label: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, new Uint8Array(), `lnet/1/${label}`, keyBytes))
}
