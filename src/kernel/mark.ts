import type { MeshId } from '../model/node.ts'

/** The ifalias of a device that is ours. */
export function markOf(mesh: MeshId): string {
  return `lnet:${mesh}`
}
