import { describe, expect, it } from 'vitest'
import { lastRefusalOf } from '../../src/kernel/service.ts'

const ready = '{"level":"info","event":"daemon.ready"}'

describe('the last refusal of the service', () => {
  it.each([
    ['nothing', [], null],
    ['a refusal', ['lnetd: no VXLAN', 'systemd: failed'], 'no VXLAN'],
    ['the last of two', ['lnetd: no VXLAN', 'lnetd: no IPv6'], 'no IPv6'],
    ['one that a later start got over', ['lnetd: no VXLAN', ready], null],
    ['one after a start', ['lnetd: no VXLAN', ready, 'lnetd: port taken'], 'port taken'],
  ])('is read from its journal: %s', (_, lines, refusal) => {
    expect(lastRefusalOf(lines.join('\n'))).toBe(refusal)
  })
})
