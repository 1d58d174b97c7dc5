import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DoctorView } from '../../src/control/doctor.ts'
import type { PingReport } from '../../src/control/ping-report.ts'
import type { RateRow } from '../../src/control/rates.ts'
import { createLab, eventually, type Lab } from './lab.ts'
import type { LabNode } from './node.ts'

/** What lnetctl offers beside the views, over two real daemons. */
let lab: Lab
let first: LabNode
let second: LabNode

beforeAll(async () => {
  lab = await createLab({ nodes: 2 })
  ;[first, second] = lab.nodes as [LabNode, LabNode]
  for (const node of lab.nodes) node.start()
  for (const node of lab.nodes) await node.listening()
  await eventually('both are up', async () => {
    const replies = await Promise.all(lab.nodes.map(node => node.ask('status')))
    return replies.every(reply => reply.ok && reply.view.ready && reply.view.members.up === 1)
  })
})
afterAll(() => lab.cleanup())

async function isUpAgain(): Promise<boolean> {
  const reply = await first.ask('status')
  return reply.ok && reply.view.ready && reply.view.members.up === 1
}

describe('lnetctl events', () => {
  it('tells who came, and still does after a restart', async () => {
    const events = await eventually('n2 joined and answers', async () => {
      const reply = await first.ask('events')
      const told = reply.ok ? reply.view.events : []
      return told.some(({ kind, name }) => kind === 'up' && name === 'n2') && told
    })
    expect(events.map(({ kind, name }) => `${kind} ${name}`)).toContain('joined n2')
    expect(await first.stop()).toBe(0)
    first.start()
    await first.listening()
    const again = await first.lnetctl(['events', '--json'])
    const lines = again.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { kind: string; number: number })
    expect(lines.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['joined', 'stopped']))
    expect(lines.map(({ number }) => number)).toEqual(
      lines.map((_, index) => (lines[0]?.number ?? 0) + index),
    )
  })
})

describe('lnetctl top', () => {
  it('shows what runs through the tunnels, as JSON and as a table', async () => {
    await eventually('n1 is up again', isUpAgain)
    const reply = await first.ask('peers')
    const vtep = reply.ok ? String(reply.view.peers[0]?.vtep) : ''
    const pinging = first.namespace.run(['ping', '-n', '-q', '-i0.1', '-c60', '-s1000', vtep])
    const { stdout, exitCode } = await first.lnetctl(['top', '--once', '--json', '--interval', '1'])
    expect(exitCode).toBe(0)
    const [row] = (JSON.parse(stdout) as { peers: RateRow[] }).peers
    expect(row).toMatchObject({ name: 'n2', state: 'up' })
    // Ten of 1,000 bytes a second, each way.
    expect(row?.rx_bytes_per_second).toBeGreaterThan(2000)
    expect(row?.tx_bytes_per_second).toBeGreaterThan(2000)
    const { stdout: table } = await first.lnetctl(['top', '--interval', '1'])
    expect(table).toMatch(/^n1: 1 other, 1 up, receiving \d+\.\d\d KiB, sending \d+\.\d\d KiB$/m)
    expect(table).toMatch(/^n2 +up +\d+\.\d\d KiB +\d+\.\d\d KiB /m)
    await pinging
  })

  it.each([
    ['q', 'sleep 3; printf q'],
    ['its end by a signal', 'sleep 3; pkill -TERM -f "lnetctl.js[ ]top" >/dev/null'],
  ])('gives a terminal back after %s', async (_, ending) => {
    const command = `stty rows 24 columns 60; ${join(lab.directory, 'bin', 'lnetctl')} top --interval 0.5; stty -a`
    const { stdout } = await first.namespace.run([
      'sh',
      '-c',
      '{ eval "$1"; sleep 2; } | script -qec "$0" /dev/null',
      command,
      ending,
    ])
    expect(stdout).toContain('\u001b[?1049h')
    expect(stripVTControlCharacters(stdout)).toMatch(/n2 +up/)
    const after = stdout.slice(stdout.lastIndexOf('\u001b[?1049l'))
    expect(after).toMatch(/ icanon .* echo /s)
  })
})

