import { ask } from './client.ts'

export const defaultConfigPath = '/etc/lnetd/lnetd.yaml'

/** For help: what holds when `--config` is not given. */
export const configDefaultText = `default: that of the running lnetd, else ${defaultConfigPath}`

/** The given one, else that of the running lnetd: `lnetd --config` may have named another than the usual one. */
export async function configPathFor(given: string | undefined, socket: string): Promise<string> {
  if (given !== undefined) return given
  const status = await ask(socket, 'status')
  return (status.ok ? status.view.files?.configuration : undefined) ?? defaultConfigPath
}
