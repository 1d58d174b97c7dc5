import { createSocket, type Socket } from 'node:dgram'
import {
  multicastPacketBytesMax,
  multicastPacketsPerSecondMax,
  multicastRecordsMax,
} from '../model/limits.ts'

/** A DNS header is 12 bytes; four counts of records stand at its end (RFC 1035 section 4.1.1). */
const headerBytes = 12
const countOffsets = [4, 6, 8, 10] as const

/**
 * A socket for multicast DNS that hands on no more than a node of the mesh has to say: anyone on the LAN can send here,
 * and decoding one packet of 64 KiB takes 200 ms.
 */
export function modestSocket(now: () => number): Socket {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  const emit = socket.emit.bind(socket) as (event: string | symbol, ...args: unknown[]) => boolean
  const isInTime = createAllowance(now)
  socket.emit = (event: string | symbol, ...args: unknown[]) => {
    if (event !== 'message') return emit(event, ...args)
    return isModestPacket(args[0] as Uint8Array) && isInTime() && emit(event, ...args)
  }
  return socket
}

export function isModestPacket(packet: Uint8Array): boolean {
  if (packet.length < headerBytes || packet.length > multicastPacketBytesMax) return false
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length)
  const records = countOffsets.reduce((sum, offset) => sum + view.getUint16(offset), 0)
  return records <= multicastRecordsMax
}

function createAllowance(now: () => number): () => boolean {
  let left = multicastPacketsPerSecondMax
  let last = now()
  return () => {
    const at = now()
    const gained = ((at - last) / 1000) * multicastPacketsPerSecondMax
    left = Math.min(multicastPacketsPerSecondMax, left + gained)
    last = at
    if (left < 1) return false
    left -= 1
    return true
  }
}
