import type { InterfaceName } from '../model/address.ts'
import { execute } from './run.ts'

/** Whether this kernel takes a table: the whole script of one is tried on `lo`, and nothing is left of it. */
export async function takesTable(scriptOn: (device: InterfaceName) => string): Promise<boolean> {
  const input = scriptOn('lo' as InterfaceName)
  const { failure } = await execute({ tool: 'nft', arguments: ['--check', '--file', '-'], input })
  return failure === null
}
