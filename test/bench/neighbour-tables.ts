import { readFileSync, writeFileSync } from 'node:fs'

/** neigh(7): all namespaces of a machine share one table a family, which is full with 1024 entries. */
const files = ['ipv4', 'ipv6'].flatMap(family =>
  [3, 2, 1].map(level => `/proc/sys/net/${family}/neigh/default/gc_thresh${level}`),
)
/** What 60 machines need that know each other outside and inside, with room for what else is on this one. */
const entries = 32_768

/**
 * Machines of their own have tables of their own; fifty in namespaces overflow the one they share, and their packets
 * are dropped. Answers what puts the limits back that were written. One that cannot be is told, and the bench goes on.
 */
export function widenNeighbourTables(): () => void {
  const widened: { readonly file: string; readonly limit: string }[] = []
  try {
    for (const file of files) {
      const limit = readFileSync(file, 'utf8')
      if (Number(limit) >= entries) continue
      writeFileSync(file, `${entries}`)
      widened.push({ file, limit })
    }
  } catch (error) {
    console.error(
      `bench: with many nodes the kernel's neighbour tables overflow: ${(error as Error).message}`,
    )
  }
  return () => {
    for (const { file, limit } of widened) writeFileSync(file, limit)
  }
}
