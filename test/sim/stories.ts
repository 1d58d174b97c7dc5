import {
  pinnedTwice,
  pinnedWins,
  sameAddressSplit,
  sameMoment,
  tooSmall,
  tunnelPrefix,
  vtepPinnedTwice,
} from './stories/addresses.ts'
import { chaos } from './stories/chaos.ts'
import { blackout, bootstrapDies, dead, farewell, forgotten, reboot, restart } from './stories/ends.ts'
import { fakeKeys, fakes } from './stories/fakes.ts'
import { amnesia, blocked, kernelFaults, moves } from './stories/faults.ts'
import { clocks, deadAddresses, formation, lateJoin, mtus, storm } from './stories/formation.ts'
import { hearsay } from './stories/hearsay.ts'
import { impostor, liar, replays } from './stories/hostile.ts'
import { meddling } from './stories/meddling.ts'
import { asleep, flapping, stopped, unplugged } from './stories/pauses.ts'
import { stolenPin } from './stories/pins.ts'
import { deafSide, longSplit, oneWay, splitInThree, splitInTwo } from './stories/splits.ts'
import { flood, thefts } from './stories/thefts.ts'
import type { Story } from './story.ts'

/** All there is to survive. */
export const stories: readonly Story[] = [
  ...[formation, lateJoin, storm, clocks, deadAddresses, mtus],
  ...[splitInTwo, splitInThree, longSplit, oneWay, deafSide],
  ...[sameMoment, sameAddressSplit, pinnedWins, pinnedTwice, tunnelPrefix, vtepPinnedTwice, tooSmall],
  ...[bootstrapDies, restart, reboot, blackout, farewell, dead, forgotten],
  ...[asleep, stopped, unplugged, flapping],
  ...[
    kernelFaults,
    meddling,
    moves,
    blocked,
    amnesia,
    liar,
    flood,
    thefts,
    stolenPin,
    replays,
    hearsay,
    impostor,
    fakes,
    fakeKeys,
    chaos,
  ],
]
