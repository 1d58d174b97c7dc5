import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLab, eventually, type Lab } from './lab.ts'
import type { LabNode } from './node.ts'
import { node24 } from './root.ts'

/** Machines with a service manager, as far as lnetctl sees one: a systemctl that starts lnetd, and what it said. */
let lab: Lab
let nodes: readonly LabNode[]
let token: string
/** The configuration of a mesh that is not theirs. */
const other = '/etc/lnetd-other/lnetd.yaml'

beforeAll(async () => {
  lab = await createLab({ nodes: 4 })
  nodes = lab.nodes
  for (const node of nodes.slice(0, 3)) await haveServiceManager(node)
})
afterAll(() => lab.cleanup())

describe('the first minute', () => {
  it('is one command on the first machine, which prints the one for the next', async () => {
    const made = await managed(nodes[0] as LabNode, ['init', '--start'])
    expect(made).toMatchObject({ exitCode: 0, stderr: '' })
    expect(made.stdout).toMatch(/^n1 is the first node of its mesh, 192\.168\.102\.\d+ on vlnet0$/m)
    expect(made.stdout).toMatch(/^ {2}sudo lnetctl join --start$/m)
    token = /^lnet1-[\w-]+$/m.exec(made.stdout)?.[0] as string
    expect(token).toBeDefined()
  })

  it('is one command on the next, which says that it is in', async () => {
    const began = performance.now()
    const joined = await managed(nodes[1] as LabNode, ['join', '--start'], token)
    expect(joined).toMatchObject({ exitCode: 0, stderr: '' })
    expect(joined.stdout).toMatch(/^n2 is in the mesh with 1 other, 192\.168\.102\.\d+ on vlnet0$/m)
    expect(performance.now() - began).toBeLessThan(60_000)
  })

  it('says what is wrong when the secret is another one', async () => {
    const third = nodes[2] as LabNode
    expect(await managed(third, ['init', '--config', other, '--force'])).toMatchObject({ exitCode: 0 })
    const bootstrap = (nodes[0] as LabNode).underlay.ipv4
    const strange = await managed(third, ['token', '--config', other, '--bootstrap', bootstrap])
    const joined = await managed(third, ['join', '--start', '--force'], strange.stdout)
    expect(joined.exitCode).toBe(1)
    expect(joined.stderr).toContain('the mesh secret may differ')
  })

  it('says when nothing answers at the bootstrap place', async () => {
    const third = nodes[2] as LabNode
    const nobody = await managed(third, [
      'token',
      '--config',
      other,
      '--bootstrap',
      `${third.underlay.ipv4}:9`,
    ])
    const joined = await managed(third, ['join', '--start', '--force'], nobody.stdout)
    expect(joined.exitCode).toBe(1)
    expect(joined.stderr).toMatch(/^lnetctl: no other node answers gossip \(.+: nothing listens there/)
    expect(joined.stderr).toMatch(/lnetd goes on trying: lnetctl status tells how it is$/)
  })

  it.each([
    ['UDP', 51_820, `dgram.createSocket('udp4').bind(51820)`],
    ['TCP', 51_821, 'net.createServer().listen(51821)'],
  ])('says when the %s port is taken', async (protocol, port, taker) => {
    const { namespace } = nodes[2] as LabNode
    await managed(nodes[2] as LabNode, ['down'])
    await namespace.must([
      'sh',
      '-c',
      '"$0" -e "$1" >/dev/null 2>&1 </dev/null & echo $! >/run/taker',
      node24,
      taker,
    ])
    await eventually(`somebody has ${protocol} port ${port}`, async () =>
      (await namespace.must(['ss', '-Hlntu'])).includes(`:${port} `),
    )
    const joined = await managed(nodes[2] as LabNode, ['join', '--start', '--force'], token)
    expect(joined.exitCode).toBe(1)
    expect(joined.stderr).toMatch(new RegExp(`^lnetctl: .*${protocol} port ${port}`))
    await namespace.must(['sh', '-c', 'kill $(cat /run/taker)'])
  })

  it('puts that right with the right token and --force', async () => {
    const third = nodes[2] as LabNode
    expect(await managed(third, ['join', '--start'], token)).toMatchObject({ exitCode: 1, stdout: '' })
    const joined = await managed(third, ['join', '--start', '--force'], token)
    expect(joined).toMatchObject({ exitCode: 0, stderr: '' })
    expect(joined.stdout).toMatch(/^kept \/etc\/lnetd\/lnetd\.yaml\.backup-\d+$/m)
    // Said as soon as somebody answers, be it one.
    expect(joined.stdout).toMatch(/^n3 is in the mesh with (1 other|2 others), /m)
  })

  it('needs no command at all with a token in the environment', async () => {
    const fourth = nodes[3] as LabNode
    const log = join(fourth.directory, 'lnetd.log')
    const command = `LNETD_TOKEN="$2" "$0/bin/lnetd" >"$1" 2>&1 </dev/null &`
    await fourth.namespace.must(['sh', '-c', command, lab.directory, log, token])
    await fourth.listening()
    await eventually('the fourth is in', async () => {
      const reply = await fourth.ask('status')
      return reply.ok && reply.view.members.up === 3
    })
    expect(await fourth.namespace.must(['stat', '-c', '%a', '/etc/lnetd/mesh.secret'])).toBe('600')
    expect(readFileSync(log, 'utf8')).toContain('"event":"configuration.written"')
    expect(readFileSync(log, 'utf8')).not.toContain(token)
  })

  it('says how to start lnetd where there is no service manager', async () => {
    const made = await (nodes[3] as LabNode).lnetctl(['init', '--start', '--force'])
    expect(made.exitCode).toBe(1)
    expect(made.stderr).toContain('start lnetd yourself')
  })
})

/** sd_booted(3) looks for a directory; the rest is a script. */
async function haveServiceManager(node: LabNode): Promise<void> {
  await node.namespace.must(['mkdir', '-p', '/run/systemd/system'])
  const bin = binOf(node)
  mkdirSync(bin)
  const daemon = join(lab.directory, 'bin', 'lnetd')
  const script = `#!/bin/sh
case "$*" in
  "cat lnetd.service"|"enable lnetd.service") exit 0 ;;
  "stop lnetd.service")
    if [ -f /run/lnetd.pid ]; then kill $(cat /run/lnetd.pid); fi
    while [ -e /proc/$(cat /run/lnetd.pid 2>/dev/null)/exe ]; do sleep 0.1; done
    exit 0 ;;
  "start --no-block lnetd.service")
    ${daemon} >${node.directory}/lnetd.log 2>&1 </dev/null & echo $! >/run/lnetd.pid
    exit 0 ;;
esac
exit 5
`
  writeFileSync(join(bin, 'systemctl'), script, { mode: 0o755 })
  const journal = `#!/bin/sh\nexec cat ${node.directory}/lnetd.log\n`
  writeFileSync(join(bin, 'journalctl'), journal, { mode: 0o755 })
}

/** `input`: the token, where one is asked for. */
function managed(node: LabNode, args: readonly string[], input = '') {
  const command = 'PATH="$0:$PATH"; export PATH; exec "$@"'
  const lnetctl = join(lab.directory, 'bin', 'lnetctl')
  return node.namespace.run(['sh', '-c', command, binOf(node), lnetctl, ...args], { input })
}

function binOf(node: LabNode): string {
  return join(node.directory, 'bin')
}
