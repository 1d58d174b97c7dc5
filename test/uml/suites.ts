import { playedInGuest } from './played-in-guest.ts'
import { type SoakOptions, soakSecondsMax } from './soak-options.ts'

/** Tests that share one guest. */
export interface Suite {
  /** `npm run test:kernel -- NAME` runs it alone. */
  readonly name: string
  readonly what: string
  readonly files: readonly string[]
  /** Whether it runs when none is named. */
  readonly isDefault: boolean
  /** Real seconds after which the guest is taken for hung; some five times of what an idle machine needs. */
  readonly secondsMax: (soak: SoakOptions) => number
}

export const suites: readonly Suite[] = [
  {
    name: 'kernel',
    what: 'daemons on the kernel’s own WireGuard, how they heal, and that frames enter by the tunnel only',
    files: [
      'test/uml/kernel.test.ts',
      'test/uml/healing.test.ts',
      'test/lab/kernel-pair.test.ts',
      'test/lab/guard-entries.test.ts',
      'test/lab/router-advertisement.test.ts',
    ],
    isDefault: true,
    secondsMax: () => 1200,
  },
  {
    name: 'netem',
    what: 'delay, loss and reordering on the underlay',
    files: ['test/uml/netem.test.ts'],
    isDefault: true,
    secondsMax: () => 1200,
  },
  {
    name: 'long',
    what: 'faults that last for minutes of the guest’s clock',
    files: ['test/uml/long.test.ts'],
    isDefault: false,
    secondsMax: () => 1200,
  },
  {
    name: 'clocks',
    what: 'clocks that are put back and forth',
    files: ['test/uml/clocks.test.ts'],
    isDefault: true,
    secondsMax: () => 1200,
  },
  {
    name: 'parity',
    what: 'segments, bridges, gateways, static members, and a hand-written network that moves to lnetd',
    files: [
      ...playedInGuest,
      'test/lab/segments.test.ts',
      'test/lab/static.test.ts',
      'test/lab/recipe.test.ts',
    ],
    isDefault: true,
    secondsMax: () => 1800,
  },
  {
    name: 'soak',
    what: 'a fault every few minutes, for hours of the guest’s clock',
    files: ['test/uml/soak.test.ts'],
    isDefault: false,
    secondsMax: soakSecondsMax,
  },
  {
    name: 'lab',
    what: 'tests of the lab that ask more of the kernel than others do',
    files: [
      'test/lab/mesh.test.ts',
      'test/lab/drift.test.ts',
      'test/lab/leave.test.ts',
      'test/lab/guard.test.ts',
      'test/lab/kernel-watch.test.ts',
    ],
    isDefault: false,
    secondsMax: () => 1800,
  },
]
