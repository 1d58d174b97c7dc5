import { readFile } from 'node:fs/promises'
import type { ClockState, Examination, StartNeeds } from '../model/examination.ts'
import { explained } from '../model/explanation.ts'
import { examineFirewall } from './firewall.ts'
import { type Asker, preflight } from './preflight.ts'
import { run } from './run.ts'
import { hasUnit, lastRefusal } from './service.ts'
import { ipv6Directory } from './sysctl.ts'

/** What the tools tell of this machine; nothing is changed. */
export async function examineKernel(needs: StartNeeds, asker: Asker): Promise<KernelExamination> {
  const [missing, firewall, clock, ipv6Disabled, refusal, unit] = await Promise.all([
    preflight(needs, false, asker),
    examineFirewall(),
    examineClock(),
    isIpv6Disabled(),
    asker.runs ? null : lastRefusal(),
    hasUnit(),
  ])
  return {
    missing,
    untried: asker.isRoot || asker.runs ? [] : [unprivileged],
    firewall,
    clock,
    ipv6Disabled,
    refusal,
    hasUnit: unit,
  }
}

type KernelExamination = Pick<
  Examination,
  'missing' | 'untried' | 'firewall' | 'clock' | 'ipv6Disabled' | 'refusal' | 'hasUnit'
>

const unprivileged = explained('rights, ports and nftables were not examined', {
  why: 'only root can try what a start of lnetd tries',
  remedy: 'run lnetctl doctor as root',
})

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
