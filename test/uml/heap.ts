/**
 * `node heap.ts`, run inside a node: bytes of V8's heap that its lnetd holds after a full garbage collection, and how many
 * of them belong to compiled code. Asks Node's inspector there, which SIGUSR1 opened; what is measured is a daemon as it
 * is shipped.
 */
export {}

const debuggee = 'http://127.0.0.1:9229/json/list'
const secondsMax = 30

interface Answer {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly chunk?: string }
}

/** What is read of V8's own format: numbers in rows, the fields and the names of the first one told ahead. */
interface Snapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[]
      readonly node_types: readonly [readonly string[]]
    }
  }
  readonly nodes: readonly number[]
}

const socket = new WebSocket(await socketUrl())
await new Promise((resolve, reject) => {
  socket.addEventListener('open', resolve)
  socket.addEventListener('error', () => reject(new Error('the inspector hung up')))
})
// What the first collection lets go of may have held something of its own.
for (let round = 1; round <= 3; round++) await call(round, 'HeapProfiler.collectGarbage')
const chunks: string[] = []
socket.addEventListener('message', ({ data }) => {
  const { method, params } = JSON.parse(String(data)) as Answer
  if (method === 'HeapProfiler.addHeapSnapshotChunk') chunks.push(params?.chunk ?? '')
})
await call(4, 'HeapProfiler.takeHeapSnapshot')
socket.close()
const bytes = bytesByType(JSON.parse(chunks.join('')) as Snapshot)
// Beside the heap: buffers, and what only the snapshot has.
for (const type of ['native', 'synthetic']) bytes.delete(type)
// V8 keeps much of what belongs to optimised code among the data: what it learnt of the functions, and with each shape of
// an object a list of the code that relies on it, which comes under `hidden`.
const code = (bytes.get('code') ?? 0) + (bytes.get('hidden') ?? 0)
console.log(`${[...bytes.values()].reduce((sum, size) => sum + size, 0)} ${code}`)

function bytesByType({ snapshot, nodes }: Snapshot): Map<string, number> {
  const { node_fields: fields, node_types: types } = snapshot.meta
  const size = fields.indexOf('self_size')
  const sums = new Map<string, number>()
  for (let row = 0; row < nodes.length; row += fields.length) {
    const type = types[0][nodes[row] as number] ?? ''
    sums.set(type, (sums.get(type) ?? 0) + (nodes[row + size] as number))
  }
  return sums
}

async function socketUrl(): Promise<string> {
  for (let waited = 0; ; waited += 1) {
    const found = await fetch(debuggee).catch(() => null)
    if (found !== null) {
      const [target] = (await found.json()) as { webSocketDebuggerUrl: string }[]
      if (target !== undefined) return target.webSocketDebuggerUrl
    }
    if (waited >= secondsMax) throw new Error(`no inspector at ${debuggee} within ${secondsMax} s`)
    await new Promise(resolve => setTimeout(resolve, 1000))
  }
}

function call(id: number, method: string): Promise<Answer> {
  return new Promise(resolve => {
    socket.addEventListener('message', function heard({ data }) {
      const answer = JSON.parse(String(data)) as Answer
      if (answer.id !== id) return
      socket.removeEventListener('message', heard)
      resolve(answer)
    })
    socket.send(JSON.stringify({ id, method }))
  })
}
