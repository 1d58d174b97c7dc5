/** Every bound in one place; the unit ends each name. Values without a source are design choices. */

/** An announcement, before it is sealed. */
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
/** Networks behind a gateway that it offers: five bytes each, beside all else an announcement holds. */
export const gatewayRoutesMax = 8
/** How often a gateway in use is asked whether it is there, and every how many times the others are. */
export const gatewayQuestionMilliseconds = 1000
export const gatewayAnswerMillisecondsMax = 900
export const gatewayIdleQuestions = 10
/** So many questions without an answer, and a gateway that answered before is gone. */
export const gatewayMissesMax = 3
/** Asked at most, whatever is offered. */
export const gatewaysAskedMax = 16
/** Networks and members that routes are accepted of: as many as there may be gateways with routes. */
export const acceptedRoutesMax = 64
/**
 * No claim is from before it, 1 November 2026 in Unix seconds: lnet was first published in that month. `since` is its author's word, and an earlier one
 * is no honest clock's.
 */
export const claimSinceSecondsMin = 1_793_491_200
/** As far ahead as honest clocks may be. */
export const claimAheadSecondsMax = 300
/** Held so long, a pinned address or a name is not lost to whoever claims it later. */
export const tenureSeconds = 60
/** A member that was never reached counts for no claim after so long. */
export const unprovenClaimSecondsMax = 600
/** How long a claimant of a WireGuard key may try: some rounds of handshakes, one every 5 s (whitepaper, section 6.1). */
export const keyTrialSeconds = 60
/** Members that an operator took out and that did not speak since: about 100 bytes each in the state file. */
export const forgottenMax = 256
/** Contested claims in status; who makes up more gains nothing by it. */
export const contestsShownMax = 16
/** Holders of names, addresses and keys that are known again after a restart: about 100 bytes each. */
export const holdersSavedMax = 4096
/** Another gateway has to be so much faster, and by so many milliseconds, before it is changed to. */
export const gatewayGainFactor = 0.7
export const gatewayGainMilliseconds = 10
/** Own addresses whose packets keep leaving by the machine's own routes. */
export const detourExemptionsMax = 64
/** Machines without lnetd that one node declares. */
export const staticMembersMax = 128
/** What is taken of one declaring node, farewells of machines it declared before included. */
export const declarationsPerMemberMax = 2 * staticMembersMax
/** A machine that does not speak for itself is declared anew so often, long before it would be forgotten. */
export const declarationSeconds = 86_400
/** What wg-quick and WireGuard itself give a tunnel over 1500 bytes (IPv6 outside). */
export const staticTunnelMtuBytesDefault = 1420
/** A wg-quick file that is imported: as many peers as one node declares. */
export const wgQuickPeersMax = staticMembersMax
export const wgQuickLineCharactersMax = 4096
/** Sequence numbers stay safe integers with room to outbid for ever. */
export const sequenceNumberMax = 2 ** 48
/** IFNAMSIZ is 16 with the terminating NUL (linux/if.h). */
export const interfaceNameCharactersMax = 15
/** VXLAN network identifiers have 24 bits (RFC 7348 section 5). */
export const vniMax = 2 ** 24 - 1
/** What the kernel's vxlan driver keeps a learned MAC for when nobody says otherwise (FDB_AGE_DEFAULT). */
export const ageingSecondsDefault = 300
export const ageingSecondsMin = 10
export const ageingSecondsMax = 86_400
/**
 * Frames to everybody that a segment sends, each copied once per member: as much as 100 Mbit/s of multicast in frames of
 * 1350 bytes needs, and a tenth of what a loop makes.
 */
