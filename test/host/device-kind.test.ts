import { describe, expect, it } from 'vitest'
import { type DeviceTexts, deviceKindOf } from '../../src/host/device-kind.ts'
import type { DeviceKind } from '../../src/model/facts.ts'

const ethernet = '1\n'
/** What Linux 6 has in /sys/class/net for each. */
const machine: Readonly<Record<string, Partial<DeviceTexts>>> = {
  enp3s0: { entries: ['device'] },
  wlan0: { entries: ['device', 'phy80211'], uevent: 'DEVTYPE=wlan\nINTERFACE=wlan0\n' },
  wwan0: { entries: ['device'], uevent: 'DEVTYPE=wwan\n', type: '65534\n' },
  ppp0: { type: '512\n' },
  'enp3s0.7': { entries: ['lower_enp3s0'], uevent: 'DEVTYPE=vlan\n' },
  bond0: { entries: ['lower_enp3s0', 'bonding'], uevent: 'DEVTYPE=bond\n' },
  mac0: { entries: ['lower_enp3s0'] },
  vmbr0: {
    entries: ['brif', 'lower_bond0', 'lower_tap100'],
    ports: ['tap100', 'bond0'],
    uevent: 'DEVTYPE=bridge\n',
  },
  docker0: { entries: ['brif', 'lower_veth1'], ports: ['veth1'], uevent: 'DEVTYPE=bridge\n' },
  virbr0: { entries: ['brif'], uevent: 'DEVTYPE=bridge\n' },
  vmbr1: { entries: ['brif', 'lower_tap100'], ports: ['tap100'], uevent: 'DEVTYPE=bridge\n' },
  veth1: {},
  dummy0: {},
  tap100: { entries: ['tun_flags'] },
  tailscale0: { entries: ['tun_flags'], type: '65534\n' },
  ztabcdefgh: { entries: ['tun_flags'] },
  wt0: { uevent: 'DEVTYPE=wireguard\n', type: '65534\n' },
  flannel1: { uevent: 'DEVTYPE=vxlan\n' },
  gre1: { type: '778\n' },
  xfrm0: { type: '65534\n' },
  'wt0.5': { entries: ['lower_wt0'], uevent: 'DEVTYPE=vlan\n' },
  circle0: { entries: ['lower_circle1'] },
  circle1: { entries: ['lower_circle0'] },
}

describe('the kind of a device', () => {
  it.each<[string, DeviceKind]>([
    ['enp3s0', 'physical'],
    ['wlan0', 'physical'],
    ['wwan0', 'physical'],
    ['ppp0', 'physical'],
    ['enp3s0.7', 'physical'],
    ['bond0', 'physical'],
    ['mac0', 'physical'],
    ['vmbr0', 'physical'],
    ['docker0', 'container'],
    ['virbr0', 'container'],
    ['vmbr1', 'container'],
    ['veth1', 'virtual'],
    ['dummy0', 'virtual'],
    ['tap100', 'vpn'],
    ['tailscale0', 'vpn'],
    ['ztabcdefgh', 'vpn'],
    ['wt0', 'vpn'],
    ['flannel1', 'vpn'],
    ['gre1', 'vpn'],
    ['xfrm0', 'vpn'],
    ['wt0.5', 'vpn'],
    ['circle0', 'virtual'],
    ['not in this sysfs', 'physical'],
  ])('of %s is %s', (device, kind) => {
    expect(deviceKindOf(device, read)).toBe(kind)
  })
})

function read(device: string): DeviceTexts | null {
  const texts = machine[device]
  if (texts === undefined) return null
  return { entries: [], ports: [], uevent: '', type: ethernet, ...texts }
}
