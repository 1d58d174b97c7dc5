import {
  compareAddresses,
  compareText,
  type InterfaceName,
  parseInterfaceName,
  parsePrefix,
} from '../../model/address.ts'
import type { Result } from '../../model/failure.ts'
import type { GatewaySource, GatewayState } from '../../model/gateway.ts'
import { borrowedPrefix, gatewayContent, gatewayTable } from '../gateway.ts'
import { asFields, documents, objects, reading } from './fields.ts'
import { contentOf } from './ruleset.ts'

/**
 * The gateway of `nft -j list ruleset inet`, null where there is none; `forwarding`: devices that forward. An altered
 * table still tells whose forwarding was off, and is no gateway for anything: so it is written again.
 */
export function readGateway(
  output: string,
  forwarding: readonly InterfaceName[],
): Result<GatewayState | null> {
  return reading('nft', () => {
    const items = objects(asFields(documents(output, 1)[0], 'the ruleset').nftables, 'nftables')
    const content = contentOf(items, gatewayTable)
    if (content.length === 0) return null
    const guessed = guess(content)
    const isWhole = gatewayContent(guessed).join('\n') === content.join('\n')
    const devices = [guessed.interface, ...guessed.sources.map(({ device }) => device)]
    const forwards = isWhole && devices.every(device => forwarding.includes(device))
    return isWhole ? { ...guessed, forwards } : { ...guessed, sources: [], forwards }
  })
}

/** What the lines say where they are lnet's. */
function guess(content: readonly string[]): GatewayState {
  const rules = content.flatMap(line => {
    const match =
      /^rule translate: iifname == (\S+), oifname == (\S+), ip\.saddr == (\S+), (masquerade|accept)$/.exec(
        line,
      )
    const [, from, to, saddr, verdict] = match ?? []
    const device = parseInterfaceName(from ?? '')
    const out = parseInterfaceName(to ?? '')
    const network = parsePrefix(saddr ?? '')
    return device === null || out === null || network === null
      ? []
      : [{ source: { device, network } satisfies GatewaySource, out, nat: verdict === 'masquerade' }]
  })
  const borrowed = content.flatMap(line => {
    const name = new RegExp(`^chain ${borrowedPrefix}(\\S+):`).exec(line)?.[1]
    return parseInterfaceName(name ?? '') ?? []
  })
  return {
    interface: rules[0]?.out ?? ('lo' as InterfaceName),
    nat: rules.some(({ nat }) => nat),
    sources: rules
      .map(({ source }) => source)
      .sort((a, b) => compareText(a.device, b.device) || compareAddresses(a.network, b.network)),
    borrowed: borrowed.sort(compareText),
    forwards: false,
  }
}