export const floodFramesPerSecondDefault = 10_000
export const floodFramesPerSecondMin = 10
export const floodFramesPerSecondMax = 1_000_000
/** What ARP has beside that, and ND as much again, so that addresses are found in a storm. */
export const questionFramesPerSecond = 1000
/** What is sent to a MAC that was heard for so long is no flood; so many are remembered a segment. */
export const heardSeconds = 3600
export const heardMacsMax = 65_535
/** So long after the last dropped frame was counted a storm is over: two looks. */
export const floodCalmSeconds = 15
/** How often a node says on a bridge with a physical port that it is there: a loop has to be broken within a second. */
export const loopProbeMilliseconds = 400
/** Where probes go: no program is known to use the port. */
export const loopProbePort = 51_823
/** A node id has 52 characters; what is before and after it 38 bytes. */
export const loopProbeBytesMax = 128
/** Datagrams looked at, whoever sends them: 64 nodes on one LAN say 160. */
export const loopProbesPerSecondMax = 500
/** So often a node says that it is gone: one word may get lost, on a radio above all. */
export const loopFarewells = 3
/** Physical ports of one bridge that are told apart: probes that come in by the nth get the nth port after ours. */
export const loopPortsMax = 64
/** So long after its last probe a node still counts as there: seven probes. */
export const loopFreshSeconds = 3
/** A segment that is not in its bridge listens so long before it goes in. */
export const loopListenSeconds = 2
/** Who should leave has had its time: it does not hear us, so we leave. */
export const loopPatienceSeconds = 5
/** So long nothing may speak against it before a segment goes back; doubled when it had to leave again within an hour. */
export const loopQuietSecondsMin = 15
export const loopQuietSecondsMax = 3600
export const loopRelapseSeconds = 3600
/** So long without hearing itself, and a node says that it is deaf to loops. */
export const loopDeafSeconds = 10
/** Other nodes heard on one bridge that are remembered. */
export const loopNodesMax = 64
/** What a path carries where nothing can be found out. */
export const ethernetMtuBytes = 1500
/** RFC 8200 section 5: every IPv6 link carries 1280 bytes. */
export const mtuBytesMin = 1280
/** wireguard-go and the kernel accept up to 65535 less their own overhead. */
export const mtuBytesMax = 65_455

/** A slow heartbeat, because WireGuard already tells who is alive. */
export const heartbeatSecondsDefault = 60
export const heartbeatSecondsMin = 1
export const heartbeatSecondsMax = 86_400
/** A member is silent after four missed heartbeats. */
export const heartbeatsMissedMax = 4
/** Each heartbeat is spoken after a part of its interval, between this and all of it, by chance. */
export const heartbeatPartMin = 0.8
/**
 * The same when there was none before or it became so much longer: nodes that start together would else speak together
 * for hours.
 */
export const heartbeatPartMinAnew = 0.5
export const heartbeatGrowthAnew = 1.5
/**
 * What one announcement costs each node, sent and received, measured in a mesh of 10: up to 2.7 copies, a notice that it can be
 * had, and their acknowledgements.
 */
export const announcementCostBytes = 4500
/**
 * What all heartbeats together may cause at a node, bytes per second, whatever the size of the mesh; watching over
 * neighbours takes about 40 besides.
 */
export const idleGossipBytesPerSecond = 60
export const keepaliveSecondsDefault = 25
/**
 * A tunnel is up when its receive counter grew within so long: a keepalive is due every 25 s, and a suspected member
 * is asked before that, so that a dead one is known within 40 s or so.
 */
export const receiveGrowthSecondsMax = 38
/** No keepalive came when one was due, and a poll later none either: the member is asked for a sign of life. */
export const suspectSeconds = 33
/** How soon a suspected member's answer is looked for, and how soon it is asked again: four times before it counts as down. */
export const suspectLookMilliseconds = 1600
/**
 * How long a session has to prove itself. A word through the tunnel is answered within a round trip: longer than that
 * and than the pause until a kernel is looked at.
 */
