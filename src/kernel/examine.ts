import { readFile } from 'node:fs/promises'
import type { ClockState, Firewall } from '../model/examination.ts'
import type { Explanation } from '../model/explanation.ts'
import { examineFirewall } from './firewall.ts'
import type { LinuxKernelOptions } from './linux.ts'
import { preflight } from './preflight.ts'
import { run } from './run.ts'
import { ipv6Directory } from './sysctl.ts'

/** What the tools tell of this machine; nothing is changed. `tunnel`: as configured. */
export async function examineKernel(tunnel: LinuxKernelOptions['tunnel']): Promise<{
  readonly missing: readonly Explanation[]
  readonly firewall: Firewall
  readonly clock: ClockState
  readonly ipv6Disabled: boolean
}> {
  const [missing, firewall, clock, ipv6Disabled] = await Promise.all([
    preflight(tunnel, false),
    examineFirewall(),
    examineClock(),
    isIpv6Disabled(),
  ])
  return { missing, firewall, clock, ipv6Disabled }
}

async function examineClock(): Promise<ClockState> {
  const told = await run({
    tool: 'timedatectl',
    arguments: ['show', '--property', 'NTPSynchronized', '--value'],
  })
  const word = told.ok ? told.value.trim() : ''
  return { synchronized: word === 'yes' ? true : word === 'no' ? false : null }
}

async function isIpv6Disabled(): Promise<boolean> {
  const text = await readFile(`${ipv6Directory}/conf/all/disable_ipv6`, 'utf8').catch(() => '1')
  return text.trim() === '1'
}
