import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../lab/root.ts'
import { runJob } from '../uml/guest.ts'
import { must, suites } from './given.ts'

const secondsMax = 800

/**
 * One boot of a machine each, side by side, with systemd as process 1 and the kernel's own WireGuard; job.sh says what
 * happens.
 */
describe.concurrent.each(suites)('the service on Debian $suite', ({ directory: debian, suite }) => {
  let job: string | null = null
  let seen: ReadonlyMap<string, string>
  let wrong = false

  beforeAll(
    async () => {
      job = await played(debian)
      seen = observations(job)
    },
    2 * secondsMax * 1000,
  )
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') wrong = true
  })
  afterAll(() => {
    if (job === null) return
    // What was seen says little of why.
    if (wrong) console.log(logs(job))
    rmSync(job, { recursive: true, force: true })
  })

  it('starts at boot, in its order, and holds nothing up without a network', () => {
    // A guest lacks a few things that a Debian looks for; none of them is ours.
    expect(seen.get('failed')).not.toContain('lnetd')
    expect(seen.get('without network')).toMatch(/^active node gauss/)
    expect(seen.get('order')).toContain('network.target')
    expect(seen.get('order')).not.toContain('network-online.target')
  })

  it('is not root and has one capability', () => {
    expect(seen.get('user')).toBe('lnetd')
    const netAdmin = '0000000000001000'
    expect(seen.get('capabilities')?.trim()).toBe(`Eff ${netAdmin} Bnd ${netAdmin} Amb ${netAdmin}`)
  })

  it('is in a sandbox', () => {
    expect(seen.get('no new privileges')?.trim()).toBe('NoNewPrivs 1')
    expect(seen.get('system calls')).toContain('epoll_wait')
    // Newer sets have `listmount` and `statmount` too, which only look.
    expect(seen.get('system calls')).not.toMatch(/io_uring|init_module|(?<!list|stat)mount\b|bpf/)
    // For root. systemd 257 leaves /sys as it is, with ReadOnlyPaths=/sys too; lnetd is not root, and owns nothing there.
    const leftOpen = suite === 'trixie' ? '/sys ' : ''
    expect(seen.get('writable')).toBe(`${leftOpen}/var/lib/lnetd /run/lnetd`)
    expect(seen.get('devices')).toBe('')
    expect(seen.get('score')).toMatch(/ [12]\.\d OK/)
  })

  it('is for root and its group alone, and reads the secret that root wrote', () => {
    expect(seen.get('socket')).toBe('lnetd lnetd 660')
    expect(seen.get('secret')).toBe('lnetd 600')
  })

  it('joins when the network comes', () => {
    expect(seen.get('mesh')).toContain('noether up')
    expect(seen.get('tunnel')).toBe('kernel')
    expect(lost(seen.get('ping'))).toBe(0)
  })

  it('tells of itself in a report, its log too, and no secret', () => {
    expect(seen.get('report lacks')).toBe('')
    expect(seen.get('report log')).toBe('"event":"daemon.ready"')
    expect(seen.get('report service')).toBe('ActiveState=active')
    expect(seen.get('report secrets')).toBe('0')
  })

  it('serves metrics from its sandbox, once the configuration says so', () => {
    expect(seen.get('metrics')).toBe('1')
  })

  it('has members found by their names, once the configuration says so', () => {
    expect(seen.get('names')).toMatch(/^(192\.168\.102\.\d+) \1 root 644$/)
  })

  it('carries traffic through reload, stop, start, kill -9, upgrade and downgrade', () => {
    expect(seen.get('reload')).toBe('active same process')
    expect(seen.get('stop')).toMatch(/^inactive vlnet0/)
    expect(seen.get('kill -9')).toBe('active 1 restart')
    expect(seen.get('upgrade')).toMatch(/^0 \S+\+next another process$/)
    expect(seen.get('after upgrade')).toBe('same address same key')
    expect(seen.get('downgrade')).toMatch(/^0 [\d.]+$/)
    expect(sent(seen.get('traffic'))).toBeGreaterThan(100)
    // The last one may be on its way when ping is told to end.
    expect(lost(seen.get('traffic'))).toBeLessThanOrEqual(1)
  })

  it('refuses a downgrade below its state, and stays as it is', () => {
    expect(seen.get('refused downgrade')).toMatch(/^100 \S+\+next installed [1-9]/)
  })

  it('does not try a wrong configuration again and again, and the network stays', () => {
    expect(seen.get('wrong configuration')).toBe('failed 0 restarts 2')
    expect(lost(seen.get('network meanwhile'))).toBe(0)
  })

  it('is started again when it hangs', () => {
    expect(seen.get('watchdog')).toBe('fed')
    expect(seen.get('watchdog bites')).toMatch(/^0 \S+ active$/)
  })

  it('stays down after lnetctl down', () => {
    expect(seen.get('down')).toBe('inactive success 0 devices')
  })

  it('has WireGuard in user space in a unit that outlives it', () => {
    expect(seen.get('user space')).toBe('active userspace lnetd')
    expect(lost(seen.get('user space ping'))).toBe(0)
    expect(seen.get('user space restart')).toMatch(/^same process/)
    expect(lost(seen.get('user space restart'))).toBeLessThanOrEqual(1)
  })

  it('is removed with its devices and rules, keeps keys and configuration, and says farewell', () => {
    expect(seen.get('remove')).toMatch(/^0 (dummy0 )?eth0 lo $/)
    for (const kept of ['lnetd.yaml', 'mesh.secret', 'identity.key', 'wireguard.key'])
      expect(seen.get('remove keeps')).toContain(kept)
    expect(seen.get('remove ends')).toBe('')
    expect(seen.get('remove tells')).toBe('left')
  })

  it('is removed with the names of members, and nothing else in the hosts file', () => {
    expect(seen.get('remove hosts')).toBe('as before')
  })

  it('is purged with everything, and says what', () => {
    expect(seen.get('purge')).toMatch(/^0 {2}\d+$/)
    expect(Number(seen.get('purge')?.split(' ').at(-1))).toBeGreaterThan(4)
  })

  it('joins with a token that waits for it, which no log and no process shows', () => {
    expect(seen.get('token')).toBe('lnet1-')
    expect(seen.get('unattended')).toMatch(/^active .*noether/)
    expect(seen.get('unattended secret')).toBe('0 0')
  })

  it('says of an empty token that it is none, and waits', () => {
    expect(seen.get('empty token')).toBe('failed this is no token')
  })

  it('waits for a configuration, and joins by one command', () => {
    expect(seen.get('idle')).toBe('inactive enabled')
    expect(seen.get('join')).toBe('0 in the mesh with 1 other')
  })

  it('says why lnetd did not start, and nothing of earlier starts', () => {
    expect(seen.get('refused')).toMatch(
      /^1 lnetctl: UDP port 51820 is taken by another program: end that \(ss -ulpn shows which\), or set another tunnel\.port\s*$/,
    )
  })

  it('joins by a configuration and a secret that somebody put there', () => {
    expect(seen.get('dropped')).toBe('active lnetd')
  })
})