export const proofMilliseconds = 1500
/** So long after a node was heard of first, it is known in its newest version. */
export const catchUpSeconds = 10
/** A member that is known by copies alone is asked for a sign of life after the one, and called silent after the other. */
export const hearsayAskSeconds = 10
export const hearsaySeconds = 20
/** How long a node that is no neighbour has for answering gossip. */
export const reachSecondsMax = 4
/** Unknown until so long after an endpoint change. */
export const endpointTrialSeconds = 15
/** Rounds of trials before each takes twice as long as the one before, up to the next limit. */
export const patientRoundsMin = 3
export const endpointTrialSecondsMax = 240
/** Measured: about 1.5 s a candidate are enough to hear from one that works. */
export const firstContactTrialSeconds = 4
/** When a peer that has not answered is made anew after its endpoint was set; staggered by the order of the keys. */
export const renewalMilliseconds = { lower: [300, 1200], higher: [700, 2200] } as const
/** How often a tunnel is tried at once because its node answered gossip, before it is left to patience. */
export const meetingsMax = 3
/** Addresses taken of one DNS name. */
export const resolvedEndpointsMax = 4
/** WireGuard whitepaper section 6.1: REJECT_AFTER_TIME 180 s + REKEY_TIMEOUT 5 s + REKEY_ATTEMPT_TIME 90 s. */
export const handshakeFreshSecondsMax = 275
export const forgetAfterSecondsDefault = 7 * 24 * 3600
/** Where heartbeats are further apart, nobody is forgotten before it is silent. */
export const forgetAfterSecondsMin = 3600
export const forgetAfterSecondsMax = 365 * 24 * 3600
/** Without any answer from the mesh, a starting daemon counts as warm after this. */
export const warmGraceSeconds = 15
/** After a power cut all start at once, and the first sync is with one who knows as little. */
export const warmSyncedSeconds = 5
/** Automatic IPv4 addresses are chosen after the first sync, or after this when nobody answers. */
export const claimGraceSeconds = 3

/** How many neighbours a node dials. */
export const neighbourDegree = 6
/**
 * With fewer neighbours a node dials any member it knows. Less than the degree, down to which surplus links are ended:
 * else what one side ends the other side dials again, for ever.
 */
export const neighboursEnough = 4
/** Silent members that are dialled all the same, so that two sides of an old split find each other. */
export const silentNeighboursWanted = 6
export const neighboursMax = 100
/** What one message may keep a slow machine busy with: about 400 announcements, or 4000 entries of a digest. */
export const syncMessageBytesMax = 256 * 1024
/** Half of what a stream may carry unread (yamux specification: 256 KiB): used up so far, the other side is given more. */
export const windowUpdateBytesMin = 128 * 1024
export const syncIntervalSecondsMin = 20
export const syncIntervalSecondsMax = 60
/** Every member and oneself. */
export const digestEntriesMax = membersMax + 1
export const envelopesPerSyncMax = 1000
/** An entry takes 57 to 71 bytes. */
export const digestPageEntriesMax = 1000
/** So many fit into one message whatever their numbers; with more, nodes of before version 0.2 are not compared with. */
export const wholeDigestEntriesMax = 3600
/** Pages of one comparison: a set of membersMax in pages of a hundred envelopes of the largest size. */
export const syncPagesMax = 256
/** A node of before version 0.2 gives all it was asked for in one message: so many of the largest size fit. */
export const syncWantedUnpagedMax = 110
/** Its answer to a digest holds up to 1000 envelopes and 1000 node ids. */
export const unpagedAnswerBytesMax = envelopesPerSyncMax * (envelopeBytesMax + 16 + 56) + 1024
/** How often it is looked who is due. */
export const syncTickSeconds = 4
/** A neighbour that answers nothing for so long is taken for dead. */
export const syncStepSecondsMax = 10
/** The same when something of the underlay just changed, and dead connections are likely. */
export const syncProbeSecondsMax = 4
/** A neighbour we dialled is asked when it was silent for so long; and then the same by the side that was dialled. */
export const neighbourProbeSeconds = 60
export const neighbourSilenceSecondsMax = 75
/** What the topic brought before it was carried by a new connection, too, is asked for once more after this. */
export const syncAgainMilliseconds = 1000
/** News that came by sync are passed on after this, so that what comes together goes together. */
export const syncCascadeMillisecondsMin = 100
export const syncCascadeMillisecondsMax = 400
/** A regular sync that finds a difference looks again after this: most often an announcement was just under way. */
export const syncSecondLookMilliseconds = 1000
export const syncRoundsMax = 64
/** A difference that a whole exchange could not settle is not looked at again for so long. */
export const syncUnsettledSeconds = 600
/** Answers one neighbour gets at once, and for each second after, by whatever connections. */
export const syncAnswersBurst = 64
export const syncAnswersPerSecond = 4
/**
 * What is exchanged with one neighbour at once, and for each second after, questions and answers of both sides: a
 * mesh of 7000 whole; and signatures for one percent of a core.
 */
