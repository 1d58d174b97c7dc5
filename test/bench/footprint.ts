import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { type Net, nodeAt } from './contestant.ts'

/** Of one or several processes. */
export interface Footprint {
  readonly rssMebibytes: number
  readonly pssMebibytes: number
  /** User and system, with children that ended. */
  readonly cpuSeconds: number
}

/** USER_HZ, the same on every architecture that Node runs on. */
const ticksPerSecond = 100

/** The processes of a node that run one of these programs. */
export function daemonsOf(net: Net, index: number, names: readonly string[]): number[] {
  return insideOf(net, index).filter(pid => names.includes(nameOf(pid)))
}

/** These and the tools they started. A tunnel in user space is somebody's child, but its work is the data plane's. */
export function withTools(net: Net, index: number, daemons: readonly number[]): number[] {
  const found = new Set(daemons)
  const tools = insideOf(net, index).filter(pid => nameOf(pid) !== 'wireguard-go')
  for (const pid of found) for (const tool of tools) if (parentOf(tool) === pid) found.add(tool)
  return [...found]
}

/** Zero for what ended meanwhile. */
export function footprint(pids: readonly number[]): Footprint {
  return pids.map(footprintOf).reduce(
    (sum, one) => ({
      rssMebibytes: sum.rssMebibytes + one.rssMebibytes,
      pssMebibytes: sum.pssMebibytes + one.pssMebibytes,
      cpuSeconds: sum.cpuSeconds + one.cpuSeconds,
    }),
    { rssMebibytes: 0, pssMebibytes: 0, cpuSeconds: 0 },
  )
}

function footprintOf(pid: number): Footprint {
  const rollup = textOf(`/proc/${pid}/smaps_rollup`)
  const mebibytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0) / 1024
  const ticks = statOf(pid)
    .slice(11, 15)
    .reduce((sum, field) => sum + Number(field), 0)
  return {
    rssMebibytes: mebibytes('Rss'),
    pssMebibytes: mebibytes('Pss'),
    cpuSeconds: ticks / ticksPerSecond,
  }
}

function insideOf(net: Net, index: number): number[] {
  const home = pidNamespace(nodeAt(net, index).namespace.pid)
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.map(Number).filter(pid => pidNamespace(pid) === home)
}

function pidNamespace(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return null
  }
}

/** Node names its main thread otherwise: the script tells more. */
function nameOf(pid: number): string {
  const [program = '', ...rest] = textOf(`/proc/${pid}/cmdline`).split('\0')
  const name = (path: string) => path.replace(/.*\//, '').replace(/\.js$/, '')
  const script = rest.find(argument => !argument.startsWith('-'))
  return name(program) === 'node' && script !== undefined ? name(script) : name(program)
}

function parentOf(pid: number): number {
  return Number(statOf(pid)[1])
}

/** Fields of proc_pid_stat(5) from the third on: the second may hold anything. */
function statOf(pid: number): readonly string[] {
  const text = textOf(`/proc/${pid}/stat`)
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
