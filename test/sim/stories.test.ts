import { describe, expect, it } from 'vitest'
import { stories } from './stories.ts'
import { tellStory } from './story.ts'

/** `npm run sim` tells them under many more seeds. */
const seeds = [1, 2]

describe.each(stories.map(story => [story.name, story] as const))('%s', (_, story) => {
  it.each(seeds)(`${story.about} (seed %i)`, async seed => {
    const { findings, worldSeconds } = await tellStory(story, seed)
    expect(worldSeconds).toBeGreaterThan(0)
    for (const found of Object.values(findings))
      if (typeof found === 'number') expect(found).toBeLessThan(300)
  })
})