export const syncBytesBurst = 4 * 1024 * 1024
export const syncBytesPerSecond = 128 * 1024
export const syncAllowance = {
  ...{ piecesBurst: syncAnswersBurst, piecesPerSecond: syncAnswersPerSecond },
  ...{ bytesBurst: syncBytesBurst, bytesPerSecond: syncBytesPerSecond },
} as const
/** Neighbours whose allowance is remembered when they are none any more. */
export const allowancesMax = 1024
/**
 * What one neighbour sends by the topic protocol at once, and for each second after: messages and bundles of them, and
 * bytes. Twenty announcements of each of 300 nodes that start together, and an announcement costs about half a
 * millisecond. What comes beyond is dropped before it is decoded, and left to sync.
 */
export const topicAllowance = {
  ...{ piecesBurst: 12_288, piecesPerSecond: 64 },
  ...{ bytesBurst: 8 * 1024 * 1024, bytesPerSecond: 128 * 1024 },
} as const
/** What a field of a message of the topic costs beside its bytes, in bytes: two microseconds. */
export const topicFieldBytes = 64
/**
 * Frames and bytes of one connection at once, and for each second after: twice what its topic and its sync may carry. What
 * comes beyond is read later, so that TCP holds up whoever sends it.
 */
export const connectionAllowance = {
  ...{ piecesBurst: 16_384, piecesPerSecond: 1024 },
  ...{ bytesBurst: 16 * 1024 * 1024, bytesPerSecond: 512 * 1024 },
} as const
/** Streams and pings of one connection at once, and for each second after; a node opens two streams, and another when one breaks. */
export const openingAllowance = {
  ...{ piecesBurst: 128, piecesPerSecond: 2 },
  ...{ bytesBurst: 1, bytesPerSecond: 1 },
} as const
/** The window of a stream (yamux specification: 256 KiB), and as much again for a window that grew; a frame is no longer. */
export const frameBytesMax = 512 * 1024
/** Announcements of one message are taken in so many at a time, with a pause for others between. */
export const syncAdmittedAtOnce = 64
/** Forged envelopes in one sync message after which the rest is not looked at and the stream is closed. */
export const syncForgedMax = 8
/** A connection has both gossip streams and a subscription by then, or it is not worth keeping. */
export const topicStreamsSecondsMax = 20
/** One word at a time is said: a neighbour that is stuck must not keep us from the next. */
export const publishSecondsMax = 5
/** One message of the topic protocol; announcements come one by one, replies to requests in bundles. */
export const topicMessageBytesMax = 512 * 1024
/** Announcements of the topic that wait to be opened; what comes beyond is left to sync. */
export const topicWaitingMax = 1024
/** FACTS-gossip B: libp2p's own bounds reset dials when many nodes behind one address start together. */
export const inboundConnectionsPerSecondMax = 100
export const inboundPendingMax = 64
/** As many of one IPv4 address or IPv6 /64 at a time, as of machines behind one router that start together. */
export const inboundPendingPerHostMax = 8
/** The first bytes come with the connection itself: so much for a route that loses the first of them (RFC 6298 section 2). */
export const inboundFirstBytesMilliseconds = 1500
/**
 * Connections with a whole handshake, which costs some milliseconds, at once and for each second after: of one node, which
 * may try all its addresses several times, and of all behind one IPv4 address or IPv6 /64, as of 300 that start together.
 */
