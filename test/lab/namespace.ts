import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { execa } from 'execa'

/** A machine of its own: network, mount, process, host name and IPC namespaces, with an empty /run, and an /etc, /var/lib and /var/cache that nobody else sees. */
export interface Namespace {
  /** Also the host name inside. */
  readonly name: string
  /** Its first process, as seen from outside; ending it ends everything inside. */
  readonly pid: number
  /** The argv that runs a command inside. */
  argv(command: readonly string[]): [string, ...string[]]
  /** Runs a command inside to its end. Never throws for what the command says. */
  run(command: readonly string[], options?: RunOptions): Promise<Outcome>
  /** Like run, but a failure is an Error with what the command said. Answers stdout. */
  must(command: readonly string[], options?: RunOptions): Promise<string>
  close(): void
}

export interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** Default 60,000. */
  readonly milliseconds?: number
}

export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  /** 124 when the time was over, 128 and the signal when one ended it. */
  readonly exitCode: number
}

export interface Link {
  readonly node: Namespace
  /** The name of the interface inside the node. */
  readonly interface: string
  /** `address/length`, any family. */
  readonly addresses: readonly string[]
  readonly gateways?: readonly string[]
  readonly mtu?: number
  readonly mac?: string
}

/**
 * What every namespace does before it is used: its own /run (WireGuard's sockets), /sys (its own devices), lo; its own
 * /etc, /var/lib and /var/cache over this machine's, without what an lnetd of this machine has there. Files mounted into
 * /etc, as containers have, are copied: an overlay does not see them.
 */
const opening = `mount -t tmpfs lnet /run &&
  for place in etc var/lib var/cache; do
    mkdir -p /run/over/$place /run/work/$place &&
    if [ $place = etc ]; then
      for file in $(awk '$5 ~ "^/etc/" { print $5 }' /proc/self/mountinfo); do
        if [ -f "$file" ]; then mkdir -p "/run/over\${file%/*}" && cp -p "$file" "/run/over$file"; fi
      done
    fi &&
    mount -t overlay -o "lowerdir=/$place,upperdir=/run/over/$place,workdir=/run/work/$place" lnet /$place || exit 1
  done &&
  rm -rf /etc/lnetd /etc/default/lnetd /var/lib/lnetd /var/cache/lnetd /var/cache/lnetctl &&
  mount -t tmpfs lnet /run && mount -t sysfs lnet /sys && hostname "$0" && ip link set lo up &&
  mkdir -p /run/netns /run/lock && echo ready && { sleep infinity & wait; }`

/**
 * Makes a namespace. Its names must begin with `lnet-` where they are seen outside; in here they are not.
 * Unless `lasting`, the kernel ends it together with the process that made it, even after a kill -9.
 */
export async function createNamespace(name: string, lasting = false): Promise<Namespace> {
  const unshare = [
    'unshare',
    '--net',
    '--mount',
    '--uts',
    '--ipc',
    '--pid',
    '--fork',
    '--kill-child',
    '--mount-proc',
  ]
  const leash = lasting ? [] : ['setpriv', '--pdeathsig', 'KILL']
  const [file = '', ...args] = [...leash, ...unshare, 'sh', '-c', opening, name]
  // A session of its own: Ctrl-C is for whoever made it, who then cleans up.
  const holder = spawn(file, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  await ready(holder, name)
  holder.stdout?.destroy()
  holder.stderr?.destroy()
  holder.unref()
  return enterable(name, holder)
}

/**
 * Connects nodes to the bridge `br0` of a switch, one port each, named `p<index>`; addresses are usable at once.
 * Two processes a node and one for all ports.
 */
export async function connect(hub: Namespace, links: readonly Link[], firstPort = 1): Promise<void> {
  const ports = links.flatMap((link, index) => [
    `link add p${firstPort + index} type veth peer name ${link.interface} netns ${link.node.pid}`,
    `link set p${firstPort + index} master br0 up`,
  ])
  // Outside the process namespace, so that the pids are ours.
  await outcome(
    ['nsenter', '--target', String(hub.pid), '--net', 'ip', '-batch', '-'],
    { input: ports.join('\n') },
    true,
  )
  await Promise.all(
    links.map(link => link.node.must(['ip', '-batch', '-'], { input: configured(link).join('\n') })),
  )
}

/** A switch: the bridge `br0`, with addresses when it shall be the nodes' gateway too. */
export async function createSwitch(
  name: string,
  addresses: readonly string[],
  lasting = false,
): Promise<Namespace> {
  const hub = await createNamespace(name, lasting)
  const lines = ['link add br0 type bridge', 'link set br0 up', ...addresses.map(a => addressLine(a, 'br0'))]
  await hub.must(['ip', '-batch', '-'], { input: lines.join('\n') })
  for (const knob of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'])
    await hub.must(['sh', '-c', 'echo 1 >"/proc/sys/net/$0"', knob])
  return hub
}

/**
 * When the process began, in clock ticks since boot: with its pid it names one process for ever. Null: it is not there,
 * or dead and waiting for its parent to notice.
 */
export function processStart(pid: number): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return ['Z', 'X'].includes(fields[0] as string) ? null : Number(fields[19])
  } catch {
    return null
  }
}

