import { expect, it } from 'vitest'
import { createDialSlots } from '../../src/gossip/dial-slots.ts'
import { addressDialsOfOthersMax } from '../../src/model/limits.ts'

it('are bounded, and go to the first addresses of members before further ones', async () => {
  const slots = createDialSlots()
  const served: number[] = []
  const taken = await Promise.all(Array.from({ length: addressDialsOfOthersMax }, () => slots.take(0)))
  for (const index of [5, 3, 0, 4, 0, 1]) void slots.take(index).then(() => served.push(index))
  await Promise.resolve()
  expect(served).toEqual([])
  for (const giveBack of taken.slice(0, 6)) {
    giveBack()
    await new Promise(resolve => setImmediate(resolve))
  }
  expect(served).toEqual([0, 0, 1, 3, 4, 5])
})
