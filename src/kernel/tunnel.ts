import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { InterfaceName } from '../model/address.ts'
import { type Failure, failureOf } from '../model/failure.ts'
import type { TunnelImplementation } from '../model/kernel-state.ts'
import {
  tunnelPollMilliseconds,
  tunnelRestartMilliseconds,
  tunnelStartMillisecondsMax,
} from '../model/limits.ts'
import { explain } from './explain.ts'
import { type Child, type Command, detach, execute } from './run.ts'

/**
 * Writing this file asks another unit to run wireguard-go. Set where lnetd is not root and thus may not start units;
 * null where nobody waits for it.
 */
export const tunnelRequestFile = process.env.LNETD_WIREGUARD_REQUEST || null

/**
 * Makes the WireGuard device, in the kernel where it can, else by wireguard-go. An existing one is kept: that it
 * is ours was checked. Mark, MTU and address generation mode are set by the caller's next batch.
 */
export async function createTunnel(
  device: InterfaceName,
  mtu: number,
  implementation: TunnelImplementation | null,
): Promise<Failure | null> {
  if (implementation === 'userspace') return await createInUserSpace(device)
  const rest = ['link', 'add', 'dev', device, 'mtu', String(mtu), 'type', 'wireguard']
  const { stderr, failure } = await execute({ tool: 'ip', arguments: rest })
  if (failure === null || /File exists/.test(stderr)) return null
  if (!/Unknown device type|not supported/.test(stderr)) return failure
  if (implementation === null) return await createInUserSpace(device)
  const remedy = 'load its module (modprobe wireguard) or set tunnel.implementation to userspace'
  return { ...failure, what: 'this kernel has no WireGuard', remedy }
}

/** Not by systemd's CoredumpFilter=, with which nothing starts where the kernel writes no cores (core(5)). */
const emptyCores = '{ echo 0 >/proc/self/coredump_filter; } 2>/dev/null'

/**
 * How wireguard-go is started so that it outlives us. Under systemd a process of our own session would still be in
 * our control group and be stopped with it, so it gets a unit of its own.
 */
export function userSpaceCommand(device: InterfaceName, underSystemd: boolean): Command {
  const start = ['-f', device]
  if (!underSystemd) return { tool: 'wireguard-go', arguments: start }
  const unit = ['--quiet', '--collect', '--service-type=exec', `--unit=lnetd-wireguard-${device}`]
  const about = `--description=WireGuard in user space for ${device} of lnetd`
  // The keys are in memory; a unit inherits nothing from here.
  const coreless = ['sh', '-c', `${emptyCores}; exec "$@"`, 'sh']
  return {
    tool: 'systemd-run',
    arguments: [...unit, '--property=LimitCORE=0', about, ...coreless, 'wireguard-go', ...start],
  }
}

/** What a first try can stumble over is the previous process, still on its way out. */
const startsMax = 3

async function createInUserSpace(device: InterfaceName): Promise<Failure | null> {
  const deadline = performance.now() + tunnelStartMillisecondsMax
  // The variable alone is inherited into places where systemd is not at work; sd_booted(3) is the second sign.
  const underSystemd = process.env.INVOCATION_ID !== undefined && existsSync('/run/systemd/system')
  let failure: Failure | null = null
  for (let start = 0; start < startsMax; start += 1) {
    failure = await startOnce(userSpaceCommand(device, underSystemd), device, deadline)
    if (failure === null) return null
    await pause(tunnelRestartMilliseconds)
  }
  return failure
}

async function startOnce(command: Command, device: InterfaceName, deadline: number): Promise<Failure | null> {
  if (tunnelRequestFile !== null)
    return (await request(tunnelRequestFile, device)) ?? (await answers(device, deadline, null))
  if (command.tool === 'systemd-run') {
    const { failure } = await execute(command)
    return failure ?? (await answers(device, deadline, null))
  }
  return await answers(device, deadline, detach(command))
}

/** As a line of a systemd EnvironmentFile. */
async function request(file: string, device: InterfaceName): Promise<Failure | null> {
  try {
    await writeFile(file, `LNETD_TUNNEL=${device}\n`)
    return null
  } catch (error) {
    const stderr = error instanceof Error ? error.message : String(error)
    return failureOf('cannot ask for wireguard-go', { ...explain(stderr), stderr })
  }
}

/** Waits until the device is one that `wg` can talk to: the socket alone may be a stale one. */
async function answers(
  device: InterfaceName,
  deadline: number,
  child: Child | null,
): Promise<Failure | null> {
  let ended: Failure | null = null
  void child?.ended.then(failure => {
    ended = failure
  })
  for (;;) {
    const { failure } = await execute({ tool: 'wg', arguments: ['show', device, 'public-key'] })
    if (failure === null) return null
    if (ended !== null) return explainEnd(ended, device)
    if (performance.now() > deadline) {
      child?.stop()
      return { ...failure, what: `wireguard-go does not answer for ${device} after its start` }
    }
    await pause(tunnelPollMilliseconds)
  }
}

function explainEnd(ended: Failure, device: InterfaceName): Failure {
  if (ended.exitCode === null) return ended
  const remedy = 'check that /dev/net/tun is there (modprobe tun) and that the name is free'
  return { ...ended, what: `wireguard-go ended instead of serving ${device}`, remedy }
}
