/** What run.sh prepared, by its environment. */
export function must(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set: run npm run test:package`)
  return value
}

/** The root directories of clean Debians, by release. */
export const suites = must('LNET_DEBIANS')
  .split(' ')
  .map(pair => ({ suite: pair.split('=')[0] as string, directory: pair.split('=')[1] as string }))