export const nodeConnectionAllowance = {
  ...{ piecesBurst: 64, piecesPerSecond: 0.5 },
  ...{ bytesBurst: 1, bytesPerSecond: 1 },
} as const
export const hostConnectionAllowance = {
  ...{ piecesBurst: 1024, piecesPerSecond: 8 },
  ...{ bytesBurst: 1, bytesPerSecond: 1 },
} as const
/** The handshake's round trips on a slow route; until then none of the same host pushes out one that spoke. */
export const inboundTurnMilliseconds = 500
/** Connecting and both handshakes, for one address. */
export const dialSecondsMax = 5
export const dialsAtOnceMax = 16
/** Addresses, of all places together; and of these the ones that others named. */
export const addressDialsMax = 64
export const addressDialsOfOthersMax = 48
/** The addresses of one place are tried at this distance until one answers (RFC 8305 section 5). */
export const dialStaggerMilliseconds = 250
export const redialMillisecondsMin = 100
/** While a place was reached or first tried less than redialEagerSeconds ago. */
export const redialEagerMillisecondsMax = 5000
export const redialEagerSeconds = 300
export const redialMillisecondsMax = 30_000
/** Who was never tried is dialled one by one at this distance once there is a neighbour, and once there are enough. */
export const untriedMilliseconds = 250
export const untriedMillisecondsEnough = 10_000
/** Of those who do not answer, one is dialled so often, by each node of a small mesh and by each of a large one. */
export const searchMillisecondsMin = 3000
export const searchMillisecondsPerNode = 500
export const searchMillisecondsMax = 30_000
/** A connection that ended sooner counts as a dial that failed. */
export const shortConnectionSeconds = 10
/**
 * A bootstrap place without a connection is asked again so often even with enough neighbours: it may know of others.
 * Each takes so much longer as there are members that the place is asked by the whole mesh once in so many seconds.
 */
export const bootstrapAgainSecondsMin = 300
export const bootstrapAgainSecondsPerMember = 100
/** A neighbour that is not wanted is kept for so long, so that a newcomer learns the mesh from it. */
export const surplusSeconds = 60
/** Above so many neighbours the oldest that nobody here wants are let go, so that newcomers find room. */
export const neighboursComfortable = 90
export const upkeepSeconds = 5
/** Whoever is not connected then, and was not the time before, is forgotten by libp2p. */
export const forgettingSeconds = 60
/** Handshakes that failed in a row after TCP stood, before the mesh secret is suspected. */
export const handshakeFailuresMin = 2
/** The same for connections made to us, where anyone on the network can cause a few. */
export const inboundFailuresMin = 5
export const inboundSuspectsMax = 32
export const inboundSuspectSeconds = 600
/** Two connections between the same nodes within this come from both dialling at once; later, the older is dead. */
export const duplicateMillisecondsMax = 500
export const discoveredNodesMax = 256
/** What one name may resolve to, and one announcement or discovery may offer to dial. */
export const addressesPerPlaceMax = 16
/** How often interfaces are looked at, and each LAN is asked for nodes of the mesh. A newcomer asks at once. */
export const multicastScanSeconds = 5
export const multicastAskSeconds = 60
export const multicastEagerAsks = 3
export const multicastAnswerMilliseconds = 200
export const multicastInterfacesMax = 16
/** A node of the mesh asks up to three questions or answers with two records a day, all in 500 bytes. */
export const multicastPacketBytesMax = 1500
export const multicastRecordsMax = 16
/** Of each LAN, whoever sends them. */
export const multicastPacketsPerSecondMax = 200
/** Nodes of 0.1.0 are asked by their own name after one of them asked, so rarely and at most so much later. */
export const multicastOldAskSeconds = 20
export const multicastOldAskMilliseconds = 300
/** A node id with its nonce, tag and multiaddr: one string of a TXT record (RFC 1035 section 3.3). */
export const multicastAnswerBytesMax = 255
/** Node ids that one host of a LAN may answer with. */
export const discoveredNodesPerSenderMax = 4
export const gossipStopSecondsMax = 2

