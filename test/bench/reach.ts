import { insideAddress, type Net, nodeAt } from './contestant.ts'

/**
 * Pings the last one until it answers, then all that are left once, and so on. A ping to an address that nobody answers
 * for is a broadcast, which goes to everybody known: all of fifty pinging all others at once were most of what the
 * machines did.
 */
const script = `while [ $# -gt 0 ]; do
    eval last=\\\${$#}
    until fping -q -r 4 -t 40 -B 1 "$last" >/dev/null 2>&1; do sleep 0.02; done
    set -- $(fping -u -q -r 1 -t 40 -B 1 -i 1 "$@" 2>/dev/null)
    [ $# = 0 ] || sleep 0.02
  done`

/** Seconds until every node of `from` had an answer from every other one of `to`. */
export async function reached(
  net: Net,
  from: readonly number[],
  to: readonly number[],
  secondsMax: number,
): Promise<number> {
  const began = performance.now()
  const outcomes = await Promise.all(
    from.map(index => {
      const others = to.filter(other => other !== index).map(insideAddress)
      const options = { milliseconds: secondsMax * 1000 }
      return nodeAt(net, index).namespace.run(['sh', '-c', script, 'sh', ...others], options)
    }),
  )
  const failed = outcomes.find(({ exitCode }) => exitCode !== 0)
  if (failed?.exitCode === 124) return Number.POSITIVE_INFINITY
  if (failed !== undefined) throw new Error(`fping: exit code ${failed.exitCode}: ${failed.stderr}`)
  return (performance.now() - began) / 1000
}
