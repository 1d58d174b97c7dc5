import { expect, it } from 'vitest'
import { formation } from './stories/formation.ts'
import { tellStory } from './story.ts'

/** A thousand are for `npm run sim -- --story formation --seed 1 --nodes 1000`: minutes, and some gigabytes. */
const nodes = 150

it(`a crowd of ${nodes} that starts at once becomes one mesh`, { timeout: 240_000 }, async () => {
  const { findings } = await tellStory(formation, 1, nodes)
  expect(findings['whole after']).toBeLessThan(60)
})
