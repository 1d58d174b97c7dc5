/**
 * `node heap.ts`, run inside a node: bytes of V8's heap that its lnetd holds after a full garbage collection, and how many
 * of them are compiled code. Asks Node's inspector there, which SIGUSR1 opened; what is measured is a daemon as it is
 * shipped.
 */
export {}

const debuggee = 'http://127.0.0.1:9229/json/list'
const secondsMax = 30

interface Answer {
  readonly id?: number
  readonly result?: { readonly result?: { readonly value?: unknown } }
}

const socket = new WebSocket(await socketUrl())
await new Promise((resolve, reject) => {
  socket.addEventListener('open', resolve)
  socket.addEventListener('error', () => reject(new Error('the inspector hung up')))
})
// What the first collection lets go of may have held something of its own.
for (let round = 1; round <= 3; round++) await call(round, 'HeapProfiler.collectGarbage')
// V8 keeps machine code in code spaces, and bytecode and what belongs to both in trusted ones.
const expression = `(() => {
  const used = { code: 0, all: 0 }
  for (const { space_name, space_used_size } of process.getBuiltinModule('node:v8').getHeapSpaceStatistics()) {
    used.all += space_used_size
    if (/code|trusted/.test(space_name)) used.code += space_used_size
  }
  return used.all + ' ' + used.code
})()`
const { result } = await call(4, 'Runtime.evaluate', { expression })
console.log(String(result?.result?.value))
socket.close()

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

function call(id: number, method: string, params: object = {}): Promise<Answer> {
  return new Promise(resolve => {
    socket.addEventListener('message', function heard({ data }) {
      const answer = JSON.parse(String(data)) as Answer
      if (answer.id !== id) return
      socket.removeEventListener('message', heard)
      resolve(answer)
    })
    socket.send(JSON.stringify({ id, method, params }))
  })
}
