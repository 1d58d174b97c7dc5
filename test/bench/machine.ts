import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { node24 } from '../lab/root.ts'

/** What the figures were measured on, one line each. */
export function describeMachine(): readonly string[] {
  const processors = cpus()
  return [
    `${processors.length} x ${processors[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, ${system()}`,
    `lnet ${said('git', ['describe', '--always', '--dirty'])}, Node ${said(node24, ['--version'])}`,
    `WireGuard: ${hasKernelWireguard() ? 'the kernel' : `wireguard-go ${said('wireguard-go', ['--version'])}`}`,
    `load average ${loadavg()
      .map(load => load.toFixed(1))
      .join(' ')} when the figures were written`,
  ]
}

/** The first line of what a tool says of itself. */
export function said(tool: string, args: readonly string[]): string {
  try {
    const text = execFileSync(tool, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return text.split('\n')[0]?.trim() ?? ''
  } catch {
    return 'of an unknown version'
  }
}

function system(): string {
  const name = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
  return name ?? 'an unknown distribution'
}

function hasKernelWireguard(): boolean {
  try {
    readFileSync('/sys/module/wireguard/version')
    return true
  } catch {
    return false
  }
}
