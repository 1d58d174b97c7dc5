import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLab, type Lab } from './lab.ts'
import type { Outcome } from './namespace.ts'
import type { LabNode, LnetdOptions } from './node.ts'

/** Starts that must fail: one clear line that names the remedy, the right exit code, and nothing half-made. */
let lab: Lab
let node: LabNode

beforeEach(async () => {
  lab = await createLab({ nodes: 1 })
  node = lab.nodes[0] as LabNode
})
afterEach(() => lab.cleanup())

describe('a start', () => {
  it.each([
    ['UDP 51820', 'udp', 51_820],
    ['TCP 51821', 'tcp', 51_821],
  ])('is refused while somebody else has %s', async (_, protocol, port) => {
    const release = await occupy(protocol, port)
    await refused(new RegExp(String(port)))
    release()
  })

  it('is refused without CAP_NET_ADMIN', async () => {
    const through = ['setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin']
    await refused(/CAP_NET_ADMIN|root/, { through })
  })

  it.each([
    ['wg', /wireguard-tools/],
    ['ip', /iproute2/],
    ['bridge', /iproute2/],
    ['nft', /nftables/],
  ])('is refused without %s, and the package is named', async (tool, remedy) => {
    const said = await refusedWithout(tool, remedy)
    expect(said).toMatch(new RegExp(`\\b${tool}\\b`))
  })

  it('is refused without wireguard-go where that shall make the tunnel', async () => {
    node.configuration = { ...node.configuration, tunnel: { implementation: 'userspace' } }
    await refusedWithout('wireguard-go', /install wireguard-go/)
  })

  it('is refused on a full disk', async () => {
    await mountState('size=64k')
    await node.namespace.run([
      'sh',
      '-c',
      'dd if=/dev/zero of="$0/filler" bs=4k 2>/dev/null; sync',
      stateDir(),
    ])
    await refused(/space|full/i)
  })

  it('is refused on a read-only state directory', async () => {
    await mountState('ro')
    await refused(/read-only/i)
  })

  it('is refused while somebody else’s interface has our name', async () => {
    await node.namespace.must(['ip', 'link', 'add', 'lnet0', 'type', 'bridge'])
    await refused(/lnet0 .*not lnet's/, {}, ['eth0', 'lnet0', 'lo'])
  })

  it.each(['identity.key', 'wireguard.key'])(
    'is refused with an unreadable %s, which stays as it is',
    async name => {
      const file = join(stateDir(), name)
      writeFileSync(file, 'not a key\n', { mode: 0o600 })
      await refused(new RegExp(name.replace('.', '\\.')))
      expect(readFileSync(file, 'utf8')).toBe('not a key\n')
    },
  )

  it('is refused with a secret that others may read', async () => {
    chmodSync(secretFile(), 0o644)
    await refused(/mesh\.secret/)
  })

  it('is refused without a secret', async () => {
    node.configuration = { ...node.configuration, mesh: { secret_file: join(lab.directory, 'none') } }
    await refused(/none/)
  })
})

describe('a broken configuration', () => {
  it('is told whole, each problem with its path, and nothing is started', async () => {
    node.configuration = {
      ...node.configuration,
      bootstrp: ['192.0.2.1'],
      tunnel: { port: 70_000, interface: 'a name with blanks' },
      segments: [{ vni: 'many' }],
    }
    const { exitCode, stdout, stderr } = await node.lnetd()
    expect(exitCode).toBe(2)
    for (const path of ['bootstrp', 'tunnel.port', 'tunnel.interface', 'segments', 'vni'])
      expect(stdout + stderr).toContain(path)
    await untouched()
  })

  it('that is no YAML is told with its line', async () => {
    const file = join(node.directory, 'broken.yaml')
    writeFileSync(file, 'name: n1\nmesh: [\n')
    const { exitCode, stdout, stderr } = await node.lnetd({ args: ['--check', '--config', file] })
    expect(exitCode).toBe(2)
    expect(stdout + stderr).toMatch(/line \d|:\d+/)
  })

  it('is found by --check, and a good one is good', async () => {
    expect(await node.lnetd({ args: ['--check', '--config', node.write()] })).toMatchObject({ exitCode: 0 })
    node.configuration = { ...node.configuration, gossip: { port: 'x' } }
    expect(await node.lnetd({ args: ['--check', '--config', node.write()] })).toMatchObject({ exitCode: 2 })
    await untouched()
  })
})

/** The start fails as it must: exit code 1 and one line, which is answered. */
async function refused(remedy: RegExp, options: LnetdOptions = {}, links = ['eth0', 'lo']): Promise<string> {
  const outcome = await node.lnetd({ milliseconds: 30_000, ...options })
  expect(outcome).toMatchObject({ exitCode: 1 })
  const line = theOneLine(outcome, remedy)
  await untouched(links)
  return line
}

function theOneLine(outcome: Outcome, remedy: RegExp): string {
  const errors = errorLines(outcome)
  expect(errors).toHaveLength(1)
  expect(errors[0]).toMatch(remedy)
  return errors[0] as string
}

/** What a person must read: lines that are no log events below error. */
function errorLines({ stdout, stderr }: Outcome): string[] {
  return `${stdout}\n${stderr}`
    .split('\n')
    .filter(line => line.trim() !== '')
    .filter(line => !line.startsWith('{') || isError(line))
}

function isError(line: string): boolean {
  const { level } = JSON.parse(line) as { level: unknown }
  return level === 'error' || Number(level) >= 50
}

async function untouched(links = ['eth0', 'lo']): Promise<void> {
  const shown = JSON.parse(await node.namespace.must(['ip', '-json', 'link'])) as { ifname: string }[]
  expect(shown.map(({ ifname }) => ifname).sort()).toEqual(links)
  expect((await node.namespace.must(['nft', 'list', 'ruleset'])).trim()).toBe('')
  expect((await node.namespace.run(['sh', '-c', 'ls /run/lnetd/*.sock'])).exitCode).not.toBe(0)
}

/** Like refused, while a tool cannot be run in the node: something that is no program lies over it. */
async function refusedWithout(tool: string, remedy: RegExp): Promise<string> {
  const file = (await node.namespace.must(['sh', '-c', 'readlink -f "$(command -v "$0")"', tool])).trim()
  await node.namespace.must(['mount', '--bind', '/dev/null', file])
  try {
    const outcome = await node.lnetd({ milliseconds: 30_000 })
    expect(outcome).toMatchObject({ exitCode: 1 })
    return theOneLine(outcome, remedy)
  } finally {
    await node.namespace.must(['umount', file])
    await untouched()
  }
}

/** Holds a port inside the node; answers how to let it go. */
async function occupy(protocol: string, port: number): Promise<() => void> {
  const script =
    protocol === 'udp'
      ? `require('node:dgram').createSocket('udp4').bind(${port}, () => console.log('bound'))`
      : `require('node:net').createServer().listen(${port}, () => console.log('bound'))`
  const [file, ...args] = node.namespace.argv([process.execPath, '-e', script])
  const holder = execa(file, args, { reject: false, stdin: 'ignore' })
  await new Promise(resolve => holder.stdout.once('data', resolve))
  return () => void holder.kill('SIGKILL')
}

async function mountState(options: string): Promise<void> {
  await node.namespace.must(['mount', '-t', 'tmpfs', '-o', options, 'lnet', stateDir()])
}

function stateDir(): string {
  return String(node.configuration.state_dir)
}

function secretFile(): string {
  return String((node.configuration.mesh as { secret_file: string }).secret_file)
}
