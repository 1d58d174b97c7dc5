import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import { release } from 'node:os'
import { familyOf, type Port, type Prefix } from '../model/address.ts'
import { type Failure, failureOf } from '../model/failure.ts'
import type { TunnelImplementation } from '../model/kernel-state.ts'
import { missingTool } from './explain.ts'
import type { LinuxKernelOptions } from './linux.ts'
import { isPortTaken } from './port-taken.ts'
import { run, toolPath } from './run.ts'
import { ipv6Directory } from './sysctl.ts'
import { tunnelRequestFile } from './tunnel.ts'

/** CAP_NET_ADMIN is bit 12 (linux/capability.h). */
const capNetAdminBit = 12n

/**
 * Everything that would keep lnet from working here, as far as it can be told without changing anything. `takesTables`:
 * nftables is known to work.
 */
export async function preflight(
  { implementation, interface: tunnel, port, prefix }: LinuxKernelOptions['tunnel'],
  takesTables: boolean,
): Promise<readonly Failure[]> {
  const [tools, mayAdminister] = await Promise.all([missingTools(implementation), hasCapability()])
  const failures = [
    ...tools,
    ...(mayAdminister
      ? []
      : [
          failureOf('missing CAP_NET_ADMIN', {
            why: 'lnetd may not change the network',
            remedy: 'run lnetd as root or give it CAP_NET_ADMIN',
          }),
        ]),
    ...(await missingVxlan()),
    ...(await missingIpv6(prefix)),
    ...(await missingTunDevice(implementation)),
    ...((await isPortTaken(tunnel, port)) ? [portTaken(port)] : []),
  ]
  if (failures.length > 0 || takesTables) return failures
  const tables = await run({ tool: 'nft', arguments: ['list', 'tables'] })
  return tables.ok
    ? []
    : [
        {
          ...tables.failure,
          what: 'this kernel has no nftables',
          remedy: 'load its module (modprobe nf_tables)',
        },
      ]
}

function portTaken(port: Port): Failure {
  return failureOf(`another program has UDP port ${port}`, {
    why: 'ss -ulpn shows which',
    remedy: 'end it, or set another tunnel.port',
  })
}

async function missingTools(implementation: TunnelImplementation | null): Promise<readonly Failure[]> {
  const needed = ['ip', 'bridge', 'wg', 'nft', ...(implementation === 'userspace' ? ['wireguard-go'] : [])]
  const present = await Promise.all(needed.map(isInstalled))
  const missing = needed
    .filter((_, index) => !present[index])
    .map(tool => failureOf(missingTool(tool).what, missingTool(tool)))
  if (implementation !== null || (await isInstalled('wireguard-go'))) return missing
  if ((await hasModule('wireguard')) !== false) return missing
  return [
    ...missing,
    failureOf('this kernel has no WireGuard and wireguard-go is not installed', {
      remedy: 'apt-get install wireguard-go',
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
