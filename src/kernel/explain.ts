/** The Debian package each tool comes in. */
export const packageOf: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  bridge: 'iproute2',
  wg: 'wireguard-tools',
  nft: 'nftables',
  'wireguard-go': 'wireguard-go',
  'systemd-run': 'systemd',
  setpriv: 'util-linux',
  ping: 'iputils-ping',
}

/** What the kernel's words mean and what helps, by what a tool's message holds. */
const remedies: readonly (readonly [RegExp, string])[] = [
  [/Operation not permitted|Permission denied/, 'run lnetd as root or give it CAP_NET_ADMIN'],
  [/Address already in use/, 'another program holds the UDP port: stop it or configure another port'],
  [
    /Unknown device type/,
    'this kernel lacks that kind of device: load its module or install linux-image-amd64',
  ],
  [
    /Address family not supported|IPv6 is disabled|IPv6 support/,
    'this kernel has no IPv6: set tunnel.prefix to an IPv4 network',
  ],
  [/Unable to access interface/, 'the tunnel is gone or nobody serves it: is wireguard-go still running?'],
  [/No buffer space|Cannot allocate memory/, 'the kernel is out of memory for networking'],
  [/No space left on device/, 'free some space on the file system'],
]

export function missingTool(tool: string): string {
  const name = packageOf[tool]
  return name === undefined
    ? `${tool} is not in PATH`
    : `${tool} is not in PATH: apt-get install ${name}, or add /usr/sbin to PATH where it is installed already`
}

/** `: what it said; what helps`, or nothing when it said nothing. */
export function explain(stderr: string): string {
  const said = stderr.split('\n')[0] ?? ''
  const remedy = remedies.find(([pattern]) => pattern.test(stderr))?.[1]
  if (said === '') return ''
  return remedy === undefined ? `: ${said}` : `: ${said} (${remedy})`
}

/** A tool that the system would not start, and why not. */
export function notStarted(tool: string, code: string | undefined): string {
  return `${tool} could not be started: ${startRemedies[code ?? ''] ?? code ?? 'unknown reason'}`
}

const startRemedies: Readonly<Record<string, string>> = {
  EMFILE: 'too many open files: raise the limit (LimitNOFILE)',
  ENFILE: 'the machine has too many open files: see fs.file-max (sysctl)',
  EAGAIN: 'too many processes: raise the limit (TasksMax, LimitNPROC)',
  ENOMEM: 'no memory left on this machine',
  ENOSPC: 'no space left for its input in /dev/shm, /run and /tmp',
}
