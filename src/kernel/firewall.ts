import { readFile } from 'node:fs/promises'
import type { DroppingChain, Firewall } from '../model/examination.ts'
import { droppingChainsMax } from '../model/limits.ts'
import { run } from './run.ts'

/** Looks at what may stand in the way of our packets, and changes nothing. */
export async function examineFirewall(): Promise<Firewall> {
  const [chains, ufw, firewalld, bridges] = await Promise.all([
    run({ tool: 'nft', arguments: ['--json', 'list', 'chains'] }),
    readText('/etc/ufw/ufw.conf'),
    run({ tool: 'firewall-cmd', arguments: ['--state'] }),
    readText('/proc/sys/net/bridge/bridge-nf-call-iptables'),
  ])
  return {
    ufw: /^ENABLED=yes$/im.test(ufw),
    firewalld: firewalld.ok,
    droppingChains: chains.ok ? readDroppingChains(chains.value) : [],
    filtersBridges: bridges.trim() === '1',
  }
}

/** Of `nft --json list chains`, those of others than us whose policy is to drop. What is no such JSON holds none. */
export function readDroppingChains(text: string): readonly DroppingChain[] {
  const items = parseItems(text)
  const found = items.flatMap(({ chain }) => {
    if (chain === undefined || chain.policy !== 'drop') return []
    const { family, table, name, hook } = chain
    if (hook !== 'input' && hook !== 'forward') return []
    return String(table).startsWith('lnet') ? [] : [{ name: `${family} ${table} ${name}`, hook } as const]
  })
  return found.slice(0, droppingChainsMax)
}

interface NftItem {
  readonly chain?: Readonly<Record<'family' | 'table' | 'name' | 'hook' | 'policy', unknown>>
}

function parseItems(text: string): readonly NftItem[] {
  try {
    const { nftables } = JSON.parse(text) as { readonly nftables?: unknown }
    return Array.isArray(nftables) ? nftables.filter(item => typeof item === 'object' && item !== null) : []
  } catch {
    return []
  }
}

async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '')
}
