import { existsSync } from 'node:fs'
import { failed, ok, type Result } from '../model/failure.ts'
import { join } from './setup.ts'

/**
 * Makes configuration and secret from LNETD_TOKEN, once: where a configuration is, the token is not looked at. Takes it
 * out of the environment, so that no tool inherits it. Tells the files it wrote.
 */
export async function setUpFromEnvironment(
  environment: NodeJS.ProcessEnv,
  configPath: string,
): Promise<Result<readonly string[]>> {
  const token = environment.LNETD_TOKEN?.trim()
  delete environment.LNETD_TOKEN
  if (token === undefined || existsSync(configPath)) return ok([])
  if (token === '')
    return failed('LNETD_TOKEN is empty', { remedy: 'put in what `lnetctl token` prints on a member' })
  const joined = await join({ token, configPath })
  return joined.ok ? ok(joined.value.written) : joined
}
