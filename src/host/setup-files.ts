import { existsSync } from 'node:fs'
import { rmdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { failed, ok, type Result } from '../model/failure.ts'
import { parseConfiguration } from './config.ts'
import { createWhole, makeDirectory, removeQuietly } from './files.ts'
import { formatMeshSecret } from './secret.ts'

export interface SetupFiles {
  readonly configPath: string
  readonly secretPath: string
}

/**
 * Writes secret and configuration, the secret first, so that a configuration never points at nothing. Overwrites
 * nothing, and takes back what it did when something fails.
 */
export async function writeSetup(
  { configPath, secretPath }: SetupFiles,
  text: string,
  secret: Uint8Array,
): Promise<Result<readonly string[]>> {
  const checked = parseConfiguration(text, hostname())
  if (!checked.ok)
    return failed(
      `the token does not fit this lnetd: ${checked.problems.map(({ message }) => message).join('; ')}`,
    )
  for (const path of [configPath, secretPath]) if (existsSync(path)) return alreadyThere(path)
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
  return ok(files.map(({ path }) => path))
}

function alreadyThere(path: string): Result<never> {
  return failed(
    `${path} is there already and was left as it is: this machine is set up, or remove the file first`,
  )
}
