import { readFile } from 'node:fs/promises'
import type { Firewall } from '../model/examination.ts'
import { readFilters } from './readers/filters.ts'
import { run } from './run.ts'

/** Looks at what may stand in the way of our packets, and changes nothing. */
export async function examineFirewall(): Promise<Firewall> {
  const [listed, ufw, firewalld, bridges] = await Promise.all([
    run({ tool: 'nft', arguments: ['--json', 'list', 'ruleset'] }),
    readText('/etc/ufw/ufw.conf'),
    run({ tool: 'firewall-cmd', arguments: ['--state'] }),
    readText('/proc/sys/net/bridge/bridge-nf-call-iptables'),
  ])
  const read = listed.ok ? readFilters(listed.value) : listed
  return {
    ufw: /^ENABLED=yes$/im.test(ufw),
    firewalld: firewalld.ok,
    docker: read.ok && read.value.chains.some(({ name }) => name === 'DOCKER-USER'),
    ruleset: read.ok ? read.value : null,
    unreadable: read.ok ? null : read.failure,
    filtersBridges: bridges.trim() === '1',
  }
}

async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '')
}
