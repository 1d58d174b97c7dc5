/** What the npm registry says of a package: its versions, and when each was published. */
export interface Published {
  readonly versions: readonly string[]
  /** By version, ISO 8601. */
  readonly time: Readonly<Record<string, string>>
}

/** So many days a newer release may be out before the package must bundle it. */
export const releaseDaysMax = 7

/** The newest release of the line that is out for longer than allowed and is not `bundled`; null when there is none. */
export function overdueRelease(bundled: string, { versions, time }: Published, now: Date): string | null {
  const [line] = parts(bundled) ?? []
  const newer = versions.filter(version => parts(version)?.[0] === line && isNewer(version, bundled))
  const overdue = newer.filter(version => {
    const published = Date.parse(time[version] ?? '')
    // Without a date nothing speaks for waiting.
    return Number.isNaN(published) || now.getTime() - published > releaseDaysMax * 86_400_000
  })
  return overdue.reduce<string | null>(
    (newest, version) => (newest === null || isNewer(version, newest) ? version : newest),
    null,
  )
}

function isNewer(version: string, other: string): boolean {
  const [mine, theirs] = [parts(version) ?? [], parts(other) ?? []]
  const differing = mine.findIndex((part, index) => part !== theirs[index])
  return differing >= 0 && (mine[differing] as number) > (theirs[differing] ?? -1)
}

/** Null for what is no release. */
function parts(version: string): readonly number[] | null {
  return /^\d+\.\d+\.\d+$/.test(version) ? version.split('.').map(Number) : null
}
