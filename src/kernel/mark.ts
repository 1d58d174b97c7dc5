import type { MeshId } from '../model/node.ts'

/** The ifalias of a device that is ours. */
export function markOf(mesh: MeshId): string {
  return `lnet:${mesh}`
}

/** Routes and rules of lnet carry this protocol number, so that nobody else's are touched. */
export const routeProtocol = 201

/** The routing table of the ways by gateways. */
export const detourTable = 20_201
