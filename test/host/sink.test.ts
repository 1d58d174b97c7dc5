import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createSink } from '../../src/host/sink.ts'
import { logBacklogBytesMax } from '../../src/model/limits.ts'
import { testDirectory } from './directory.ts'

const descriptors: number[] = []
afterEach(() => {
  for (const descriptor of descriptors.splice(0)) closeSync(descriptor)
})

describe('the sink', () => {
  it('writes each line at once, whole', () => {
    const file = join(testDirectory(), 'log')
    const sink = createSink(opened(file, constants.O_WRONLY | constants.O_CREAT), () => expect.fail())
    sink.write('one\n')
    sink.write(`${'x'.repeat(100_000)}\n`)
    expect(readFileSync(file, 'utf8')).toBe(`one\n${'x'.repeat(100_000)}\n`)
  })

  it('neither waits nor grows while nobody reads, and goes on with whole lines, telling what is missing', async () => {
    const { reader, writer } = pipe()
    const lost = vi.fn()
    const sink = createSink(writer, lines => lost(lines))
    const lines = Array.from({ length: 2000 }, (_, index) => `${index} ${'x'.repeat(1000)}\n`)
    for (const line of lines) sink.write(line)
    const memory = process.memoryUsage().rss
    for (let more = 0; more < 100_000; more += 1) sink.write(lines[0] as string)
    expect(process.memoryUsage().rss - memory).toBeLessThan(100 * 2 ** 20)
    let text = ''
    await vi.waitFor(() => {
      text += drain(reader)
      expect(lost).toHaveBeenCalledOnce()
    }, 20_000)
    text += drain(reader)
    const read = text.split('\n').slice(0, -1)
    // Those that were kept, in their order, none of them cut.
    expect(read).toEqual(lines.slice(0, read.length).map(line => line.trimEnd()))
    expect(read.length * 1000).toBeGreaterThan(logBacklogBytesMax)
    expect(lost.mock.calls).toEqual([[2000 + 100_000 - read.length]])
  })

  it('outlives a reader that goes away', () => {
    const { reader, writer } = pipe()
    const sink = createSink(writer, () => expect.fail())
    closeSync(reader)
    descriptors.splice(descriptors.indexOf(reader), 1)
    for (let line = 0; line < 10_000; line += 1) sink.write('x'.repeat(100))
  })
})

/** A named pipe that holds 64 KiB; neither end waits. */
function pipe(): { reader: number; writer: number } {
  const path = join(testDirectory(), 'pipe')
  execFileSync('mkfifo', [path])
  const reader = opened(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return { reader, writer: opened(path, constants.O_WRONLY | constants.O_NONBLOCK) }
}

function opened(path: string, flags: number): number {
  const descriptor = openSync(path, flags)
  descriptors.push(descriptor)
  return descriptor
}

/** What is in the pipe now. */
function drain(reader: number): string {
  const buffer = Buffer.alloc(1 << 20)
  try {
    return buffer.toString('utf8', 0, readSync(reader, buffer))
  } catch {
    return ''
  }
}
