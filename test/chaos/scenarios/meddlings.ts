/** A member as the meddler names it. */
export interface Target {
  readonly vtep: string
  readonly key: string
  readonly mac: string
  readonly address: string
}

export interface Meddling {
  readonly what: string
  readonly command: (target: Target) => string
  /** 2 where the kernel reports it, 10 where it has to be polled. */
  readonly boundSeconds: 2 | 10
  /** What one of the told repairs begins with. */
  readonly repair: string
}

const zero = '00:00:00:00:00:00'
/** A WireGuard key like any other: the 32 bytes of a text. */
const foreignKey = 'bG5ldCBjaGFvczogYSBmb3JlaWduIFdpcmVHdWFyZCA='

export const deletedEntries: readonly Meddling[] = [
  {
    what: 'flood entry deleted',
    command: ({ vtep }) => `bridge fdb del ${zero} dev vlnet0 dst ${vtep} via lnet0`,
    boundSeconds: 2,
    repair: 'flood to VTEP',
  },
  {
    what: 'unicast entry deleted',
    command: ({ vtep, mac }) => `bridge fdb del ${mac} dev vlnet0 dst ${vtep}`,
    boundSeconds: 2,
    repair: 'reach MAC',
  },
  {
    what: 'WireGuard peer deleted',
    command: ({ key }) => `wg set lnet0 peer ${key} remove`,
    boundSeconds: 10,
    repair: 'set WireGuard peer',
  },
  {
    what: 'overlay address deleted',
    command: () => 'ip -4 address flush dev vlnet0 scope global',
    boundSeconds: 2,
    repair: 'add address',
  },
  {
    what: 'VTEP address deleted',
    command: () => 'ip address flush dev lnet0 scope global',
    boundSeconds: 2,
    repair: 'add address',
  },
  {
    what: 'routes deleted',
    command: () => 'ip -6 route flush proto 201',
    boundSeconds: 2,
    repair: 'add ',
  },
  {
    what: 'neighbour entry deleted',
    command: ({ address }) => `ip neighbour del ${address} dev vlnet0`,
    boundSeconds: 2,
    repair: 'know ',
  },
  {
    what: 'nft table deleted',
    command: () => 'nft delete table inet lnet_vlnet0',
    boundSeconds: 2,
    repair: 'guard VXLAN port',
  },
  {
    what: 'flood limit deleted',
    command: () => 'nft delete table netdev lnet_vlnet0',
    boundSeconds: 2,
    repair: 'flood at most',
  },
]

export const changedDevices: readonly Meddling[] = [
  {
    what: 'segment deleted',
    command: () => 'ip link del vlnet0',
    boundSeconds: 2,
    repair: 'create segment',
  },
  {
    what: 'tunnel deleted',
    command: () => 'ip link del lnet0',
    boundSeconds: 2,
    repair: 'create tunnel',
  },
  {
    what: 'MTU of the tunnel changed',
    command: () => 'ip link set lnet0 mtu 1400',
    boundSeconds: 2,
    repair: 'set mtu',
  },
  {
    what: 'MTU of the segment changed',
    command: () => 'ip link set vlnet0 mtu 1290',
    boundSeconds: 2,
    repair: 'set mtu',
  },
  {
    what: 'segment brought down',
    command: () => 'ip link set vlnet0 down',
    boundSeconds: 2,
    repair: 'bring vlnet0 up',
  },
  {
    what: 'tunnel brought down',
    command: () => 'ip link set lnet0 down',
    boundSeconds: 2,
    repair: 'bring lnet0 up',
  },
  {
    what: 'MAC of the segment changed',
    command: () => 'ip link set vlnet0 address 02:00:00:00:00:99',
    boundSeconds: 2,
    repair: 'set MAC',
  },
]

export const additions: readonly Meddling[] = [
  {
    what: 'foreign WireGuard peer',
    command: () => `wg set lnet0 peer ${foreignKey} allowed-ips 198.51.100.9/32`,
    boundSeconds: 10,
    repair: 'remove WireGuard peer',
  },
  {
    what: 'addresses taken from a peer',
    command: ({ vtep }) => `wg set lnet0 peer ${foreignKey} allowed-ips ${vtep}/128`,
    boundSeconds: 10,
    repair: 'set WireGuard peer',
  },
  {
    what: 'foreign flood entry',
    command: () => `bridge fdb append ${zero} dev vlnet0 dst fd00::99 via lnet0`,
    boundSeconds: 2,
    repair: 'stop flooding',
  },
  {
    what: 'foreign unicast entry',
    command: () => 'bridge fdb add 02:00:00:00:00:98 dev vlnet0 dst fd00::98 via lnet0 static',
    boundSeconds: 2,
    repair: 'forget MAC',
  },
  {
    what: 'foreign address',
    command: () => 'ip address add 198.51.100.7/32 dev vlnet0',
    boundSeconds: 2,
    repair: 'remove address',
  },
  {
    what: 'another MAC for a neighbour',
    command: ({ address }) =>
      `ip neighbour replace ${address} lladdr 02:00:00:00:00:97 nud permanent dev vlnet0`,
    boundSeconds: 2,
    repair: 'know ',
  },
]
