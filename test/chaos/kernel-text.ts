import type { LabNode } from '../lab/node.ts'

/**
 * All that lnet keeps in a node's kernel, a line an entry, sorted: the same text means the same state. Left out is
 * what changes by itself: indexes, counters, endpoints, what was learnt and heard, what the kernel keeps of link-local addresses.
 */
export async function kernelText(node: LabNode): Promise<string> {
  const text = await node.namespace.must(['sh', '-c', script])
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !/fe80:|ff00::/.test(line))
    .sort()
    .join('\n')
}

/** Lines of one text that the other lacks, both ways. */
export function difference(before: string, after: string): readonly string[] {
  const [old, now] = [before, after].map(text => text.split('\n')) as [string[], string[]]
  return [
    ...old.filter(line => !now.includes(line)).map(line => `- ${line}`),
    ...now.filter(line => !old.includes(line)).map(line => `+ ${line}`),
  ]
}

const script = `exec 2>/dev/null
for device in lnet0 vlnet0; do
  cd /sys/class/net/$device || continue
  echo "$device mtu $(cat mtu) mac $(cat address) alias $(cat ifalias) up $(($(cat flags) & 1))"
  ip -o address show dev $device scope global | sed -E 's/^[0-9]+: //; s/ tentative//; s/ valid_lft.*//'
  ip route show dev $device | sed "s/^/$device /; s/ linkdown//"
  ip -6 route show dev $device | sed "s/^/$device /; s/ linkdown//"
done
ip -6 route show proto 201 | grep unreachable
ip -d -o link show type vxlan | grep -o 'vxlan id .* dstport [0-9]*'
ip neighbour show dev vlnet0 nud permanent
bridge fdb show dev vlnet0 | grep -E 'permanent|static'
wg show lnet0 dump | cut -f 1,2,4,8
nft --stateless --terse list ruleset
true`
