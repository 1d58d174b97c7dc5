import { readFile } from 'node:fs/promises'
import type { Firewall } from '../model/examination.ts'
import { type Explanation, explained } from '../model/explanation.ts'
import type { FilterChain } from '../model/ruleset.ts'
import { documents, objects, reading } from './readers/fields.ts'
import { readFilters } from './readers/filters.ts'
import { readIpsets } from './readers/ipset.ts'
import { readIptables } from './readers/iptables.ts'
import { run } from './run.ts'

/** Looks at what may stand in the way of our packets, and changes nothing. */
export async function examineFirewall(): Promise<Firewall> {
  const [listed, ufw, firewalld, bridges, tables, programs] = await Promise.all([
    run({ tool: 'nft', arguments: ['--json', 'list', 'ruleset'] }),
    readText('/etc/ufw/ufw.conf'),
    run({ tool: 'firewall-cmd', arguments: ['--state'] }),
    readText('/proc/sys/net/bridge/bridge-nf-call-iptables'),
    readIptablesTables(),
    programsOnDevices(),
  ])
  const read = listed.ok ? readFilters(listed.value) : listed
  const ruleset = read.ok ? { chains: merged(read.value.chains, tables.chains) } : null
  return {
    ufw: /^ENABLED=yes$/im.test(ufw),
    firewalld: firewalld.ok,
    docker: ruleset?.chains.some(({ name }) => name === 'DOCKER-USER') ?? false,
    ruleset,
    unreadable: read.ok ? null : read.failure,
    unseen: [...tables.unseen, ...programs],
    filtersBridges: bridges.trim() === '1',
  }
}

/** What iptables wrote into nft is told by iptables in full, and by nft only in part. */
function merged(chains: readonly FilterChain[], saved: readonly FilterChain[]): readonly FilterChain[] {
  const told = new Set(saved.filter(({ tool }) => tool === 'iptables').map(tableOf))
  return [...chains.filter(chain => !told.has(tableOf(chain))), ...saved]
}

function tableOf({ family, table }: FilterChain): string {
  return `${family} ${table}`
}

interface IptablesTables {
  readonly chains: readonly FilterChain[]
  readonly unseen: readonly Explanation[]
}

async function readIptablesTables(): Promise<IptablesTables> {
  const found = await Promise.all([readFamily('ip', 'iptables'), readFamily('ip6', 'ip6tables')])
  return { chains: found.flatMap(({ chains }) => chains), unseen: found.flatMap(({ unseen }) => unseen) }
}

async function readFamily(family: 'ip' | 'ip6', name: string): Promise<IptablesTables> {
  const nft = await run({ tool: `${name}-nft-save`, arguments: [] })
  const chains = nft.ok ? await chainsOf(nft.value, family, 'iptables') : []
  // Asked without need, the tool would load the modules of the tables it looks for.
  const tables = (await readText(`/proc/net/${family}_tables_names`)).trim()
  if (tables === '') return { chains, unseen: [] }
  const legacy = await run({ tool: `${name}-legacy-save`, arguments: [] })
  if (legacy.ok)
    return { chains: [...chains, ...(await chainsOf(legacy.value, family, 'iptables-legacy'))], unseen: [] }
  return { chains, unseen: [unseenTables(name, tables)] }
}

async function chainsOf(
  saved: string,
  family: 'ip' | 'ip6',
  tool: NonNullable<FilterChain['tool']>,
): Promise<readonly FilterChain[]> {
  if (!saved.includes('--match-set')) return readIptables(saved, family, tool)
  const sets = await run({ tool: 'ipset', arguments: ['save'] })
  return readIptables(saved, family, tool, sets.ok ? readIpsets(sets.value) : undefined)
}

function unseenTables(name: string, tables: string): Explanation {
  return explained(`the legacy ${name} tables ${tables.split(/\s+/).join(', ')} were not examined`, {
    why: `${name}-legacy-save cannot read them`,
    remedy: 'apt-get install iptables, and run lnetctl doctor as root',
  })
}

/** Programs and filters that see packets before any rule, and whose verdict cannot be told from here. */
async function programsOnDevices(): Promise<readonly Explanation[]> {
  return [...(await xdpPrograms()), ...(await trafficFilters())]
}

/** Where tc(8) hangs filters of packets that come in or leave. */
const filterQdiscs = ['clsact', 'ingress']
/** A router may have more devices than is worth a process each. */
const filteredDevicesMax = 16

async function trafficFilters(): Promise<readonly Explanation[]> {
  const shown = await run({ tool: 'tc', arguments: ['-json', 'qdisc', 'show'] })
  const qdiscs = shown.ok ? reading('tc qdisc', () => objects(documents(shown.value, 1)[0], 'qdiscs')) : shown
  if (!qdiscs.ok) return []
  const devices = qdiscs.value
    .flatMap(({ kind, dev }) => (filterQdiscs.includes(String(kind)) ? [String(dev)] : []))
    .slice(0, filteredDevicesMax)
  const filtered = await Promise.all(devices.map(hasTrafficFilter))
  return devices
    .filter((_, index) => filtered[index])
    .map(device =>
      explained(`the tc filters on ${device} were not examined`, {
        why: 'they may drop packets before or after any rule sees them',
        remedy: `tc filter show dev ${device} ingress; tc filter show dev ${device} egress`,
      }),
    )
}

/** A queueing discipline without filters drops nothing. */
async function hasTrafficFilter(device: string): Promise<boolean> {
  for (const side of ['ingress', 'egress']) {
    const shown = await run({ tool: 'tc', arguments: ['-json', 'filter', 'show', 'dev', device, side] })
    if (shown.ok && /\w/.test(shown.value)) return true
  }
  return false
}

async function xdpPrograms(): Promise<readonly Explanation[]> {
  const shown = await run({ tool: 'ip', arguments: ['-json', 'link', 'show'] })
  const links = shown.ok ? reading('ip link', () => objects(documents(shown.value, 1)[0], 'links')) : shown
  if (!links.ok) return []
  const devices = links.value.flatMap(({ ifname, xdp }) => (xdp === undefined ? [] : [String(ifname)]))
  if (devices.length === 0) return []
  return [
    explained(`eBPF programs on ${devices.slice(0, 5).join(', ')} were not examined`, {
      why: 'they may drop packets before any rule sees them',
      remedy: 'bpftool net show',
    }),
  ]
}

async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '')
}
