import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../lab/lab.ts'
import { createSwitch, type Namespace } from '../lab/namespace.ts'
import { cable, createDebian, type DebianMachine, show } from './debian.ts'
import { must, suites } from './given.ts'

const install = (file: string) =>
  `apt-get install -y --no-install-recommends --allow-downgrades /mnt/${file} wireguard-go`
/** lnetd as its units start it, but for the sandbox: not root, and with one capability. */
const asService = `install -d -o lnetd -g lnetd /run/lnetd && install -d -g lnetd -m 1775 /run/wireguard && chown lnetd /etc/lnetd/mesh.secret &&
  exec setpriv --reuid lnetd --regid lnetd --init-groups --inh-caps=-all,+net_admin --ambient-caps=-all,+net_admin \
    --bounding-set=-all,+net_admin --no-new-privs lnetd >/tmp/lnetd.log 2>&1 &`

describe.each(suites)('the package on Debian $suite', ({ directory }) => {
  let hub: Namespace
  let gauss: DebianMachine
  let noether: DebianMachine

  beforeAll(async () => {
    hub = await createSwitch('switch', [])
    gauss = await createDebian('gauss', directory)
    noether = await createDebian('noether', directory)
    await cable(hub, [gauss, noether])
    for (const machine of [gauss, noether]) {
      await show(machine, must('LNET_DEB'), 'lnetd.deb')
      await show(machine, must('LNET_DEB_NEXT'), 'next.deb')
    }
  })
  afterAll(() => {
    for (const space of [gauss?.namespace, noether?.namespace, hub]) space?.close()
  })

  it('installs with what it depends on, and starts nothing', async () => {
    for (const machine of [gauss, noether]) {
      await machine.must(install('lnetd.deb'))
      expect(await machine.must('dpkg --audit; dpkg --verify lnetd')).toBe('')
      expect(await machine.must('id -un lnetd && command -v wireguard-go')).toBe(
        'lnetd\n/usr/bin/wireguard-go',
      )
      expect((await machine.run('pgrep -x MainThread')).stdout).toBe('')
      expect((await machine.run('lnetctl peers')).exitCode).toBe(3)
    }
  })

  it('has no unit that systemd does not understand', async () => {
    const { stdout, stderr } = await gauss.run(
      'systemd-analyze verify --man=no lnetd.service lnetd-wireguard.service lnetd-wireguard.path lnetd-names.service lnetd-names.path',
    )
    // Known since systemd 254: bookworm has 252 and passes them over.
    const said = `${stdout}${stderr}`
      .split('\n')
      .filter(line => /lnetd/.test(line) && !/RestartSteps|RestartMax/.test(line))
    expect(said).toEqual([])
  })

  it('joins, not as root', async () => {
    await gauss.must('lnetctl init')
    await gauss.must(asService)
    const token = await eventually('a token', async () => {
      const { stdout, exitCode } = await gauss.run('lnetctl token')
      return exitCode === 0 ? stdout.trim() : null
    })
    await noether.must('lnetctl join -', { input: token })
    await noether.must(asService)
    for (const machine of [gauss, noether]) await eventually('a mesh of two', () => isInMesh(machine))
    const address = await overlayOf(gauss)
    await eventually('ping', async () => (await noether.run(`ping -c 1 -W 1 ${address}`)).exitCode === 0)
    expect(await gauss.must('stat -c "%U %a" /run/lnetd/lnetd.sock')).toBe('lnetd 660')
  })

  it('is upgraded beside a daemon that goes on', async () => {
    const before = await noether.must('pgrep -u lnetd -x MainThread')
    await noether.must(install('next.deb'))
    expect(await noether.must('pgrep -u lnetd -x MainThread')).toBe(before)
    expect(await isInMesh(noether)).toBe(true)
  })

  it('is removed with its network, and purged with its files', async () => {
    const { stdout } = await noether.run('apt-get remove -y lnetd')
    expect(stdout).toContain('Removing lnetd')
    expect(await noether.must('ls /sys/class/net')).toBe('eth0\nlo')
    expect(await noether.must('command -v nft && nft list ruleset')).toBe('/usr/sbin/nft')
    const kept = await noether.must('ls /etc/lnetd /var/lib/lnetd')
    for (const file of ['lnetd.yaml', 'mesh.secret', 'identity.key', 'wireguard.key'])
      expect(kept).toContain(file)
    const purged = await noether.must('apt-get purge -y lnetd')
    for (const file of ['/etc/lnetd/mesh.secret', '/var/lib/lnetd/identity.key'])
      expect(purged).toContain(`lnetd: removing ${file}`)
    expect((await noether.run('ls -d /etc/lnetd /var/lib/lnetd /etc/systemd/system/*/lnetd*')).stdout).toBe(
      '',
    )
  })

  it('takes the network away even where lnetd does not run any more', async () => {
    await gauss.must('pkill -KILL -u lnetd -x MainThread')
    // What a gateway leaves behind, and something of somebody else's.
    await gauss.must(
      `nft 'table inet lnet-gateway { chain borrowed_eth0 { }; }; table bridge lnet_vlnet0 { }; table inet lnetwork { }'`,
    )
    await gauss.must('echo 1 >/proc/sys/net/ipv4/conf/eth0/forwarding')
    expect(await gauss.must('ls /sys/class/net')).toContain('vlnet0')
    await gauss.must('apt-get purge -y lnetd')
    await eventually('only its own devices', async () => {
      return (await gauss.must('ls /sys/class/net')) === 'eth0\nlo'
    })
    expect(await gauss.must('nft list tables')).toBe('table inet lnetwork')
    expect(await gauss.must('cat /proc/sys/net/ipv4/conf/eth0/forwarding')).toBe('0')
  })
})

interface Peers {
  readonly self: { readonly segments: readonly { readonly addresses: readonly string[] }[] }
  readonly peers: readonly { readonly state: string }[]
}

async function peersOf(machine: DebianMachine): Promise<Peers | null> {
  const { stdout, exitCode } = await machine.run('lnetctl peers --json')
  return exitCode === 0 ? (JSON.parse(stdout) as Peers) : null
}

async function isInMesh(machine: DebianMachine): Promise<boolean> {
  return (await peersOf(machine))?.peers.some(({ state }) => state === 'up') ?? false
}

async function overlayOf(machine: DebianMachine): Promise<string> {
  const addresses = (await peersOf(machine))?.self.segments.flatMap(segment => segment.addresses) ?? []
  return addresses.find(address => !address.includes(':'))?.split('/')[0] as string
}
