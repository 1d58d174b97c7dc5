/** Every bound in one place; the unit ends each name. Values without a source are design choices. */

/** DESIGN section 5: an announcement, before it is sealed. */
export const announcementBytesMax = 2048
/** A sealed announcement: the signature (64), the public key (36), the domain and framing come on top. */
export const envelopeBytesMax = announcementBytesMax + 256
export const membersMax = 20_000
export const nameCharactersMax = 63
export const softwareCharactersMax = 32
export const endpointsPerMemberMax = 16
export const gossipAddressesPerMemberMax = 16
export const gossipAddressCharactersMax = 128
export const segmentsPerMemberMax = 16
export const overlayAddressesPerSegmentMax = 16
/** Sequence numbers stay safe integers with room to outbid for ever. */
export const sequenceNumberMax = 2 ** 48
/** IFNAMSIZ is 16 with the terminating NUL (linux/if.h). */
export const interfaceNameCharactersMax = 15
/** VXLAN network identifiers have 24 bits (RFC 7348 section 5). */
export const vniMax = 2 ** 24 - 1
/** RFC 8200 section 5: every IPv6 link carries 1280 bytes. */
export const mtuBytesMin = 1280
/** wireguard-go and the kernel accept up to 65535 less their own overhead. */
export const mtuBytesMax = 65_455

/** FACTS-gossip 3b: a slow heartbeat, because WireGuard already tells who is alive. */
export const heartbeatSecondsDefault = 60
export const heartbeatSecondsMin = 1
export const heartbeatSecondsMax = 86_400
/** DESIGN section 5: silent after four missed heartbeats. */
export const heartbeatsMissedMax = 4
/** Gossip one member's share of the heartbeats may cause, bytes per second, whatever the size of the mesh. */
export const idleGossipBytesPerSecond = 200
export const keepaliveSecondsDefault = 25
/** DESIGN section 5: a tunnel is up when its receive counter grew within three keepalives. */
export const receiveGrowthSecondsMax = 75
/** DESIGN section 5: unknown until so long after an endpoint change. */
export const endpointTrialSeconds = 15
/** FACTS-kernel 4: about 1.5 s a candidate are enough to hear from one that works. */
export const firstContactTrialSeconds = 4
/** When a peer that has not answered is made anew after its endpoint was set; staggered by the order of the keys. */
export const renewalMilliseconds = { lower: [300, 1200], higher: [700, 2200] } as const
/** Addresses taken of one DNS name. */
export const resolvedEndpointsMax = 4
/** WireGuard whitepaper section 6.1: REJECT_AFTER_TIME 180 s + REKEY_TIMEOUT 5 s + REKEY_ATTEMPT_TIME 90 s. */
export const handshakeFreshSecondsMax = 275
export const forgetAfterSecondsDefault = 7 * 24 * 3600
/** Without any answer from the mesh, a starting daemon counts as warm after this. */
export const warmGraceSeconds = 15
/** Automatic IPv4 addresses are chosen after the first sync, or after this when nobody answers. */
export const claimGraceSeconds = 3

/** How many neighbours a node dials (DESIGN section 5). */
export const neighbourDegree = 6
export const neighboursMax = 100
export const syncMessageBytesMax = 4 * 1024 * 1024
export const syncIntervalSecondsMin = 10
export const syncIntervalSecondsMax = 30
/** A digest entry is about 60 bytes: 20,000 members stay below the message limit. */
export const digestEntriesMax = membersMax
export const envelopesPerSyncMax = 1000

export const configBytesMax = 256 * 1024
export const controlRequestBytesMax = 4096
export const controlResponseBytesMax = 64 * 1024 * 1024
export const toolOutputBytesMax = 64 * 1024 * 1024
export const toolSecondsMax = 20
/** One line of log a reason and this time, so that a hostile neighbour cannot fill a disk. */
export const logRateSeconds = 10
/** FACTS-gossip 6: WireGuard peers emit no netlink event, so they are polled. */
export const observeSeconds = 7
export const driftDebounceMilliseconds = 100
export const retryMillisecondsMin = 250
export const retryMillisecondsMax = 30_000
