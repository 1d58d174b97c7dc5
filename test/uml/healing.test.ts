import { it } from 'vitest'
import { play } from './play.ts'

/** What a kernel's own WireGuard could heal otherwise than wireguard-go. */
it.each(['daemon-all-killed', 'reboot-bootstrap-dead', 'cable-60s'])('heals: %s', play)