/** As an installer, or whoever makes an image, does it: no service manager runs. */
const before = `set -eu
echo gauss >/etc/hostname
apt-get install -y --no-install-recommends /job/lnetd.deb wireguard-go
lnetctl init
`

/**
 * The directory where the job left what it saw. User-Mode Linux panics once in a while (`flush_tlb_mm` reads a mapping
 * that was freed meanwhile, seen in 6.12): the machine is played once more then. Nothing else is forgiven.
 */
async function played(debian: string, panics = 0): Promise<string> {
  const job = mkdtempSync(join(tmpdir(), 'lnet-package-job-'))
  copyFileSync(must('LNET_DEB'), join(job, 'lnetd.deb'))
  copyFileSync(must('LNET_DEB_NEXT'), join(job, 'next.deb'))
  copyFileSync(join(root, 'test/package/job.sh'), join(job, 'command.sh'))
  writeFileSync(join(job, 'before'), before)
  const end = await runJob(must('LNET_KERNEL'), {
    directory: job,
    command: '. /job/command.sh',
    init: ['test/package/init.sh', debian],
    realTime: true,
    secondsMax,
  })
  if (observations(job).get('end') === 'reached') return job
  console.log(`${JSON.stringify(end)}\n${logs(job)}`)
  rmSync(job, { recursive: true, force: true })
  if ('broken' in end && end.kernelEnded === true && panics === 0) return await played(debian, 1)
  throw new Error(`the job did not reach its end: ${JSON.stringify(end)}`)
}

function observations(job: string): ReadonlyMap<string, string> {
  const file = join(job, 'seen')
  if (!existsSync(file)) return new Map()
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return new Map(lines.map(line => line.split('\t', 2) as [string, string]))
}

function logs(directory: string): string {
  const tail = (name: string) => {
    const file = join(directory, name)
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(-400).join('\n') : `no ${name}`
  }
  return ['before.log', 'log', 'journal.log', 'seen'].map(tail).join('\n')
}

function sent(summary: string | undefined): number {
  return Number(/(\d+) packets transmitted/.exec(summary ?? '')?.[1])
}

function lost(summary: string | undefined): number {
  return sent(summary) - Number(/(\d+) received/.exec(summary ?? '')?.[1])
}
