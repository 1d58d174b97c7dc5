import { type IpAddress, parseIpAddress } from './address.ts'
import { hostEntriesMax } from './limits.ts'
import { type NodeName, parseNodeName } from './node.ts'

/** Under it members are known by their names: `gauss.lnet`. */
export const zone = 'lnet'

export interface HostEntry {
  readonly address: IpAddress
  readonly name: NodeName
}

const begin = '# Members of lnet, kept by lnetd: what is changed down to the line of its end is lost'
const end = '# End of the members of lnet'
/** From one to the other; a mark without the other is a comment of somebody's. */
const block = new RegExp(`^${begin}\\n(?:(?!${begin}$|${end}$)[^\\n]*\\n)*${end}(?:\\n|$(?![^]))`, 'gm')

/** As in hosts(5), a line each. */
export function formatHosts(entries: readonly HostEntry[]): string {
  return entries.map(({ address, name }) => `${address} ${name}.${zone}\n`).join('')
}

/** What of a text is an entry; everything else is passed over, and what is beyond hostEntriesMax. */
export function parseHosts(text: string): readonly HostEntry[] {
  const entries = text.split('\n').flatMap(line => {
    const [, left = '', right = ''] = /^(\S{2,45}) (\S{1,63})\.lnet$/.exec(line) ?? []
    const address = parseIpAddress(left)
    const name = parseNodeName(right)
    return address === null || name === null ? [] : [{ address, name }]
  })
  return entries.slice(0, hostEntriesMax)
}

/**
 * A hosts file with these entries in the block that is lnet's, and no block where there are none. Everything else
 * stays as it is, byte for byte; the block stays where it was.
 */
export function withHosts(text: string, entries: readonly HostEntry[]): string {
  const { rest, at } = withoutBlocks(text)
  if (entries.length === 0) return rest
  const before = rest.slice(0, at)
  const gap = before === '' || before.endsWith('\n') ? '' : '\n'
  return `${before}${gap}${begin}\n${formatHosts(entries)}${end}\n${rest.slice(at)}`
}

/** Marks around a block may be one themselves once it is gone. `at`: where the first one was, else the end. */
function withoutBlocks(text: string): { readonly rest: string; readonly at: number } {
  let rest = text
  let at = Number.POSITIVE_INFINITY
  for (let found = rest.search(block); found !== -1; found = rest.search(block)) {
    at = Math.min(at, found)
    rest = rest.replaceAll(block, '')
  }
  return { rest, at: Math.min(at, rest.length) }
}