function enterable(name: string, holder: ChildProcess): Namespace {
  const pid = childrenOf(holder.pid as number)[0] as number
  const argv = (command: readonly string[]): [string, ...string[]] => [
    'nsenter',
    '--target',
    String(pid),
    '--net',
    '--mount',
    '--uts',
    '--ipc',
    '--pid',
    '--',
    ...command,
  ]
  return {
    name,
    pid,
    argv,
    run: (command, options = {}) => outcome(argv(command), options, false),
    must: async (command, options = {}) => (await outcome(argv(command), options, true)).stdout,
    close: () => {
      if (processStart(pid) !== null) process.kill(pid, 'SIGKILL')
    },
  }
}

/** The processes a process started. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return text === '' ? [] : text.split(' ').map(Number)
}

function ready(holder: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    holder.stderr?.on('data', (data: Buffer) => {
      said += data.toString()
    })
    holder.stdout?.once('data', () => resolve())
    holder.once('error', reject)
    holder.once('exit', code => reject(new Error(`namespace ${name} ended with ${code}: ${said.trim()}`)))
  })
}

function configured(link: Link): string[] {
  return [
    ...(link.mtu === undefined ? [] : [`link set ${link.interface} mtu ${link.mtu}`]),
    ...(link.mac === undefined ? [] : [`link set ${link.interface} address ${link.mac}`]),
    `link set ${link.interface} up`,
    ...link.addresses.map(address => addressLine(address, link.interface)),
    ...(link.gateways ?? []).map(gateway => `route add default via ${gateway} dev ${link.interface}`),
  ]
}

/** Without duplicate address detection: an IPv6 address is else refused as a source for its first second. */
function addressLine(address: string, device: string): string {
  return `address add ${address} dev ${device}${address.includes(':') ? ' nodad' : ''}`
}

async function outcome(argv: readonly string[], options: RunOptions, strict: boolean): Promise<Outcome> {
  const [file = '', ...args] = argv
  const running = execa(file, args, {
    reject: false,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...(options.env === undefined ? {} : { env: options.env }),
  })
  let isOver = false
  const timer = setTimeout(() => {
    isOver = true
    // nsenter waits for a child of its own inside; that one holds our pipes.
    for (const pid of running.pid === undefined ? [] : childrenOf(running.pid)) process.kill(pid, 'SIGKILL')
    running.kill('SIGKILL')
  }, options.milliseconds ?? 60_000)
  const done = await running
  clearTimeout(timer)
  const exitCode = isOver ? 124 : (done.exitCode ?? 128)
  if (strict && exitCode !== 0)
    throw new Error(`${argv.join(' ')}: exit code ${exitCode}: ${done.stderr} ${done.stdout}`)
  return { stdout: String(done.stdout), stderr: String(done.stderr), exitCode }
}