describe('lnetctl ping', () => {
  it('tells the layers apart', async () => {
    await eventually('n1 is up again', isUpAgain)
    const { exitCode, stdout } = await first.lnetctl(['ping', 'n2', '-c', '2', '-i', '0.2', '--json'])
    const report = JSON.parse(stdout) as PingReport
    expect(report.layers.map(({ layer, sent, received }) => [layer, sent, received])).toEqual([
      ['underlay', 2, 2],
      ['tunnel', 2, 2],
      ['overlay', 2, 2],
    ])
    expect(exitCode).toBe(0)
  })

  it('exits with 1 when the overlay alone is silent', async () => {
    const rule = 'table inet test { chain c { type filter hook input priority 0; iifname "vlnet0" drop; }; }'
    await second.namespace.must(['nft', rule])
    const { exitCode, stdout } = await first.lnetctl(['ping', 'n2', '-c', '1'])
    await second.namespace.must(['nft', 'delete', 'table', 'inet', 'test'])
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(/overlay no answer/)
    expect(stdout).toContain('answers through the tunnel and not on the overlay')
  })
})

describe('names', () => {
  it('lead to members by NAME.lnet while they are on, and the hosts file is as before afterwards', async () => {
    await first.namespace.must(['sh', '-c', 'printf "127.0.0.1 localhost" >/etc/hosts'])
    const reload = (names: boolean) => {
      first.configuration = { ...first.configuration, names }
      first.write()
      process.kill(first.pid() as number, 'SIGHUP')
    }
    const listed = () => first.lnetctl(['names'])
    expect(await listed()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('names: true') })
    reload(true)
    const { stdout } = await eventually('n2 has a name', async () => {
      const done = await listed()
      return done.stdout.includes('n2.lnet') && done
    })
    expect(stdout).toMatch(/^n1\.lnet +192\.168\.102\.\d+$/m)
    expect((await first.lnetctl(['names', '--apply'])).exitCode).toBe(0)
    const found = await first.namespace.must(['getent', 'ahostsv4', 'n2.lnet'])
    const peers = await first.ask('peers')
    const overlay = peers.ok ? peers.view.peers[0]?.segments[0]?.addresses[0]?.split('/')[0] : ''
    expect(found.split(/\s/)[0]).toBe(overlay)
    await first.namespace.must(['ping', '-n', '-c1', '-W2', 'n2.lnet'])
    reload(false)
    await eventually('no name is left', async () => (await listed()).exitCode === 1)
    expect((await first.lnetctl(['names', '--apply'])).exitCode).toBe(0)
    expect(await first.namespace.must(['cat', '/etc/hosts'])).toBe('127.0.0.1 localhost')
  })
})

describe('lnetctl doctor', () => {
  async function examined(): Promise<DoctorView & { readonly exitCode: number }> {
    const { exitCode, stdout } = await first.lnetctl(['doctor', '--json', '--config', first.write()])
    return { ...(JSON.parse(stdout) as DoctorView), exitCode }
  }

  it('finds nothing wrong in a mesh that works', async () => {
    const { exitCode, healthy, findings } = await examined()
    expect(findings.filter(({ state }) => state === 'wrong')).toEqual([])
    expect({ exitCode, healthy }).toEqual({ exitCode: 0, healthy: true })
    expect(findings).toContainEqual(expect.objectContaining({ check: 'mtu', state: 'ok' }))
  })

  it('finds a path that lost large packets', async () => {
    const rule =
      'table inet test { chain c { type filter hook input priority 0; udp dport 51820 meta length > 1300 drop; ip frag-off & 0x1fff != 0 drop; }; }'
    await second.namespace.must(['nft', rule])
    const { exitCode, findings } = await examined()
    await second.namespace.must(['nft', 'delete', 'table', 'inet', 'test'])
    expect(findings.filter(({ state }) => state === 'wrong')).toMatchObject([
      { check: 'mtu', what: expect.stringContaining('vanish in the tunnel') },
    ])
    expect(exitCode).toBe(4)
  })

  it('finds a rule that drops VXLAN, and says what lets it in', async () => {
    const rules =
      'table inet test { chain c { type filter hook input priority 0; jump d; }; chain d { udp dport 4789 drop; }; }'
    await first.namespace.must(['nft', rules])
    const { exitCode, findings } = await examined()
    const ofFirewall = findings.filter(({ check }) => check === 'firewall')
    expect(ofFirewall).toMatchObject([
      { state: 'wrong', what: 'inet test d drops UDP port 4789 in by lnet0' },
    ])
    expect(exitCode).toBe(4)
    await first.namespace.must(['sh', '-c', String(ofFirewall[0]?.fix)])
    const after = (await examined()).findings.filter(({ check }) => check === 'firewall')
    await first.namespace.must(['nft', 'delete', 'table', 'inet', 'test'])
    expect(after).toMatchObject([{ state: 'ok' }])
  })

  it('works without a daemon', async () => {
    expect(await first.stop()).toBe(0)
    const { exitCode, findings } = await examined()
    expect(findings.filter(({ state }) => state === 'wrong')).toMatchObject([{ check: 'daemon' }])
    expect(exitCode).toBe(4)
  })
})

