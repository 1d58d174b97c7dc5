// node packaging/build.mjs [DIRECTORY]   (default: dist)
//
// Bundles each command into one file that needs no node_modules: half the start-up time and three quarters of
// the memory of the same modules loaded one by one. CommonJS, because the libraries' own require() calls work there.
import childProcess from 'node:child_process'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const directory = resolve(process.argv[2] ?? `${root}dist`)
const commands = ['lnetd', 'lnetctl']

/** Libraries import it at the start, and hardly any command of lnetctl needs it: it is loaded when one does. */
const lazyChildProcess = {
  name: 'lazy-child-process',
  setup({ onResolve, onLoad }) {
    const names = JSON.stringify(Object.keys(childProcess))
    const get = "{ enumerable: true, get: () => require('child_process')[name] }"
    const contents = `for (const name of ${names}) Object.defineProperty(exports, name, ${get})`
    onResolve({ filter: /^node:child_process$/ }, () => ({ path: 'child_process', namespace: 'lazy' }))
    onLoad({ filter: /./, namespace: 'lazy' }, () => ({ contents }))
  },
}

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
    plugins: command === 'lnetctl' ? [lazyChildProcess] : [],
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
