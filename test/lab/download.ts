import type { Namespace } from './namespace.ts'
import { node24 } from './root.ts'

/** What a client saw of a file that a web server hands out at about 1 MB a second. */
export interface Download {
  /** How often the client connected. */
  readonly connections: number
  readonly bytes: number
  /** Bytes that are not those of the file. */
  readonly wrong: number
  /** The longest time without a byte, in seconds. */
  readonly gap: number
}

const port = 8080
export const fileBytes = 15_000_000

/** A web server that hands one file out, from where it is asked to. Ends with its namespace. */
export function serveFile(place: Namespace): void {
  void place.run([node24, '-e', server], { milliseconds: 600_000 })
}

/** Fetches the file as download tools do: where it broke off for 3 s they go on from there by another connection. */
export async function download(place: Namespace, host: string): Promise<Download> {
  return JSON.parse(await place.must([node24, '-e', client(host)], { milliseconds: 120_000 })) as Download
}

/** The byte at `n` is n * 31 % 251. */
const server = `require('http').createServer((request, response) => {
  let at = Number(request.url.slice(1))
  const timer = setInterval(() => {
    const piece = Buffer.from(Array.from({ length: Math.min(20000, ${fileBytes} - at) }, (_, n) => (at + n) * 31 % 251))
    at += piece.length
    if (at === ${fileBytes}) response.end(piece)
    else response.write(piece)
    if (at === ${fileBytes}) clearInterval(timer)
  }, 20)
  response.on('close', () => clearInterval(timer))
}).listen(${port})`

function client(host: string): string {
  return `const seen = { connections: 0, bytes: 0, wrong: 0, gap: 0 }
let last = performance.now()
function fetchOn() {
  seen.connections += 1
  const request = require('http').get({ host: '${host}', port: ${port}, path: '/' + seen.bytes, agent: false })
  request.setTimeout(3000, () => request.destroy(new Error('silence')))
  request.on('error', () => setTimeout(fetchOn, 200))
  request.on('response', response => response.on('error', () => undefined).on('data', take))
}
function take(piece) {
  for (const byte of piece) seen.wrong += Number(byte !== seen.bytes++ * 31 % 251)
  const now = performance.now()
  seen.gap = Math.max(seen.gap, (now - last) / 1000)
  last = now
  if (seen.bytes < ${fileBytes}) return
  console.log(JSON.stringify(seen))
  process.exit()
}
fetchOn()`
}
