import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { controlActionSecondsMax, controlReadSecondsMax, controlResponseBytesMax } from '../model/limits.ts'
import { type ForgetView, forgetPath } from './forget-protocol.ts'
import {
  type Action,
  type ActionView,
  actionPaths,
  type ErrorView,
  type Reading,
  readingPaths,
  schema,
  type Views,
} from './protocol.ts'
import { printable } from './text.ts'

/** What came of a question. `unreachable`: no daemon was there to ask. */
export type Reply<View> =
  | { readonly ok: true; readonly view: View }
  | {
      readonly ok: false
      readonly kind: 'unreachable' | 'failed'
      readonly message: string
      /** A daemon may be there: this user may not ask it. */
      readonly isForbidden?: true
    }

/** `query` goes behind the path: `?after=7`. */
export function ask<R extends Reading>(socketPath: string, reading: R, query = ''): Promise<Reply<Views[R]>> {
  return exchange(socketPath, 'GET', `${readingPaths[reading]}${query}`, controlReadSecondsMax)
}

export function order(socketPath: string, action: Action): Promise<Reply<ActionView>> {
  return exchange(socketPath, 'POST', actionPaths[action], controlActionSecondsMax)
}

/** Only for one that is dead, which the daemon sees to. */
export function forget(socketPath: string, node: string): Promise<Reply<ForgetView>> {
  return exchange(
    socketPath,
    'POST',
    `${forgetPath}?node=${encodeURIComponent(node)}`,
    controlActionSecondsMax,
  )
}

function exchange<View>(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  secondsMax: number,
): Promise<Reply<View>> {
  return new Promise(resolve => {
    const signal = AbortSignal.timeout(secondsMax * 1000)
    // Without an agent, whose question whether the host is an IP address takes longer than the answer of lnetd.
    const createConnection = () => connect(socketPath)
    const sent = request({ createConnection, method, path, signal }, response => {
      void collect(response).then(
        text => resolve(readReply(response.statusCode ?? 0, text)),
        (error: Error) => resolve({ ok: false, kind: 'failed', message: interruption(error, secondsMax) }),
      )
    })
    sent.on('error', error => resolve(connectionRefusal(socketPath, error, secondsMax)))
    sent.end()
  })
}

/** The whole body as text; rejects when it is larger than any answer of ours. */
async function collect(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > controlResponseBytesMax) throw new Error('its answer is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function readReply<View>(status: number, text: string): Reply<View> {
  const body = parseObject(text)
  if (body === null || body.schema !== schema)
    return {
      ok: false,
      kind: 'failed',
      message: 'lnetd speaks otherwise: are lnetctl and lnetd of one version?',
    }
  if (status === 200) return { ok: true, view: body as View }
  const { error } = body as Partial<ErrorView>
  return {
    ok: false,
    kind: 'failed',
    message: printable(String(error?.message ?? `lnetd answered ${status}`)),
  }
}

function parseObject(text: string): { readonly schema?: unknown } | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : null
  } catch {
    return null
  }
}

function connectionRefusal(path: string, error: Error, secondsMax: number): Reply<never> {
  const unreachable = (message: string) => ({ ok: false, kind: 'unreachable', message }) as const
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
    case 'ENOTDIR':
      return unreachable(`no lnetd on ${path}: is it running? systemctl status lnetd`)
    case 'EACCES':
    case 'EPERM':
      return { ...unreachable(`no permission to use ${path}: try sudo`), isForbidden: true }
    case 'ENOTSOCK':
    case 'EINVAL':
    case 'ENAMETOOLONG':
      return unreachable(`${path} is not lnetd's socket: see socket in lnetd.yaml, and give --socket`)
    default:
      return unreachable(`lnetd on ${path} did not answer: ${interruption(error, secondsMax)}`)
  }
}

function interruption(error: Error, secondsMax: number): string {
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return `no answer within ${secondsMax} s`
  return printable(error.message)
}
