import type { MeshId } from '../model/node.ts'

/** The ifalias of a device that is ours. */
export function markOf(mesh: MeshId): string {
  return `lnet:${mesh}`
}

/** Routes and rules of lnet carry this protocol number, so that nobody else's are touched. */
export const routeProtocol = 201

/**
 * The metric of lnet's routes: a route that somebody else has to the same network goes before it. NetworkManager gives
 * at most 20,000 more than 750 (nm-device.c), the kernel at most 1024.
 */
export const routeMetric = 201_000

/** Addresses of lnet on somebody else's bridge carry this metric: iproute2 6.1 has no protocol for them. */
export const addressMetric = 20_201

/** The routing table of the ways by gateways. */
export const detourTable = 20_201
