import type { InterfaceName } from '../model/address.ts'
import type { GatewayState } from '../model/gateway.ts'
import { nftName } from './nft-name.ts'
import type { Instruction } from './render.ts'

/** The nft table of a gateway. No guard can be called so: theirs begin with `lnet_`. */
export const gatewayTable = 'lnet-gateway'
/** A chain of this name and a device's remembers that the device did not forward before. */
export const borrowedPrefix = 'borrowed_'

/** Rules before forwarding, so that nobody from outside comes in meanwhile. */
export function setGateway(
  gateway: GatewayState,
  returned: readonly InterfaceName[],
): readonly Instruction[] {
  return [
    ...returned.map(device => forwarding(device, false)),
    { tool: 'nft', script: gatewayScript(gateway) },
    ...gateway.borrowed.map(device => forwarding(device, true)),
  ]
}

/** The table last: it remembers whose forwarding was off. */
export function removeGateway({ borrowed }: GatewayState): readonly Instruction[] {
  return [...borrowed.map(device => forwarding(device, false)), { tool: 'nft', script: gatewayRemoval }]
}

/** Naming the table first makes its deletion succeed when it is absent. */
const gatewayRemoval = `table inet ${gatewayTable}\ndelete table inet ${gatewayTable}\n`

/**
 * Masquerades what comes from the segments and leaves by the interface, and nothing else. Large TCP segments are
 * avoided both ways, because the segment's MTU is smaller than the interface's. A machine that forwarded nothing
 * before lets nobody in from outside who was not asked.
 */
function gatewayScript(gateway: GatewayState): string {
  const { interface: out, nat, sources } = gateway
  const devices = devicesOf(gateway)
  const clamp = 'tcp flags syn tcp option maxseg size set rt mtu'
  const forward = devices.flatMap(device => [
    `iifname ${nftName(device)} oifname ${nftName(out)} ${clamp}`,
    `iifname ${nftName(out)} oifname ${nftName(device)} ${clamp}`,
    ...(isClosed(gateway)
      ? [`iifname ${nftName(out)} oifname ${nftName(device)} ct state new ct status != dnat counter drop`]
      : []),
  ])
  const translate = sources.map(
    ({ device, network }) =>
      `iifname ${nftName(device)} oifname ${nftName(out)} ip saddr ${network} counter ${nat ? 'masquerade' : 'accept'}`,
  )
  return `${gatewayRemoval}table inet ${gatewayTable} {
${gateway.borrowed.map(device => `  chain ${borrowedPrefix}${device} { }\n`).join('')}  chain forward {
    type filter hook forward priority mangle; policy accept;
${indented(forward)}  }
  chain translate {
    type nat hook postrouting priority srcnat; policy accept;
${indented(translate)}  }
}
`
}

/** Without counts, one text a line, as the reader of the table makes them. */
export function gatewayContent(gateway: GatewayState): readonly string[] {
  const { interface: out, nat, sources, borrowed } = gateway
  const clamp = 'tcp.flags in syn, clamp'
  return [
    ...borrowed.map(device => `chain ${borrowedPrefix}${device}:    `),
    'chain forward: filter forward -150 accept',
    'chain translate: nat postrouting 100 accept',
    ...devicesOf(gateway).flatMap(device => [
      `rule forward: iifname == ${device}, oifname == ${out}, ${clamp}`,
      `rule forward: iifname == ${out}, oifname == ${device}, ${clamp}`,
      ...(isClosed(gateway)
        ? [`rule forward: iifname == ${out}, oifname == ${device}, ct.state in new, ct.status != dnat, drop`]
        : []),
    ]),
    ...sources.map(
      ({ device, network }) =>
        `rule translate: iifname == ${device}, oifname == ${out}, ip.saddr == ${network}, ${nat ? 'masquerade' : 'accept'}`,
    ),
  ].sort()
}

function forwarding(device: InterfaceName, on: boolean): Instruction {
  return { tool: 'forwarding', interface: device, on }
}

function devicesOf({ sources }: GatewayState): readonly InterfaceName[] {
  return [...new Set(sources.map(({ device }) => device))]
}

function isClosed({ interface: out, nat, borrowed }: GatewayState): boolean {
  return nat && borrowed.includes(out)
}

function indented(lines: readonly string[]): string {
  return lines.map(line => `    ${line}\n`).join('')
}
