import { it } from 'vitest'
import { play } from './play.ts'

/** What takes minutes, which pass in seconds here. */
it.each(['cable-600s', 'daemon-frozen-600s', 'split-two-600s'])('heals: %s', { timeout: 1_200_000 }, play)
