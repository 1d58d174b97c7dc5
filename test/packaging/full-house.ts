import { decodeAnnouncement, encodeAnnouncement } from '../../src/mesh/codec.ts'
import { decide } from '../../src/mesh/decide.ts'
import { envelopeBytesMax } from '../../src/model/limits.ts'
import { announcement, member, observation, situation } from '../mesh/world.ts'

/**
 * What a full membership costs: all of it decoded, decided over before an empty kernel, and again before one that
 * holds it. Run by heap.test.ts in a process of its own.
 */
const size = Number(process.argv[2])
const members = Array.from({ length: size }, (_, index) => {
  const number = index + 1
  const decoded = decodeAnnouncement(encodeAnnouncement(announcement(number)))
  if (!decoded.ok) throw new Error('an announcement does not survive its encoding')
  return {
    ...member(number),
    announcement: decoded.announcement,
    envelope: new Uint8Array(envelopeBytesMax),
  }
})
const before = situation(0, members)
const first = decide(before)
if (first.desired === null) throw new Error('nothing is desired')
const { tracks, claims, desired } = first
const again = decide({ ...before, tracks, claims, observation: observation(structuredClone(desired)) })
const told = { members: before.membership.size, steps: first.plan.length, stepsAgain: again.plan.length }
process.stdout.write(JSON.stringify(told))
