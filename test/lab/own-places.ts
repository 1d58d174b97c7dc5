import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { LabNode } from './node.ts'

/** An /etc and a /var/lib of the node's own, over this machine's. */
export async function ownPlaces(node: LabNode): Promise<void> {
  const [upper, work] = ['etc', 'etc-work'].map(name => join(node.directory, name)) as [string, string]
  for (const directory of [upper, work]) mkdirSync(directory)
  const layers = `lowerdir=/etc,upperdir=${upper},workdir=${work}`
  await node.namespace.must(['mount', '-t', 'overlay', '-o', layers, 'lnet', '/etc'])
  await node.namespace.must(['mount', '-t', 'tmpfs', 'lnet', '/var/lib'])
}
