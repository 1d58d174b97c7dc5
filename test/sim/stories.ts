import { formation } from './stories/formation.ts'
import type { Story } from './story.ts'

/** All there is to survive. */
export const stories: readonly Story[] = [formation]
