import { describe, expect, it } from 'vitest'
import { portProblems } from '../../src/daemon/port-problems.ts'
import { desiredState } from '../kernel/state.ts'
import { observation } from '../mesh/world.ts'

function problems(unprivilegedPortStart: number, state = desiredState(2, 6)) {
  return portProblems({ observation: { ...observation(state), unprivilegedPortStart } })
}

describe('ports that every user may bind', () => {
  it('are no problem from 1024 on, nor where there is no segment', () => {
    expect(problems(1024)).toEqual([])
    expect(problems(65_535)).toEqual([])
    expect(problems(0, { ...desiredState(2, 6), segments: [] })).toEqual([])
    expect(portProblems({ observation: null })).toEqual([])
  })

  it.each([0, 80, 1023])('are told, with the setting, where they begin at %i', start => {
    expect(problems(start)).toEqual([
      {
        code: 'ports-unprivileged',
        subject: '',
        severity: 'notice',
        what: `every user of this machine may send from UDP ports ${start} to 1023`,
        why: expect.stringContaining('net.ipv4.ip_unprivileged_port_start is below 1024'),
        remedy: expect.stringContaining('set net.ipv4.ip_unprivileged_port_start to 1024'),
      },
    ])
  })
})
