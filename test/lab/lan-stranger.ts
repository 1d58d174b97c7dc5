/**
 * Runs on another machine of the LAN and does what lnetd 0.1.0 does by multicast, and what a stranger may: asks by the
 * mesh's old name, and answers with an address of its own and with traps. Prints whom it saw as JSON when time is over.
 */
import { createServer } from 'node:net'
import makeMulticast from 'multicast-dns'

const [service = '', self = '', milliseconds = '0', ...ids] = process.argv.slice(2)
const seen = { asked: [] as string[], packets: [] as string[], dialled: 0, trapped: 0 }
const [port, trap] = [5000, 22]

createServer(socket => {
  seen.dialled += 1
  socket.destroy()
}).listen(port)
createServer(socket => {
  seen.trapped += 1
  socket.destroy()
}).listen(trap)

const multicast = makeMulticast({ interface: self, bind: '0.0.0.0' })
const victim = '192.0.2.1'
const traps = [
  ...[`/ip4/127.0.0.1/tcp/6000`, `/ip4/${victim}/tcp/6000`, '/ip6/::1/tcp/6000', '/ip4/0.0.0.0/tcp/6000'],
  ...[
    '/ip6/::ffff:127.0.0.1/tcp/6000',
    '/dns4/localhost/tcp/6000',
    '/unix/run/trap',
    `/ip4/${self}/tcp/${trap}`,
  ],
  ...['/ip6/2001:db8::1/tcp/6000', '/ip4/198.51.100.9/tcp/6000'],
]
multicast.on('packet', (packet, from) => {
  if (from.address !== self) seen.packets.push(JSON.stringify(packet))
})
multicast.on('query', (packet, from) => {
  if (from.address === self || packet.questions?.some(({ name }) => name === service) !== true) return
  seen.asked.push(from.address)
  const places = [[`/ip4/${self}/tcp/${port}`], traps]
  multicast.respond({
    answers: ids.map((id, index) => ({
      name: `${id}.${service}`,
      type: 'TXT' as const,
      ttl: 120,
      data: places[index] ?? traps,
    })),
  })
})
multicast.query([{ name: service, type: 'PTR' }])
setTimeout(() => {
  process.stdout.write(JSON.stringify(seen))
  process.exit(0)
}, Number(milliseconds))
