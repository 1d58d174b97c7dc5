/** How long the mesh is soaked. */
export interface SoakOptions {
  readonly nodes: number
  /** Of the guest's clock. */
  readonly hours: number
  /** The same faults for the same seed; their effects in the guest vary. */
  readonly seed: string
}

/** What four real minutes allow. */
export const soakDefaults: SoakOptions = { nodes: 3, hours: 1, seed: '1' }

const names = { nodes: 'LNET_SOAK_NODES', hours: 'LNET_SOAK_HOURS', seed: 'LNET_SOAK_SEED' } as const

/** Real seconds: for each hour of a node some five times of what an idle machine needs, at most a week. */
export function soakSecondsMax({ nodes, hours }: SoakOptions): number {
  return Math.min(600 + 350 * nodes * hours, 7 * 86_400)
}

/** As shell words before a command, for soakOptions inside the guest. */
export function soakEnvironment({ nodes, hours, seed }: SoakOptions): string {
  return `${names.nodes}=${nodes} ${names.hours}=${hours} ${names.seed}=${seed}`
}

/** From an environment or a command line; RangeError for what cannot be soaked. */
export function soakOptions(environment: Readonly<Record<string, string | undefined>>): SoakOptions {
  return parseSoakOptions({
    nodes: environment[names.nodes],
    hours: environment[names.hours],
    seed: environment[names.seed],
  })
}

export function parseSoakOptions(words: { [Name in keyof SoakOptions]?: string | undefined }): SoakOptions {
  const nodes = Number(words.nodes ?? soakDefaults.nodes)
  const hours = Number(words.hours ?? soakDefaults.hours)
  const seed = words.seed ?? soakDefaults.seed
  if (!Number.isInteger(nodes) || nodes < 3 || nodes > 50) throw new RangeError('--nodes: 3 to 50')
  if (!(hours > 0 && hours <= 500)) throw new RangeError('--hours: more than 0, at most 500')
  if (!/^\w{1,32}$/.test(seed)) throw new RangeError('--seed: letters and digits')
  return { nodes, hours, seed }
}