export const configBytesMax = 256 * 1024
export const controlRequestBytesMax = 4096
export const controlResponseBytesMax = 64 * 1024 * 1024
/** Whoever may ask is root or in its group; beyond so many at once some are turned away. */
export const controlConnectionsMax = 256
/** A request's line and headers have to be here by then. */
export const controlRequestSecondsMax = 5
/** Reading answers may wait for a look at the kernel, one tool at a time. */
export const controlReadSecondsMax = 30
/** Taking the data plane away may wait for several tools. */
export const controlActionSecondsMax = 120
/** Answers under way are finished for so long when the server closes. */
export const controlCloseSecondsMax = 2
/** `status` names so many members that are not up; the rest is counted. */
export const statusMembersMax = 20
/** `init --start` and `join --start` say by then how it went; joining itself takes one to three seconds. */
export const arrivalSecondsMax = 15
export const arrivalPollMilliseconds = 200
/** By then each bootstrap place was dialled to an end: dialSecondsMax, and the start of lnetd. */
export const everyPlaceSeconds = 7
/** A service that does not answer for so long is asked why it did not start. */
export const refusalSecondsMin = 3
/** Names of members in a hosts file, addresses of them; its bytes, and those of the hosts file they are put into. */
export const hostEntriesMax = 20_000
export const hostEntriesBytesMax = 4 * 1024 * 1024
export const hostsFileBytesMax = 16 * 1024 * 1024
/** Of a firewall, by `lnetctl doctor`: rules read, rules a packet is led past, and chains one leads to from another. */
export const filterRulesMax = 20_000
export const filterStepsMax = 100_000
export const filterDepthMax = 16
/** Members `lnetctl doctor` sends large packets to. */
export const provenPathsMax = 16
export const provenPathsAtOnceMax = 4
export const pingAnswerSecondsMax = 1
export const pingCountDefault = 3
export const pingCountMax = 100_000
/** Members with metrics of their own, four lines each. */
export const metricsMembersMax = 500
/** Anybody on this machine may ask for metrics; one Prometheus needs one connection. */
export const metricsConnectionsMax = 8
/** Metrics are made anew no sooner, however often they are asked for. */
export const metricsFreshMilliseconds = 1000
/** What `lnetctl events` tells, and what waits in memory while the disk takes nothing. */
export const pastEventsMax = 1000
/** Kept in memory, so that who follows the events has no file read. */
export const recentEventsMax = 32
/** Each of two files. */
export const historyFileBytesMax = 256 * 1024
export const historySaveMilliseconds = 1000
export const pastEventTextCharactersMax = 500
/** Sentences of one drift that are kept. */
export const pastRepairsMax = 3
export const eventsFollowMilliseconds = 1000
/** Where lnetd's last refusal is looked for. */
export const serviceLogLines = 20
export const watchSecondsDefault = 2
export const watchSecondsMin = 0.1
export const watchSecondsMax = 3600
/** sun_path holds 108 bytes with the terminating NUL (unix(7)). */
export const socketPathBytesMax = 107
export const toolOutputBytesMax = 64 * 1024 * 1024
export const toolSecondsMax = 20
/** How long a killed tool has to end; one that waits inside the kernel does not. */
export const toolEndSecondsMax = 5
/** Tools that did not end though they were killed; with so many only one is tried from time to time, and then none. */
export const toolsStuckMax = 8
export const toolsStuckRetrySeconds = 60
export const toolsStuckEverMax = 64
/** One line of log a reason and this time, so that a hostile neighbour cannot fill a disk. */
export const logRateSeconds = 10
/** WireGuard peers emit no netlink event, so they are polled. */
export const observeSeconds = 7
/** This machine's own addresses are read anew, unasked, at every fourth of those: reading them is a tenth of what idleness costs. */
export const factsTicks = 4
/** How often all else is looked at, of which the kernel tells what changes; more often when it told something. */
export const wholeLookSeconds = 60
/** How often the daemon looks whether its parts go on. */
export const progressLookSeconds = 10
/**
 * What works never stands still for so long, and only a restart mends what does: a round of the reconciler counts
 * each look and each plan, whose tools have 20 s; a neighbour that was silent for 75 s is asked or hung up on.
 */
export const standstillSecondsMax = { reconcile: 240, gossip: 300 } as const
/** A tick that comes later by so long: the machine or the daemon slept, and others may have given it up. */
export const sleepSecondsMin = 10
export const driftDebounceMilliseconds = 100
/** After events that meant nothing; still well within the second in which drift is put right. */
export const driftDebounceMillisecondsMax = 800
export const retryMillisecondsMin = 250
export const retryMillisecondsMax = 30_000

