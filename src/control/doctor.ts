import type { Examination } from '../model/examination.ts'
import type { DaemonWords, Finding } from './finding.ts'
import { judgeFirewall } from './judge-firewall.ts'
import { judgeConfiguration, judgeDaemon, judgeMachine, judgePorts, judgeReach } from './judge-machine.ts'
import {
  judgeAddresses,
  judgeBridges,
  judgeClock,
  judgeIpv6,
  judgePaths,
  judgeSegments,
} from './judge-mesh.ts'
import { schema } from './protocol.ts'
import { type Paint, printable } from './text.ts'
import { hanging, wrapped } from './wrap.ts'

/** `lnetctl doctor --json`. */
export interface DoctorView {
  readonly schema: typeof schema
  /** None of the findings is `wrong`. */
  readonly healthy: boolean
  readonly findings: readonly Finding[]
}

export function doctorView(findings: readonly Finding[]): DoctorView {
  return { schema, healthy: findings.every(({ state }) => state !== 'wrong'), findings }
}

const colours = { ok: 'green', notice: 'yellow', wrong: 'red' } as const

const whatColumn = 23
const partIndent = ' '.repeat(8)

/**
 * A line for what is well; for the rest also why it matters and what to do. Wrapped at `columns`, but for what is to be done:
 * a command that is copied has to be one line.
 */
export function doctorPage({ findings }: DoctorView, paint: Paint, columns: number | null = null): string {
  return findings
    .map(({ check, state, what, why, fix }) => {
      const lines = wrapped(printable(what), columns === null ? null : columns - whatColumn)
      const said = lines.join(`\n${' '.repeat(whatColumn)}`)
      const head = `${paint(colours[state], state.padEnd(6))}  ${check.padEnd(13)}  ${said}\n`
      const reason = why === null ? '' : hanging(`${partIndent}why: `, printable(why), columns)
      return `${head}${reason}${fix === null ? '' : `${partIndent}fix: ${printable(fix)}\n`}`
    })
    .join('')
}

/** Looks at one side of it. */
type Judge = (found: Examination, daemon: DaemonWords | null) => readonly Finding[]

/** Every check that can be made, in its order; one without findings is told to be well. */
export function diagnose(found: Examination, daemon: DaemonWords | null): readonly Finding[] {
  const made = Object.entries(judges).filter(
    ([, { asks, isLocal }]) => (!asks || daemon !== null) && !(isLocal && found.isElsewhere),
  )
  return made.flatMap(([check, { judge, well }]) => {
    const findings = judge(found, daemon).map(finding => ({ ...finding, check }))
    return findings.length > 0
      ? findings
      : [{ check, state: 'ok' as const, what: wellText(well, daemon), why: null, fix: null }]
  })
}

type Well = string | ((daemon: DaemonWords | null) => string)

function wellText(well: Well, daemon: DaemonWords | null): string {
  return typeof well === 'string' ? well : well(daemon)
}

interface Check {
  readonly judge: Judge
  readonly well: Well
  /** Only lnetd can answer it. */
  readonly asks?: true
  /** It is about the network this lnetctl runs in. */
  readonly isLocal?: true
}

const judges: Readonly<Record<string, Check>> = {
  configuration: { judge: judgeConfiguration, well: 'the configuration is whole' },
  machine: { judge: judgeMachine, well: machineText },
  daemon: { judge: judgeDaemon, well: 'lnetd runs and finds nothing to complain about' },
  ports: { judge: judgePorts, well: 'both ports are open here', asks: true, isLocal: true },
  reach: { judge: judgeReach, well: 'others reach this node, or there are none to', asks: true },
  firewall: { judge: judgeFirewall, well: 'no rule drops what tunnels and segments need', isLocal: true },
  mtu: {
    judge: judgePaths,
    well: 'full packets get through to every member that was tried',
    asks: true,
    isLocal: true,
  },
  clock: { judge: judgeClock, well: 'nothing tells against the clock' },
  addresses: { judge: judgeAddresses, well: 'no network is in use twice' },
  segments: { judge: judgeSegments, well: 'the segments are the same everywhere', asks: true },
  bridges: { judge: judgeBridges, well: 'no bridge is in doubt', asks: true },
  ipv6: { judge: judgeIpv6, well: 'IPv6 is as it has to be', isLocal: true },
}

function machineText(daemon: DaemonWords | null): string {
  const implementation = daemon?.status.tunnel?.implementation ?? null
  if (implementation === null) return 'rights, tools and WireGuard are there'
  return `rights and tools are there; WireGuard is ${implementation === 'kernel' ? 'the kernel’s' : 'wireguard-go, in user space'}`
}
