import { existsSync } from 'node:fs'
import { rename, rmdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { sentenceOf } from '../model/explanation.ts'
import { failed, ok, type Result } from '../model/failure.ts'
import { parseConfiguration } from './config.ts'
import { createWhole, ioFailure, makeDirectory, removeQuietly } from './files.ts'
import { formatMeshSecret } from './secret.ts'

export interface SetupFiles {
  readonly configPath: string
  readonly secretPath: string
  /** Whether files that are there already are put aside, instead of being a refusal. */
  readonly replace: boolean
}

export interface FilesWritten {
  readonly written: readonly string[]
  /** Where what was there before is now. */
  readonly backups: readonly string[]
}

/**
 * Writes secret and configuration, the secret first, so that a configuration never points at nothing. Overwrites
 * nothing, and takes back what it did when something fails.
 */
export async function writeSetup(
  { configPath, secretPath, replace }: SetupFiles,
  text: string,
  secret: Uint8Array,
): Promise<Result<FilesWritten>> {
  const checked = parseConfiguration(text, hostname())
  if (!checked.ok)
    return failed('the token does not fit this lnetd', { why: checked.problems.map(sentenceOf).join('; ') })
  const present = [configPath, secretPath].filter(path => existsSync(path))
  if (present[0] !== undefined && !replace) return alreadyThere(present[0])
  const made: (() => Promise<void>)[] = []
  const undo = async (failure: Result<never>) => {
    for (const step of made.reverse()) await step()
    return failure
  }
  for (const directory of new Set([dirname(secretPath), dirname(configPath)])) {
    const created = await makeDirectory(directory, 0o755)
    if (!created.ok) return undo(created)
    made.push(...created.value.map(path => () => rmdir(path).catch(() => undefined)))
  }
  const backups: string[] = []
  for (const path of present) {
    const aside = await putAside(path)
    if (!aside.ok) return undo(aside)
    backups.push(aside.value)
    made.push(() => rename(aside.value, path).catch(() => undefined))
  }
  const files = [
    { path: secretPath, content: `${formatMeshSecret(secret)}\n`, mode: 0o600 },
    { path: configPath, content: text, mode: 0o644 },
  ]
  for (const { path, content, mode } of files) {
    const created = await createWhole(path, Buffer.from(content), mode)
    if (!created.ok) return undo(created)
    if (!created.value) return undo(alreadyThere(path))
    made.push(() => removeQuietly(path))
  }
  return ok({ written: files.map(({ path }) => path), backups })
}

/** Renames a file to `NAME.backup-N`, with the first number that is free. */
async function putAside(path: string): Promise<Result<string>> {
  let number = 1
  while (existsSync(`${path}.backup-${number}`)) number += 1
  const aside = `${path}.backup-${number}`
  try {
    await rename(path, aside)
    return ok(aside)
  } catch (error) {
    return ioFailure('put aside', path, error)
  }
}

function alreadyThere(path: string): Result<never> {
  return failed(`${path} is there already and was left as it is`, {
    why: 'this machine is set up',
    remedy: '--force replaces it and keeps a backup',
  })
}
