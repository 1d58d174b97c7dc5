// node packaging/build.mjs [DIRECTORY]   (default: dist)
//
// Bundles each command into one file that needs no node_modules: half the start-up time and three quarters of
// the memory of the same modules loaded one by one. CommonJS, because the libraries' own require() calls work there.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const directory = resolve(process.argv[2] ?? `${root}dist`)
const commands = ['lnetd', 'lnetctl']

mkdirSync(directory, { recursive: true })
// A bundle in the project's own tree would else be read as an ES module, as package.json there says.
writeFileSync(join(directory, 'package.json'), '{ "type": "commonjs" }\n')
try {
  const modules = new Set((await Promise.all(commands.map(bundle))).flat())
  // Whose licences a package of the bundles must carry.
  writeFileSync(join(directory, 'modules.json'), `${JSON.stringify([...modules].sort(), null, 2)}\n`)
} catch (error) {
  // What esbuild found wrong it has told already.
  if (!error.errors) throw error
  process.exitCode = 1
}

/** The npm packages it is made of, as directories of the project. */
async function bundle(command) {
  const file = join(directory, `${command}.js`)
  const result = await build({
    absWorkingDir: root,
    entryPoints: [`src/${command}.ts`],
    outfile: file,
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    // Identifiers stay whole: a stack trace from the field must be readable.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'eof',
    banner: { js: '#!/usr/bin/env node' },
    logLevel: 'warning',
  })
  // A daemon that starts meanwhile, or another build, meets the old file or the new one, never half of one.
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, result.outputFiles[0].contents, { mode: 0o755 })
  renameSync(draft, file)
  return Object.keys(result.metafile.inputs).flatMap(
    input => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? [],
  )
}
