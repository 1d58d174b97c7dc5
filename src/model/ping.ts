import type { IpAddress } from './address.ts'

/** One echo request, and how it is sent. */
export interface PingRequest {
  readonly address: IpAddress
  /** Bytes of the whole IP packet, which may then not be cut on the way; absent: a small one. */
  readonly packetBytes?: number
}

/** Milliseconds there and back, or null when no answer came within a second. */
export type PingTime = number | null