/** A key or secret file holds 44 characters; more than this is not one. */
export const keyFileBytesMax = 1024
export const stateFileBytesMax = 1024 * 1024
/** The whole membership with some framing: 20,000 times an envelope. */
export const membersFileBytesMax = membersMax * (envelopeBytesMax + 32)
/** What a disk has not taken by then counts as not saved; with so many waiting, nothing more is handed to it. */
export const saveSecondsMax = 10
export const savesWaitingMax = 4
/** Damaged state files that are kept for a look. */
export const setAsideFilesMax = 3
export const configProblemsMax = 100
export const bootstrapPlacesMax = 64
/** WireGuard takes up to 65535; beyond this an idle tunnel would count as down (receiveGrowthSecondsMax). */
export const keepaliveSecondsMax = 60
export const pathCharactersMax = 4096
/** The shortest and longest IPv4 prefix nodes take addresses from: at most 16 million, at least two. */
export const ipv4PoolLengthMin = 8
export const ipv4PoolLengthMax = 30
/** Half of an IPv6 address is the interface id a node derives. */
export const ipv6PrefixLengthMin = 16
export const ipv6PrefixLengthMax = 64
/** What endpoints, gossip addresses and segments may take of an announcement, so that together they always fit. */
export const endpointsBytesMax = 450
export const gossipAddressesBytesMax = 340
export const segmentFactsBytesMax = 850
export const tokenCharactersMax = 4096
export const tokenBootstrapPlacesMax = 16
export const resolveMillisecondsMax = 5000
export const resolveCacheSecondsMax = 30
/** gossip asks anew for what it is about to dial. */
export const resolveFreshSeconds = 3
/** A name that leads nowhere is asked for again after so long, at first and at most. */
export const resolveFailureSecondsMin = 5
export const resolveFailureSecondsMax = 60
export const resolveCacheEntriesMax = 1024
/**
 * getaddrinfo keeps one of libuv's threads for as long as the name server does not answer, and half of them at most:
 * names of others never take those that this machine's own names need.
 */
