import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { release } from 'node:os'
import { familyOf, type Prefix } from '../model/address.ts'
import type { StartNeeds } from '../model/examination.ts'
import { type Failure, failureOf } from '../model/failure.ts'
import type { TunnelImplementation } from '../model/kernel-state.ts'
import { missingTool } from './explain.ts'
import { takenPorts } from './preflight-ports.ts'
import { execute, run, toolPath } from './run.ts'
import { ipv6Directory } from './sysctl.ts'
import { tunnelRequestFile } from './tunnel.ts'

/** CAP_NET_ADMIN is bit 12 (linux/capability.h). */
const capNetAdminBit = 12n

/** Who asks: a start of lnetd, or `lnetctl doctor`, beside a daemon that `runs` or by a user without its rights. */
export interface Asker {
  readonly runs: boolean
  readonly isRoot: boolean
}

/**
 * Everything that would keep lnet from working here, as far as it can be told without changing anything. `takesTables`:
 * nftables is known to work.
 */
export async function preflight(
  needs: StartNeeds,
  takesTables: boolean,
  { runs, isRoot }: Asker = { runs: false, isRoot: true },
): Promise<readonly Failure[]> {
  const { implementation, prefix } = needs.tunnel
  const mayAdminister = runs || !isRoot || (await hasCapability())
  const failures = [
    ...(await missingTools(implementation)),
    ...(mayAdminister ? [] : [missingRight]),
    ...(await missingVxlan()),
    ...(await missingIpv6(prefix)),
    ...(await missingTunDevice(implementation)),
  ]
  if (runs || !isRoot) return failures
  return [
    ...failures,
    // Without the tool or the right to it, its answer says nothing of the kernel.
    ...(failures.length > 0 || takesTables ? [] : await missingTables()),
    ...(await takenPorts(needs)),
  ]
}

async function missingTables(): Promise<readonly Failure[]> {
  const tables = await run({ tool: 'nft', arguments: ['list', 'tables'] })
  if (tables.ok) return []
  const remedy = 'load its module (modprobe nf_tables)'
  return [{ ...tables.failure, what: 'this kernel has no nftables', remedy }]
}

const missingRight = failureOf('missing CAP_NET_ADMIN', {
  why: 'lnetd may not change the network',
  remedy: 'run lnetd as root or give it CAP_NET_ADMIN',
})

async function missingTools(implementation: TunnelImplementation | null): Promise<readonly Failure[]> {
  const needed = ['ip', 'bridge', 'wg', 'nft', ...(implementation === 'userspace' ? ['wireguard-go'] : [])]
  const present = await Promise.all(needed.map(isInstalled))
  const missing = needed
    .filter((_, index) => !present[index])
    .map(tool => failureOf(missingTool(tool).what, missingTool(tool)))
  if (present[0] === true) missing.push(...(await foreignTools()))
  if (implementation !== null || (await isInstalled('wireguard-go'))) return missing
  if ((await hasModule('wireguard')) !== false) return missing
  return [
    ...missing,
    failureOf('this kernel has no WireGuard and wireguard-go is not installed', {
      remedy: 'apt-get install wireguard-go',
    }),
  ]
}

/** iproute2's own have the options that are needed; BusyBox and toybox bring an `ip` without them. */
async function foreignTools(): Promise<readonly Failure[]> {
  const told = await execute({ tool: 'ip', arguments: ['-V'] })
  const said = `${told.stdout}\n${told.stderr}`
  if (/iproute2/i.test(said)) return []
  const whose = /busybox/i.test(said) ? "BusyBox's" : /toybox/i.test(said) ? "toybox's" : "not iproute2's"
  return [
    failureOf(`this ip is ${whose}`, {
      why: 'lnetd needs the ip of iproute2',
      remedy:
        'install iproute2 (apk add iproute2, opkg install ip-full, apt-get install iproute2), and have its directory first in PATH',
    }),
  ]
}

async function isInstalled(tool: string): Promise<boolean> {
  for (const directory of toolPath.split(':')) {
    try {
      await access(`${directory}/${tool}`, constants.X_OK)
      return true
    } catch {}
  }
  return false
}

async function hasCapability(): Promise<boolean> {
  const status = await readText('/proc/self/status')
  const effective = /^CapEff:\s*([0-9a-f]{1,16})$/m.exec(status ?? '')?.[1]
  return effective === undefined || ((BigInt(`0x${effective}`) >> capNetAdminBit) & 1n) === 1n
}

async function missingVxlan(): Promise<readonly Failure[]> {
  return (await hasModule('vxlan')) === false
    ? [
        failureOf('this kernel has no VXLAN', {
          remedy: 'install a kernel that has it (apt-get install linux-image-amd64)',
        }),
      ]
    : []
}

async function missingIpv6(prefix: Prefix | null): Promise<readonly Failure[]> {
  const needed = prefix === null || familyOf(prefix) === 6
  return needed && !(await exists(ipv6Directory))
    ? [failureOf('this kernel has no IPv6', { remedy: 'set tunnel.prefix to an IPv4 network on every node' })]
    : []
}

async function missingTunDevice(implementation: TunnelImplementation | null): Promise<readonly Failure[]> {
  // Who runs wireguard-go for us sees the device; we may be kept from it.
  if (tunnelRequestFile !== null) return []
  const needed = implementation === 'userspace' || (await hasModule('wireguard')) === false
  return needed && implementation !== 'kernel' && !(await exists('/dev/net/tun'))
    ? [failureOf('wireguard-go needs /dev/net/tun', { remedy: 'load its module (modprobe tun)' })]
    : []
}

/** Null where this kernel does not tell: without a list of modules, everything may be built in. */
async function hasModule(name: string): Promise<boolean | null> {
  if (await exists(`/sys/module/${name}`)) return true
  const directory = `/lib/modules/${release()}`
  const [builtin, loadable] = await Promise.all([
    readText(`${directory}/modules.builtin`),
    readText(`${directory}/modules.dep`),
  ])
  if (builtin === null || loadable === null) return null
  const pattern = new RegExp(`/${name}\\.ko`)
  return pattern.test(builtin) || pattern.test(loadable)
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

async function readText(path: string): Promise<string | null> {
  return await readFile(path, 'utf8').catch(() => null)
}
