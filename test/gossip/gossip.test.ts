import { afterEach, describe, expect, it } from 'vitest'
import { startNode, stopAll, until } from './mesh.ts'

afterEach(stopAll)

describe('two nodes', () => {
  it('hear each other, with the author proven', async () => {
    const a = await startNode()
    const b = await startNode({ bootstrap: [a.address] })
    await until(() => a.gossip.neighbours().length === 1 && b.gossip.neighbours().length === 1, 'connected')
    await until(() => b.synced.length > 0, 'synced')
    await a.say('hello')
    await until(() => b.heard.length === 1, 'heard by b')
    expect(b.heard[0]?.author).toBe(a.gossip.node)
    expect(b.known.get(a.gossip.node)?.text).toBe('hello')
  })

  it('share what was said while alone', async () => {
    const a = await startNode()
    await a.say('alone')
    const b = await startNode({ bootstrap: [a.address] })
    await until(() => b.known.get(a.gossip.node)?.text === 'alone', 'late joiner')
  })
})
