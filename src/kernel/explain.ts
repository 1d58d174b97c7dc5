import { type Explanation, type ExplanationDetails, explained } from '../model/explanation.ts'

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
  [/Address already in use/, 'stop the other program that holds the port, or configure another port'],
  [
    /Unknown device type/,
    'load the kernel module of that device, or install a kernel that has it (linux-image-amd64)',
  ],
  [
    /Address family not supported|IPv6 is disabled|IPv6 support/,
    'set tunnel.prefix to an IPv4 network: this kernel has no IPv6',
  ],
  [
    /Unable to access interface/,
    'check whether wireguard-go still runs: the tunnel is gone or nobody serves it',
  ],
  [/No buffer space|Cannot allocate memory/, 'free some memory: the kernel has none left for networking'],
  [/No space left on device/, 'free some space on the file system'],
]

export function missingTool(tool: string): Explanation {
  const name = packageOf[tool]
  return explained(`${tool} is not in PATH`, {
    remedy:
      name === undefined
        ? null
        : `apt-get install ${name}, or add /usr/sbin to PATH where it is installed already`,
  })
}

/** What a tool said, and what helps against it. */
export function explain(stderr: string): ExplanationDetails {
  const said = stderr.split('\n')[0] ?? ''
  if (said === '') return {}
  return { why: said, remedy: remedies.find(([pattern]) => pattern.test(stderr))?.[1] ?? null }
}

/** A tool that the system would not start, and why not. */
export function notStarted(tool: string, code: string | undefined): Explanation {
  const [why, remedy] = startRemedies[code ?? ''] ?? [code ?? 'unknown reason', null]
  return explained(`${tool} could not be started`, { why, remedy })
}

const startRemedies: Readonly<Record<string, readonly [why: string, remedy: string]>> = {
  EMFILE: ['too many open files', 'raise the limit (LimitNOFILE)'],
  ENFILE: ['the machine has too many open files', 'raise fs.file-max (sysctl)'],
  EAGAIN: ['too many processes', 'raise the limit (TasksMax, LimitNPROC)'],
  ENOMEM: ['no memory is left on this machine', 'free some'],
  ENOSPC: ['no space is left for its input', 'free some in /dev/shm, /run or /tmp'],
}
