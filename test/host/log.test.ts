import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { logEvents } from '../../src/host/events.ts'
import { createLog } from '../../src/host/log.ts'
import { createRateLimit } from '../../src/host/rate-limit.ts'
import type { Endpoint } from '../../src/model/address.ts'
import type { LogLevel } from '../../src/model/configuration.ts'
import type { NodeId, NodeName } from '../../src/model/node.ts'

const member = '12D3KooWExample' as NodeId
const name = 'gauss' as NodeName

describe('the log', () => {
  it('writes an event as one line of JSON', () => {
    const { log, lines } = recordingLog('info')
    log.warn('tunnel.down', { member, name, endpoint: '192.0.2.1:51820' as Endpoint })
    expect(lines()).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        event: 'tunnel.down',
        member,
        name,
        endpoint: '192.0.2.1:51820',
      },
    ])
  })

  it('changes its level while it runs', () => {
    const { log, lines } = recordingLog('warn')
    log.info('state.saved')
    log.setLevel('debug')
    log.debug('neighbours.changed', { neighbours: 2 })
    log.setLevel('error')
    log.warn('state.not_saved', { reason: 'x' })
    expect(lines().map(line => line.event)).toEqual(['neighbours.changed'])
  })

  it('hides secrets that got in by mistake', () => {
    const { log, text } = recordingLog('info')
    const spread = {
      reason: 'x',
      secret: 'hunter2',
      keys: { privateKey: 'hunter2', presharedKey: 'hunter2' },
    }
    log.error('state.not_saved', spread)
    expect(text()).not.toContain('hunter2')
    expect(text()).toContain('(secret)')
  })

  it('keeps text of others on its line', () => {
    const { log, text } = recordingLog('info')
    log.error('state.not_saved', { reason: 'a\nb\u001b[2J"' })
    expect(text().trimEnd().split('\n')).toHaveLength(1)
    expect(text()).not.toContain('\u001b')
  })

  it('writes to standard output at once, as JSON when that is no terminal', () => {
    const script =
      "import { openLog } from './src/host/log.ts'; const log = await openLog('info'); log.info('state.saved'); process.kill(process.pid, 'SIGKILL')"
    expect(JSON.parse(outputOfKilled(script))).toMatchObject({ event: 'state.saved' })
  })
})

describe('the glossary', () => {
  it('names events alike, and says what each means', () => {
    for (const [event, { meaning }] of Object.entries(logEvents)) {
      expect(event).toMatch(/^[a-z]+\.[a-z_]+$/)
      expect(meaning.length).toBeGreaterThan(5)
    }
  })
})

describe('the rate limit', () => {
  it('lets one of a kind through in a time, and tells how many it held back', () => {
    let now = 0
    const limit = createRateLimit(10, () => now)
    expect([limit.take('a'), limit.take('a'), limit.take('a'), limit.take('b')]).toEqual([0, null, null, 0])
    now = 9999
    expect(limit.take('a')).toBeNull()
    now = 10_000
    expect([limit.take('a'), limit.take('a')]).toEqual([3, null])
  })

  it('does not grow with the number of kinds', () => {
    const limit = createRateLimit(10, () => 0)
    for (let kind = 0; kind < 100_000; kind += 1) limit.take(String(kind))
    expect(limit.take('0')).toBe(0)
  })
})

function recordingLog(level: LogLevel) {
  const written: string[] = []
  const log = createLog(level, { write: line => written.push(line) })
  const text = () => written.join('')
  const lines = () =>
    text()
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Record<string, unknown>)
  return { log, text, lines }
}

function outputOfKilled(script: string): string {
  try {
    execFileSync(process.execPath, ['--input-type=module', '-e', script])
  } catch (error) {
    return String((error as { stdout: Buffer }).stdout)
  }
  return ''
}
