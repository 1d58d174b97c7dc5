import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, createNamespace, createSwitch, type Namespace } from './namespace.ts'
import { type ConfigurationText, createNode, type LabNode } from './node.ts'
import { endRecord, openRecord, type ProcessMark, processMark, sweepRecords, writeRecord } from './record.ts'
import { root } from './root.ts'

/** Nodes on a switch of their own, each a machine with real daemons from dist/. Nothing touches this machine's network. */
export interface Lab {
  readonly id: string
  readonly directory: string
  readonly hub: Namespace
  readonly nodes: readonly LabNode[]
  /** Ends everything and removes the directory. Once is enough, twice does no harm. */
  cleanup(): void
}

export interface LabOptions {
  /** 2 to 100. */
  readonly nodes: number
  /** What a node is told, made from what it would be told: every node but the first knows the first one's address. */
  readonly configure?: (configuration: ConfigurationText, index: number) => ConfigurationText
  /** The underlay MTU of a node, bytes. */
  readonly mtu?: (index: number) => number
  /** Stays up when the process that made it ends. */
  readonly lasting?: boolean
}

/** Of the networks set aside for documentation, so that no machine's own can be meant. */
const gateways = { ipv4: '192.0.2.254', ipv6: '2001:db8::fe' }

export async function createLab(options: LabOptions): Promise<Lab> {
  sweepRecords()
  const record = openRecord()
  const lasting = options.lasting ?? false
  const spaces: Namespace[] = []
  // Written down one by one, so that a later lab finds them whenever this one dies.
  const own = (space: Namespace) => {
    spaces.push(space)
    writeRecord({ ...record, holders: marks(spaces) })
    return space
  }
  const cleanup = () => {
    for (const space of spaces.splice(0)) space.close()
    endRecord(record)
  }
  try {
    const hub = own(await createSwitch('switch', [`${gateways.ipv4}/24`, `${gateways.ipv6}/64`], lasting))
    const secretFile = writeSecret(record.directory)
    const nodes: LabNode[] = []
    for (let index = 1; index <= options.nodes; index++) {
      const space = own(await createNamespace(`n${index}`, lasting))
      nodes.push(labNode(space, index, record.directory, secretFile, options))
    }
    await connect(
      hub,
      nodes.map(node => link(node, options)),
    )
    writeRecord({ ...record, kept: lasting, holders: marks(spaces) })
    writeEntrance(record.directory, nodes)
    return { id: record.id, directory: record.directory, hub, nodes, cleanup }
  } catch (error) {
    cleanup()
    throw error
  }
}

/** Asks again and again until the answer is something, neither null nor false; an error that tells what was waited for when time is over. */
export async function eventually<Value>(
  what: string,
  question: () => Promise<Value | null | false> | Value | null | false,
  seconds = 60,
): Promise<Value> {
  const began = performance.now()
  for (;;) {
    const answer = await question()
    if (answer !== null && answer !== false) return answer
    const elapsed = performance.now() - began
    if (elapsed > seconds * 1000) throw new Error(`not within ${seconds} s: ${what}`)
    // Asking costs the machine what the answer is waiting for: less often, the longer it has taken.
    await sleep(Math.min(1000, 100 + elapsed / 10))
  }
}

function marks(spaces: readonly Namespace[]): ProcessMark[] {
  return spaces.map(({ pid }) => processMark(pid))
}

function writeSecret(directory: string): string {
  const file = join(directory, 'mesh.secret')
  writeFileSync(file, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 })
  return file
}

function labNode(
  space: Namespace,
  index: number,
  directory: string,
  secretFile: string,
  options: LabOptions,
): LabNode {
  const home = join(directory, space.name)
  const base = {
    name: space.name,
    mesh: { secret_file: secretFile },
    ...(index === 1 ? {} : { bootstrap: [underlay(1).ipv4] }),
    discovery: { mdns: false },
    state_dir: join(home, 'state'),
  }
  mkdirSync(base.state_dir, { recursive: true })
  return createNode(space, index, home, underlay(index), options.configure?.(base, index) ?? base)
}

function underlay(index: number): LabNode['underlay'] {
  return { ipv4: `192.0.2.${index}`, ipv6: `2001:db8::${index.toString(16)}` }
}

function link(node: LabNode, options: LabOptions) {
  const mtu = options.mtu?.(node.index)
  return {
    node: node.namespace,
    interface: 'eth0',
    addresses: [`${node.underlay.ipv4}/24`, `${node.underlay.ipv6}/64`],
    gateways: [gateways.ipv4, gateways.ipv6],
    ...(mtu === undefined ? {} : { mtu }),
  }
}

/** `enter NODE [COMMAND...]`: how people step into a node, with lnetctl in the PATH. */
function writeEntrance(directory: string, nodes: readonly LabNode[]): void {
  const bin = join(directory, 'bin')
  mkdirSync(bin)
  for (const command of ['lnetd', 'lnetctl']) {
    const script = `#!/bin/sh\nexec ${root}node_modules/.bin/node ${root}dist/${command}.js "$@"\n`
    writeFileSync(join(bin, command), script, { mode: 0o755 })
  }
  const cases = nodes.map(({ name, namespace }) => `  ${name}) pid=${namespace.pid} ;;`).join('\n')
  const script = `#!/bin/sh
node=$1
shift
case $node in
${cases}
  *) echo "no node $node here" >&2; exit 2 ;;
esac
PATH=${bin}:$PATH
export PATH
[ $# -gt 0 ] || set -- sh
exec nsenter --target $pid --net --mount --uts --ipc --pid -- "$@"
`
  writeFileSync(join(directory, 'enter'), script, { mode: 0o755 })
}
