import { familyOf } from '../model/address.ts'
import { type Explanation, explained, sentenceOf } from '../model/explanation.ts'
import { ok, type Result } from '../model/failure.ts'
import { pingAnswerSecondsMax } from '../model/limits.ts'
import type { PingRequest, PingTime } from '../model/ping.ts'
import { execute } from './run.ts'

/** Headers of an echo request: IPv4 (20) or IPv6 (40), and ICMP (8). */
const headerBytes = { 4: 28, 6: 48 } as const

/** Sends one echo request. Silence is an answer, too; a failure is a machine that cannot ping. */
export async function ping({ address, packetBytes }: PingRequest): Promise<Result<PingTime>> {
  const size =
    packetBytes === undefined
      ? []
      : ['-M', 'do', '-s', String(Math.max(0, packetBytes - headerBytes[familyOf(address)]))]
  const wait = ['-W', String(pingAnswerSecondsMax)]
  const { stdout, failure } = await execute({
    tool: 'ping',
    arguments: ['-n', '-c', '1', ...wait, ...size, address],
  })
  const milliseconds = parsePing(stdout)
  if (milliseconds !== null) return ok(milliseconds)
  // 1: no answer, which a packet too large for the first link is as well; 2: no route to it, or no right to ask.
  if (failure === null || failure.exitCode === 1 || /unreachable|too long/i.test(failure.stderr))
    return ok(null)
  return { ok: false, failure }
}

/** Why packets of a given size cannot be sent here, which only the ping of iputils does; null when they can. */
export async function pingInability(): Promise<Explanation | null> {
  const { stdout, stderr, failure } = await execute({ tool: 'ping', arguments: ['-V'] })
  const said = `${stdout}\n${stderr}`
  if (/iputils/i.test(said)) return null
  const maker = /busybox/i.test(said) ? "BusyBox's" : /toybox/i.test(said) ? "toybox's" : null
  const broken = failure === null ? "this ping is not iputils'" : sentenceOf({ ...failure, remedy: null })
  return explained('full packets to members were not tried', {
    why: maker === null ? broken : `this ping is ${maker}`,
    remedy: 'install the ping of iputils (apt-get install iputils-ping, apk add iputils-ping)',
  })
}

/** The round trip in milliseconds that `ping` of iputils prints; null when nothing came back. */
export function parsePing(stdout: string): PingTime {
  const time = /\btime[=<]([0-9]{1,9}(?:\.[0-9]{1,6})?) ms/.exec(stdout)?.[1]
  return time === undefined ? null : Number(time)
}
