import { existsSync, readFileSync } from 'node:fs'
import type { InterfaceName } from '../../model/address.ts'
import { failed, ok, type Result } from '../../model/failure.ts'
import type { ObserveRunning, RunningNetwork } from '../../model/running-network.ts'
import { tunnelMtu } from '../../model/segment.ts'
import { readFacts } from '../facts.ts'
import { publicKeyBytes } from '../public-key.ts'
import { defaultRouteDevices } from '../underlay.ts'
import type { WgQuickFile } from './parse.ts'
import { makesDevices, type Recipe, readRecipe } from './recipe.ts'
import { asItRuns, mentionedIn, type Understood } from './running.ts'

export interface Understanding extends Understood {
  readonly notes: readonly string[]
}

/** As it runs; where it does not, as far as the file's own words are understood. */
export async function understand(
  file: WgQuickFile,
  device: InterfaceName,
  observe: ObserveRunning,
): Promise<Result<Understanding>> {
  const recipe = readRecipe(file.commands)
  const running = await observe(device, mentionedIn(file.commands))
  // A machine without the tools can still read the file of another one.
  if (!running.ok && existsSync(`/sys/class/net/${device}`)) return running
  const network = running.ok ? running.value : null
  if (network !== null && isAnother(file, network))
    return failed(`${device} runs with another key than that of the file`, {
      why: 'it is the network of another file, or of another machine',
      remedy: `restart ${device} with this file, or take it down`,
    })
  if (network !== null) return ok({ ...asItRuns(file, recipe, network, waysOut()), notes: [] })
  return ok({
    file,
    recipe,
    lost: recipe.unknown.filter(makesDevices),
    notes: [
      `${device} is not up: only the file was read, and its hooks as far as they are understood; bring it up to have what runs compared`,
    ],
  })
}

function isAnother({ privateKey }: WgQuickFile, { publicKey }: RunningNetwork): boolean {
  if (privateKey === null || publicKey === null) return false
  const own = publicKeyBytes('x25519', Buffer.from(privateKey, 'base64'))
  return Buffer.from(own).toString('base64') !== publicKey
}

/** Devices that the machine's default routes leave by. */
function waysOut(): readonly string[] {
  const texts = ['/proc/net/route', '/proc/net/ipv6_route'].map(file =>
    existsSync(file) ? readFileSync(file, 'utf8') : '',
  )
  return defaultRouteDevices(texts[0] ?? '', texts[1] ?? '')
}

/** The tunnel MTU that this machine's way out allows, bytes. */
export function ownPathTunnelMtu(device: InterfaceName, { segments }: Recipe): number | null {
  const facts = readFacts({
    ours: new Set([device, ...segments.map(segment => segment.interface)]),
  })
  return facts === null ? null : tunnelMtu(facts.pathMtu)
}
