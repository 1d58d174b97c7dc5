import { parseArgs } from 'node:util'

export const usage = `Usage: lnetd [--config FILE] [--check]

  --config FILE  the configuration, /etc/lnetd/lnetd.yaml by default
  --check        say what is wrong with it, and exit: 0 when nothing is, 2 otherwise
  --version      print the version
  --help         print this

Without a configuration, one is made from the token in LNETD_TOKEN, where that is set.
SIGHUP reads the configuration again; SIGTERM ends lnetd and leaves the network up (see lnetctl down).`

export interface Arguments {
  readonly config: string
  readonly check: boolean
  readonly version: boolean
  readonly help: boolean
}

/** What lnetd was asked on its command line, or what makes no sense in it. */
export function readArguments(argv: readonly string[]): Arguments | { readonly wrong: string } {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        config: { type: 'string', default: '/etc/lnetd/lnetd.yaml' },
        check: { type: 'boolean', default: false },
        version: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    return { wrong: (error as Error).message }
  }
}
