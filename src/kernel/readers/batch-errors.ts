/** What a batch of `ip` or `bridge` said went wrong, by line number, counted from 1. */
export function readBatchErrors(stderr: string): ReadonlyMap<number, string> {
  const errors = new Map<number, string>()
  let said: string[] = []
  for (const line of stderr.split('\n')) {
    const failed = /^Command failed -:(\d{1,9})$/.exec(line)
    if (failed === null) {
      if (line !== '') said.push(line)
      continue
    }
    errors.set(Number(failed[1]), said.join('\n'))
    said = []
  }
  return errors
}
