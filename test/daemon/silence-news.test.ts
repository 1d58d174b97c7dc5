import { describe, expect, it } from 'vitest'
import type { DaemonParts } from '../../src/daemon/parts.ts'
import { createSilenceNews } from '../../src/daemon/silence-news.ts'
import type { State } from '../../src/daemon/state.ts'
import type { Member } from '../../src/model/member.ts'
import { announcement, member, now, track } from '../control/snapshots.ts'

function newsOf(members: readonly Member[], tracks = members.map((_, index) => track(index + 2))) {
  const lines: string[] = []
  const note = (event: string, { name }: { name: string }) => void lines.push(`${event} ${name}`)
  const state = {
    membership: new Map(members.map(each => [each.announcement.node, each])),
    tracks: new Map(tracks.map(each => [each.publicKey, each])),
    absent: new Set(),
    gossipAt: new Map(),
  }
  const parts = {
    clock: { now: () => now },
    kernel: { refuses: async () => false },
    log: { info: note, warn: note },
  } as unknown as DaemonParts
  const news = createSilenceNews(parts, state as unknown as State)
  return { lines, state, tell: news.tell }
}

const gone = -1e9

describe('members whose lnetd does not answer', () => {
  it('are told once, and once more when they are back', () => {
    const { lines, state, tell } = newsOf([member(2)])
    const { node } = announcement(2)
    tell()
    expect(lines).toEqual([])
    state.membership.set(node, { ...member(2), heardAt: gone })
    tell()
    tell()
    expect(lines).toEqual(['member.silent node2'])
    state.membership.set(node, member(2))
    tell()
    tell()
    expect(lines).toEqual(['member.silent node2', 'member.answers node2'])
  })

  it('are not told when the tunnel is down as well: that has its own event', () => {
    const { lines, tell } = newsOf([{ ...member(2), heardAt: gone }], [])
    tell()
    expect(lines).toEqual([])
  })

  it('are not told for machines that never had one', () => {
    const { lines, tell } = newsOf([
      { ...member(2), heardAt: gone, announcement: { ...announcement(2), declaredBy: announcement(3).node } },
    ])
    tell()
    expect(lines).toEqual([])
  })

  it('are told in bounded numbers, the rest later', () => {
    const many = Array.from({ length: 40 }, (_, index) => ({ ...member(index + 2), heardAt: gone }))
    const { lines, tell } = newsOf(many)
    tell()
    expect(lines).toHaveLength(16)
    tell()
    tell()
    expect(new Set(lines).size).toBe(40)
  })

  it('are forgotten with their membership', () => {
    const { lines, state, tell } = newsOf([{ ...member(2), heardAt: gone }])
    tell()
    state.membership.clear()
    tell()
    state.membership.set(announcement(2).node, member(2))
    tell()
    expect(lines).toEqual(['member.silent node2'])
  })
})
