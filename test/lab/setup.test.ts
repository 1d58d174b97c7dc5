import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLab, eventually, type Lab } from './lab.ts'
import type { Outcome } from './namespace.ts'
import type { LabNode } from './node.ts'
import { pings } from './overlay.ts'

/** Two machines set up as their owner would: no file written by hand, everything where it is by default. */
let lab: Lab
let first: LabNode
let second: LabNode
let token: string

beforeAll(async () => {
  lab = await createLab({ nodes: 2 })
  ;[first, second] = lab.nodes as [LabNode, LabNode]
})
afterAll(() => lab.cleanup())

describe('two commands', () => {
  it('make the first node of a mesh, and never another over it', async () => {
    expect(await first.lnetctl(['init'])).toMatchObject({ exitCode: 0, stderr: '' })
    const made = await first.namespace.must(['stat', '-c', '%a %n', '/etc/lnetd/mesh.secret'])
    expect(made).toBe('600 /etc/lnetd/mesh.secret')
    const secret = await first.namespace.must(['cat', '/etc/lnetd/mesh.secret'])
    expect(await first.lnetctl(['init'])).toMatchObject({ exitCode: 1, stdout: '' })
    expect(await first.namespace.must(['cat', '/etc/lnetd/mesh.secret'])).toBe(secret)
  })

  it('print a token once the daemon runs', async () => {
    await daemonize(first)
    const printed = await first.lnetctl(['token'])
    expect(printed.exitCode).toBe(0)
    token = printed.stdout.trim()
    expect(token).toMatch(/^lnet1-[\w-]+$/)
  })

  it('join another machine, with the token from standard input', async () => {
    const joined = await second.lnetctl(['join'], { input: `${token}\n` })
    expect(joined).toMatchObject({ exitCode: 0, stderr: '' })
    expect(joined.stdout).not.toContain(token)
    await daemonize(second)
    const row = await eventually('the second sees the first up', async () => {
      const reply = await second.ask('peers')
      return (reply.ok ? reply.view.peers.find(({ state }) => state === 'up') : undefined) ?? null
    })
    const address = row.segments[0]?.addresses[0]?.split('/')[0] as string
    await eventually('it answers', async () => ((await pings(second, address)) ? true : null))
  })

  it('refuse a token that was cut off', async () => {
    const outcome: Outcome = await second.lnetctl(['join', '--config', '/etc/lnetd/other.yaml', '-'], {
      input: token.slice(0, -6),
    })
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stderr).toMatch(/token/)
    expect((await second.namespace.run(['test', '-e', '/etc/lnetd/other.yaml'])).exitCode).toBe(1)
  })
})

/** lnetd without any argument, until its control socket answers. */
async function daemonize(node: LabNode): Promise<void> {
  const log = join(node.directory, 'lnetd.log')
  const command = `"$0/bin/lnetd" >"$1" 2>&1 </dev/null &`
  await node.namespace.must(['sh', '-c', command, lab.directory, log])
  await node.listening()
}
