// Runs inside a namespace, as whoever may: sends VXLAN datagrams, given as JSON, and prints what was refused.
import { createSocket } from 'node:dgram'

const broadcast = Buffer.alloc(6, 0xff)
/** EtherType for local experiments (IEEE 802): nothing answers it. */
const etherType = Buffer.from([0x88, 0xb5])
/** VNI 49371 with the flag that says so (RFC 7348 section 5). */
const vxlan = Buffer.from([0x08, 0, 0, 0, 0x00, 0xc0, 0xdb, 0])

for (const datagram of JSON.parse(process.argv[2]))
  await send(datagram).catch(error => report(datagram, error))

async function send({ family, to, mac, by, sourcePort, port = 4789, bytes = 60, frame: hex }) {
  const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6' })
  try {
    await new Promise((done, fail) => socket.once('error', fail).bind(sourcePort ?? 0, done))
    socket.setBroadcast(true)
    if (by !== undefined) socket.setMulticastInterface(by)
    const source = Buffer.from(mac.replaceAll(':', ''), 'hex')
    const plain = Buffer.concat([broadcast, source, etherType, Buffer.alloc(bytes - 14)])
    const frame = Buffer.concat([vxlan, hex === undefined ? plain : Buffer.from(hex, 'hex')])
    for (let times = 0; times < 3; times += 1)
      await new Promise((done, fail) => socket.send(frame, port, to, error => (error ? fail(error) : done())))
  } finally {
    socket.close()
  }
}

function report({ to, mac }, error) {
  console.log(`${to} ${mac}: ${error.code ?? error.message}`)
}
