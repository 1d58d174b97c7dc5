import type { Act, Stage } from './act.ts'
import { form } from './acts/formation.ts'
import type { Contestant, Net } from './contestant.ts'
import type { Figure } from './figure.ts'

/** Plays those acts that suit the contestant: first what needs no mesh, then the others one after the other on the same one. */
export async function perform(
  acts: readonly Act[],
  contestant: Contestant,
  options: Pick<Stage, 'nodes' | 'repeat' | 'idleSeconds'>,
  note: (figure: Figure) => void,
): Promise<void> {
  const { nodes, repeat, idleSeconds } = options
  const stage: Stage = {
    contestant,
    nodes,
    repeat,
    idleSeconds,
    note: (figure, value, unit, members = nodes) =>
      note({ figure, contestant: contestant.name, nodes: members, value, unit }),
  }
  const suited = acts.filter(act => act.suits(contestant))
  for (const act of suited) if (act.on === 'nothing') await act.play(stage)
  const others = suited.filter(act => act.on === 'mesh')
  if (others.length === 0) return
  const spares = Math.max(...others.map(act => act.spares(stage)))
  const net = await contestant.prepare(nodes + spares)
  try {
    // The others may well do what this one cannot.
    if (!(await stands(net, stage))) return
    for (const act of others) await act.play(stage, net)
  } finally {
    net.lab.cleanup()
  }
}

async function stands(net: Net, { contestant, nodes }: Stage): Promise<boolean> {
  const formed = Number.isFinite(await form(net, nodes, 1000))
  if (!formed) console.error(`bench: ${contestant.name} with ${nodes} nodes did not form, and is left out`)
  return formed
}
