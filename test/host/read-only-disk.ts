import { join } from 'node:path'
import { openKeyring } from '../../src/host/keyring.ts'
import { initialise } from '../../src/host/setup.ts'
import { openStore } from '../../src/host/store.ts'

/** What happens on a read-only file system; run on one of its own. Prints one JSON object. */
const directory = process.argv[2] as string
process.stdout.write(
  JSON.stringify({
    store: await openStore(directory, { wallSeconds: () => 1_000_000 }),
    keyring: await openKeyring(directory),
    init: await initialise({ configPath: join(directory, 'etc', 'lnetd.yaml') }),
  }),
)
