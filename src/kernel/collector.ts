import type { Readable } from 'node:stream'
import { toolOutputBytesMax } from '../model/limits.ts'

/** What comes out of one pipe until the mark. */
export class Collector {
  readonly mark: string
  readonly ended: Promise<void>
  readonly overflow: Promise<'too-much'>
  status = 0
  readonly #stream: Readable
  readonly #hear: (chunk: Buffer) => void
  readonly #chunks: Buffer[] = []
  #bytes = 0
  /** How long the last line is, with its mark. */
  #endBytes = 0

  constructor(stream: Readable, mark: string) {
    const [ended, overflow] = [Promise.withResolvers<void>(), Promise.withResolvers<'too-much'>()]
    const last = new RegExp(`${mark} (\\d+)\\n$`)
    let tail = ''
    this.mark = mark
    this.ended = ended.promise
    this.overflow = overflow.promise
    this.#stream = stream
    this.#hear = chunk => {
      this.#chunks.push(chunk)
      this.#bytes += chunk.length
      if (this.#bytes > toolOutputBytesMax) return overflow.resolve('too-much')
      tail = (tail + chunk.subarray(-endBytesMax).toString('latin1')).slice(-endBytesMax)
      const end = last.exec(tail)
      if (end === null) return
      this.#endBytes = end[0].length
      this.status = Number(end[1])
      ended.resolve()
    }
    stream.on('data', this.#hear)
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8', 0, this.#bytes - this.#endBytes)
  }

  stop(): void {
    this.#stream.off('data', this.#hear)
  }
}

/** A mark, a space, a status and the end of the line. */
const endBytesMax = 64
