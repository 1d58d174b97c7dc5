import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createNotifier, feedWatchdog } from '../../src/host/notify.ts'
import { testDirectory } from './directory.ts'

const hasSystemd = isInstalled('systemd-notify') && isInstalled('python3')

describe('the notifier', () => {
  it('does nothing when no service manager waits', async () => {
    const notifier = createNotifier({ environment: {}, command: '/nonexistent' })
    expect(await notifier.ready('up')).toEqual({ ok: true })
    expect(notifier.watchdogMilliseconds).toBeNull()
  })

  it('feeds the watchdog at once and then twice in the time it has, if there is one', async () => {
    const due: { milliseconds: number; action: () => void }[] = []
    const clock = {
      setTimer: (milliseconds: number, action: () => void) => {
        due.push({ milliseconds, action })
        return () => undefined
      },
    }
    const told: unknown[] = []
    const watched = { NOTIFY_SOCKET: '/nonexistent', WATCHDOG_USEC: '30000000' }
    feedWatchdog(createNotifier({ environment: watched, command: 'true' }), clock, word => told.push(word))
    expect([told.length, due.map(({ milliseconds }) => milliseconds)]).toEqual([1, [15_000]])
    due.shift()?.action()
    expect([told.length, due.map(({ milliseconds }) => milliseconds)]).toEqual([2, [15_000]])
    expect(await Promise.all(told)).toEqual([{ ok: true }, { ok: true }])
    feedWatchdog(createNotifier({ environment: {} }), clock, word => told.push(word))
    expect([told.length, due.length]).toEqual([2, 1])
  })

  it('hands over what sd_notify takes, a status on one line', async () => {
    const { notifier, words } = fakeNotifier()
    await notifier.ready('3 members\nREADY=0')
    await notifier.reloading()
    await notifier.status('x'.repeat(1000))
    await notifier.watchdog()
    await notifier.stopping()
    expect(words()).toEqual([
      ['READY=1', 'STATUS=3 members READY=0'],
      ['RELOADING=1', 'MONOTONIC_USEC=12345000'],
      [`STATUS=${'x'.repeat(200)}`],
      ['WATCHDOG=1'],
      ['STOPPING=1'],
    ])
  })

  it('feeds the watchdog twice as often as it has to, when that is meant for us', () => {
    const half = (environment: Record<string, string>) => createNotifier({ environment }).watchdogMilliseconds
    expect(half({ WATCHDOG_USEC: '60000000' })).toBe(30_000)
    expect(half({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: String(process.pid) })).toBe(30_000)
    expect(half({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '1' })).toBeNull()
    expect(half({ WATCHDOG_USEC: 'soon' })).toBeNull()
  })

  it('tells what is missing when it cannot tell the service manager', async () => {
    const environment = { NOTIFY_SOCKET: '/nonexistent', PATH: '/nonexistent' }
    expect(await createNotifier({ environment }).ready('up')).toMatchObject({
      ok: false,
      failure: { remedy: expect.stringContaining('install systemd-notify'), command: expect.any(String) },
    })
    expect(await createNotifier({ environment, command: '/bin/false' }).ready('up')).toMatchObject({
      ok: false,
    })
  })

  it.skipIf(!hasSystemd)('is heard at the socket of the service manager', async () => {
    const socket = join(testDirectory(), 'notify')
    const listener = spawn('python3', ['-u', '-c', listenerScript, socket], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const heard = new Promise<string>(resolve => listener.stdout.once('data', data => resolve(String(data))))
    while (!existsSync(socket)) await new Promise(resolve => setTimeout(resolve, 10))
    const notifier = createNotifier({ environment: { ...process.env, NOTIFY_SOCKET: socket } })
    const sent = notifier.ready('up')
    expect((await heard).split('\n')).toEqual(expect.arrayContaining(['READY=1', 'STATUS=up']))
    // Without a service manager nobody answers the barrier that systemd-notify waits at.
    listener.kill('SIGKILL')
    expect(typeof (await sent).ok).toBe('boolean')
  })
})

const listenerScript = `
import socket, sys, time
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
while True:
    data, fds, _, _ = socket.recv_fds(server, 4096, 4)
    sys.stdout.write(data.decode() + "\\n")
    for fd in fds:
        import os
        os.close(fd)
`

function fakeNotifier() {
  const directory = testDirectory()
  const command = join(directory, 'systemd-notify')
  const record = join(directory, 'words')
  writeFileSync(command, `#!/bin/sh\nprintf '%s\\t' "$@" >> ${record}\necho >> ${record}\n`)
  chmodSync(command, 0o755)
  const environment = { ...process.env, NOTIFY_SOCKET: '/nonexistent' }
  const notifier = createNotifier({ environment, command, monotonicMilliseconds: () => 12_345 })
  const words = () =>
    readFileSync(record, 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => line.split('\t').filter(word => word !== ''))
  return { notifier, words }
}

function isInstalled(command: string): boolean {
  return spawnSync(command, ['--version']).status === 0
}
