import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { node24, root } from './root.ts'

/** argv of Node as the package starts lnetd: the same flags, and what V8 made of the program kept from an earlier start. */
export function nodeAsPackaged(): string[] {
  const wrapper = readFileSync(join(root, 'packaging/debian/tree/usr/sbin/lnetd'), 'utf8')
  const flags = /^exec \S+node ((?:--\S+ )+)/m.exec(wrapper)?.[1]
  if (flags === undefined) throw new Error('the package starts Node in another way than before')
  return ['env', `NODE_COMPILE_CACHE=${join(root, 'dist/compile-cache')}`, node24, ...flags.trim().split(' ')]
}