export const lookupThreads = 10
export const lookupsOfOwnMax = 3
export const lookupsOfOthersMax = 2
/** As many as one announcement can name for the tunnel. */
export const lookupsWaitingPerAuthorMax = 16
export const notifySecondsMax = 5
export const rateLimitKeysMax = 1000
/** Parsed addresses kept at hand: about seven a member, 200 bytes each. */
export const parsedAddressesCachedMax = 16_384
/** Derived addresses and MACs kept at hand: three a member of a very large mesh. */
export const derivedTextsCachedMax = 65_536
/** From so many members on, a membership is kept in layers. */
export const layeredMembersMin = 256
/** How long a changed membership may wait before it is written down. */
export const membersSaveMilliseconds = 1000
/** A clock that far behind the claims of others is told about: tunnels refuse who seems to come from the past. */
export const clockSkewSecondsMax = 300
/** So many words with our id by somebody else within this time are another machine with our keys. */
export const impostorWordsMin = 2
export const impostorMilliseconds = 120_000
/** After so many words of an impostor about itself within that time its claim is stronger than ours. */
export const impostorBidsMax = 4
/** The same for a daemon that had run for less than youngSeconds: a copy gives way to what was there before. */
export const impostorBidsOfNewcomerMax = 3
export const youngSeconds = 15
/** More words than that within the time are not answered at once, but with the heartbeat. */
export const impostorRepliesMax = 16
/** How often who gave way repeats the other's words. */
export const impostorEchoSeconds = 30
/** How often who gave way looks whether the other still answers at its own place, and how often in vain at most. */
export const impostorProbeSeconds = 3
export const impostorMissesMax = 3
/** The first counter of an incarnation is below. */
export const counterStartMax = 2 ** 20
/** More accepted words of one node within a minute than a machine whose addresses flap every second has to say. */
export const wordsPerMinuteMax = 120
/** The same with all that it declares: what comes beyond is neither taken nor passed on, so that no relay is blamed for it. */
export const wordsTakenPerMinuteMax = wordsPerMinuteMax + declarationsPerMemberMax
/** An incarnation is a start of lnetd, or an outbid one. */
export const restartsMax = 2 ** 32
/** How long what no lnetd does is told of, how many nodes are watched for it, and how many are named. */
export const conductSeconds = 600
export const conductsMax = 1024
export const accusedShownMax = 8
/** Rounds of the reconciler that may follow each other at once, and how far apart they are when there are more. */
export const roundsAtOnceMax = 20
export const roundSpacingMilliseconds = 500
/** How often a reconcile may find the kernel still not as it should be, before it waits. */
export const reconcileRoundsMax = 5
/** After entries for members were written. */
export const verifyMilliseconds = 250
/** Bounds of one tool's argument list: a removal is about 60 bytes, ARG_MAX 2 MiB (execve(2)). */
export const peersPerCommandMax = 5000
/** How much of what a tool said is kept with a failure. */
export const toolErrorLinesMax = 5
export const toolErrorCharactersMax = 500
/** Measured: wireguard-go answers about 50 ms after its start; a loaded machine takes longer. */
export const tunnelStartMillisecondsMax = 10_000
export const tunnelPollMilliseconds = 5
export const tunnelRestartMilliseconds = 100
/** Lines of a monitor are cut here. */
export const monitorLineCharactersMax = 4096
/** Underlay addresses whose last announced form is remembered, so that mere repetitions are not news. */
export const underlayAddressesMax = 4096
/** How long a farewell is given to leave this machine before the daemon does. */
export const farewellMilliseconds = 500
/** Sentences of one plan in one line of log. */
export const logStepsMax = 50
/** Lines that wait for a full disk or a reader that does not read; and how often that is tried again. */
export const logBacklogBytesMax = 256 * 1024
export const logRetryMilliseconds = 200
export const logStackCharactersMax = 4000
/** After the wish for an end, lnetd ends at the latest then, whatever it waits for. */
export const stopSecondsMax = 20
/** A node that has no neighbour this long after its start says so. */
export const firstNeighbourSeconds = 5
/** One file of a bug report, and the lines of the log it takes. */
export const reportFileCharactersMax = 1_000_000
export const reportLogLines = 2000
/** WireGuard peers that never shook hands, in one kernel at any time. */
export const unprovenPeersMax = 32
/** Whoever never answered is sent nothing after that, unless something new speaks for it. */
export const unprovenSecondsMax = 60
/**
 * How long one is tried: while others wait as long as a candidate needs (firstContactTrialSeconds) for each endpoint, longer
 * where nobody waits. `turn`: how often those take turns that are only listened to.
 */
export const trialWindowSeconds = { min: 4, perPlace: 4, max: 30, turn: 120 } as const
/** Pauses between trials, doubled with each: after something new, after a heartbeat, after nothing. */
export const trialPauseSeconds = {
  news: { min: 5, max: 900 },
  heartbeat: { min: 60, max: 21_600 },
  silence: { min: 3600, max: 86_400 },
} as const
/** Of them those that are tried without a gossip connection or a packet that speaks for them: the rest is kept for who is there. */
export const trialStrangersMax = 24
/** Who spoke so lately comes before those that did not: whoever was made up a while ago. */
export const trialFreshSeconds = 300
/** How many are tried again at once. */
export const trialRetriesMax = 8
/** Unproven keys tried at one address within so long. */
export const trialsPerAddressMax = 8
export const trialsPerAddressSeconds = 600
/** Keys whose trials are remembered; those of members in any case. */
export const trialKeysMax = 8192
/** After an unproven peer was spoken to, its answer is looked for this soon: a round trip or two. */
export const trialLookMilliseconds = 100
/** Newcomers taken from one neighbour at once, as a node learns of a whole mesh, and a minute from then on. */
export const newcomersBurst = 1024
export const newcomersPerMinute = 128
/** Neighbours whose newcomers are counted. */
export const introducersMax = 1024
/** Members that never shook hands and announce one WireGuard key, or one address as an endpoint. */
export const unprovenPerKeyMax = 4
export const unprovenPerAddressMax = 64
