import { parseArgs } from 'node:util'
import { createLab, eventually, type Lab } from './lab.ts'
import { allUp, overlayAddresses, silentPairs } from './overlay.ts'
import { endRecord, readRecords } from './record.ts'

const usage = `npm run lab -- [--nodes N] [--keep]   a mesh of N nodes (2 to 100, default 5) in network namespaces
npm run lab -- --end ID               ends a lab that was kept`

process.exitCode = await main()

async function main(): Promise<number> {
  const options = readOptions()
  if (options === null) {
    console.error(usage)
    return 2
  }
  if (options.end !== null) return end(options.end)
  const creation = createLab({ nodes: options.nodes, lasting: options.keep })
  // Not `once`: execa's own handler, run while a tool runs, would find itself alone and end the process at once.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      void creation.then(lab => lab.cleanup()).finally(() => process.exit(130))
    })
  const lab = await creation
  try {
    await show(lab)
    return 0
  } catch (error) {
    console.error(`lab: ${(error as Error).message}`)
    return 1
  } finally {
    if (options.keep) tellKept(lab)
    else lab.cleanup()
  }
}

function readOptions(): { nodes: number; keep: boolean; end: string | null } | null {
  try {
    const { values } = parseArgs({
      options: { nodes: { type: 'string' }, keep: { type: 'boolean' }, end: { type: 'string' } },
    })
    const nodes = Number(values.nodes ?? 5)
    if (!Number.isInteger(nodes) || nodes < 2 || nodes > 100) return null
    return { nodes, keep: values.keep ?? false, end: values.end ?? null }
  } catch {
    return null
  }
}

function end(id: string): number {
  const record = readRecords().find(record => record.id === id)
  if (record === undefined) {
    console.error(`lab: no lab ${id} here`)
    return 1
  }
  endRecord(record)
  console.log(`lab ${id} ended`)
  return 0
}

async function show(lab: Lab): Promise<void> {
  const [first] = lab.nodes
  console.log(
    `lab ${lab.id}: ${lab.nodes.length} nodes on a switch; all but ${first?.name} know only ${first?.underlay.ipv4}`,
  )
  const began = performance.now()
  const clock = () => `${((performance.now() - began) / 1000).toFixed(2).padStart(6)} s`
  for (const node of lab.nodes) node.start()
  await Promise.all(lab.nodes.map(node => node.listening()))
  console.log(`${clock()}  ${lab.nodes.length} daemons listen`)
  await allUp(lab.nodes, 120, (node, up) => {
    console.log(`${clock()}  ${node.name} sees ${up} of ${lab.nodes.length - 1} up`)
  })
  await everyPairAnswers(lab, clock)
  console.log(`\nformed in ${clock().trim()}, from the start of the daemons to every pair answering\n`)
  await showPeers(lab)
  showMemory(lab)
}

async function everyPairAnswers(lab: Lab, clock: () => string): Promise<void> {
  const addresses = await Promise.all(lab.nodes.map(overlayAddresses))
  lab.nodes.forEach((node, index) => {
    console.log(`${clock()}  ${node.name} is ${addresses[index]?.ipv4} and ${addresses[index]?.ipv6}`)
  })
  let last = ''
  await eventually(
    'every pair answers',
    async () => {
      const silent = await silentPairs(lab.nodes)
      last = silent.map(({ from, to, address }) => `${from} -> ${to} (${address})`).join(', ')
      return silent.length === 0 ? true : null
    },
    60,
  ).catch(() => {
    throw new Error(`no answer to ping within 60 s: ${last}`)
  })
  const pairs = lab.nodes.length * (lab.nodes.length - 1)
  console.log(`${clock()}  ${pairs} ordered pairs answer by IPv4, ${pairs} by IPv6`)
}

async function showPeers(lab: Lab): Promise<void> {
  const node = lab.nodes.at(-1) as Lab['nodes'][number]
  console.log(`lnetctl peers on ${node.name}:`)
  console.log(await node.lnetctl(['peers']).then(({ stdout, stderr }) => stdout + stderr))
}

function showMemory(lab: Lab): void {
  console.log('\nresident memory of lnetd, MiB:')
  for (const node of lab.nodes) {
    const { rss, pss } = node.memory()
    console.log(`${node.name.padEnd(4)} rss ${rss.toFixed(1).padStart(6)}  pss ${pss.toFixed(1).padStart(6)}`)
  }
}

function tellKept(lab: Lab): void {
  const enter = `${lab.directory}/enter`
  console.log(`
kept: lab ${lab.id}. Step into a node:
  ${enter} n2                              a shell there
  ${enter} n2 lnetctl peers
  ${enter} n2 bridge fdb show dev vlnet0
  ${enter} n2 ping ADDRESS                 of another node, from lnetctl peers
what a node was told and said: ${lab.directory}/n2/lnetd.yaml, lnetd.log
end it: npm run lab -- --end ${lab.id}`)
}