describe('lnetctl bugreport', () => {
  /** Every file of the archive by its name, as GNU tar unpacks them. */
  async function reported(name: string): Promise<{ stdout: string; files: Map<string, string> }> {
    const path = join(first.directory, name)
    const words = ['bugreport', '--output', path, '--config', first.write()]
    const { exitCode, stdout, stderr } = await first.lnetctl(words)
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const names = (await first.namespace.must(['tar', '-tzf', path])).trim().split('\n')
    const files = new Map<string, string>()
    for (const entry of names) {
      const text = await first.namespace.must(['tar', '-xzOf', path, entry])
      files.set(entry.replace(/^lnet-bugreport-n1-[0-9-]+\//, ''), text)
    }
    return { stdout, files }
  }

  function expectRedacted(files: ReadonlyMap<string, string>): void {
    const all = [...files.values()].join('\n')
    const { mesh, state_dir } = first.configuration as { mesh: { secret_file: string }; state_dir: string }
    const keys = [mesh.secret_file, join(state_dir, 'wireguard.key'), join(state_dir, 'identity.key')]
    for (const file of keys) expect(all).not.toContain(readFileSync(file, 'utf8').trim())
    // The labs' underlay counts as public; both families are in what the tools print.
    expect(all).not.toMatch(/192\.0\.2\.\d|2001:db8:/i)
    expect(all).not.toMatch(/[A-Za-z0-9+/]{43}=/)
  }

  it('works without a daemon, and tells what is missing', async () => {
    const { stdout, files } = await reported('without.tar.gz')
    expectRedacted(files)
    expect(stdout).toContain('It lacks:\n  no lnetd on /run/lnetd/lnetd.sock')
    expect(files.get('README.txt')).toContain('no lnetd on /run/lnetd/lnetd.sock')
    expect(files.get('events.jsonl')).toContain('"kind":"joined"')
    expect(files.get('wireguard.txt')).toMatch(/peer: \S{8}\.\.\.\n/)
    expect(files.get('links.txt')).toContain('vxlan id 49371')
  })

  it('holds what lnetd knows, and calls an address by one word everywhere', async () => {
    first.start()
    await first.listening()
    await eventually('n1 is up again', async () => {
      const reply = await first.ask('status')
      return reply.ok && reply.view.ready && reply.view.members.up === 1
    })
    const { stdout, files } = await reported('with.tar.gz')
    expectRedacted(files)
    expect(stdout).not.toContain('no lnetd on')
    const peers = JSON.parse(files.get('peers.json') ?? '') as { peers: { name: string; endpoint: string }[] }
    expect(peers.peers).toMatchObject([{ name: 'n2', endpoint: expect.stringMatching(/public-ipv[46]-\d/) }])
    expect(files.get('wireguard.txt')).toContain(`endpoint: ${peers.peers[0]?.endpoint}`)
    expect(files.get('nftables.txt')).toContain('table inet lnet')
    expect(files.get('routes.txt')).toMatch(/default via public-ipv4-\d|default dev/)
  })
})
