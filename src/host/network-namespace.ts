import { readlink } from 'node:fs/promises'

/** Which network namespace this process is in, as `net:[4026531840]`; undefined where the system does not tell. */
export async function networkNamespace(): Promise<string | undefined> {
  return await readlink('/proc/self/ns/net').catch(() => undefined)
}
