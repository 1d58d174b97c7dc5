import type { Examination } from '../model/examination.ts'
import type { Obstacle } from './walk-ruleset.ts'

/** A rule before all others of the chain that packets begin in. */
export function insertion({ base, family, tool }: Obstacle, match: Match): string {
  const { from, to, protocol, port } = match
  if (tool === null || tool === undefined) {
    const devices = `${from === undefined ? '' : `iifname ${from} `}${to === undefined ? '' : `oifname ${to} `}`
    return `nft insert rule ${base} ${devices}${protocol === undefined ? '' : `${protocol} dport ${port} `}accept`
  }
  const [, table = 'filter', chain = ''] = base.split(' ')
  const name = `${family === 'ip6' ? 'ip6tables' : 'iptables'}${tool === 'iptables-legacy' ? '-legacy' : ''}`
  const devices = `${from === undefined ? '' : `-i ${from} `}${to === undefined ? '' : `-o ${to} `}`
  const ports = protocol === undefined ? '' : `-p ${protocol} --dport ${port} `
  return `${name} ${table === 'filter' ? '' : `-t ${table} `}-I ${chain} ${devices}${ports}-j ACCEPT`
}

interface Match {
  readonly from?: string
  readonly to?: string
  readonly protocol?: 'udp' | 'tcp'
  readonly port?: number
}

/** `obstacle`: what drops, where that is known. */
export function openPort(
  { ufw, firewalld }: Examination['firewall'],
  protocol: 'udp' | 'tcp',
  port: number,
  obstacle: Obstacle | null,
): string {
  if (ufw) return `ufw allow ${port}/${protocol}`
  if (firewalld) return `firewall-cmd --permanent --add-port=${port}/${protocol} && firewall-cmd --reload`
  if (obstacle !== null) return insertion(obstacle, { protocol, port })
  return `open ${protocol.toUpperCase()} port ${port} in the firewalls and routers on the way`
}
