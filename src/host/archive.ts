import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { packTar } from 'modern-tar'
import { failed, ok, type Result } from '../model/failure.ts'
import type { Archive } from '../model/report.ts'
import { createWhole } from './files.ts'

/** Writes a tar.gz that only its owner can read. Its length in bytes. */
export async function writeArchive({ path, directory, files, at }: Archive): Promise<Result<number>> {
  const entries = files.map(({ name, text }) => {
    const body = Buffer.from(text)
    return {
      header: { name: `${directory}/${name}`, size: body.length, mode: 0o600, mtime: new Date(at) },
      body,
    }
  })
  const bytes = await promisify(gzip)(await packTar(entries))
  const created = await createWhole(path, bytes, 0o600)
  if (!created.ok) return created
  return created.value
    ? ok(bytes.length)
    : failed(`${path} is there already`, { remedy: 'give another --output' })
}
