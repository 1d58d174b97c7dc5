import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { node24, root } from './root.ts'

const wrappers = { lnetd: 'usr/sbin/lnetd', lnetctl: 'usr/bin/lnetctl' } as const

/** argv of Node as the package starts a command: the same flags, and what V8 made of the program kept from an earlier start. */
export function nodeAsPackaged(command: keyof typeof wrappers): string[] {
  const wrapper = readFileSync(join(root, 'packaging/debian/tree', wrappers[command]), 'utf8')
  const flags = /^exec \S+node ((?:--\S+ )+)/m.exec(wrapper)?.[1]
  if (flags === undefined) throw new Error(`the package starts ${command} in another way than before`)
  return ['env', `NODE_COMPILE_CACHE=${join(root, 'dist/compile-cache')}`, node24, ...flags.trim().split(' ')]
}
