import { join } from 'node:path'
import { connect, createNamespace, type Namespace, type Outcome, type RunOptions } from '../lab/namespace.ts'

/** A machine with a clean Debian of its own on its disk, without a service manager. */
export interface DebianMachine {
  readonly namespace: Namespace
  /** Runs a shell script inside to its end, as root. */
  run(script: string, options?: RunOptions): Promise<Outcome>
  /** Like run, but a failure is an Error. Answers what it said. */
  must(script: string, options?: RunOptions): Promise<string>
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** `debian` is only read: what is written stays in memory and goes with the namespace. */
export async function createDebian(name: string, debian: string): Promise<DebianMachine> {
  const namespace = await createNamespace(name)
  await namespace.must(['sh', '-c', opening, debian])
  const argv = (script: string) => ['chroot', '/mnt/root', 'env', '-i', ...environment, 'sh', '-c', script]
  return {
    namespace,
    run: (script, options) => namespace.run(argv(script), options),
    must: (script, options) => namespace.must(argv(script), options),
  }
}

/** Puts machines on one switch, 192.0.2.1 and so on. */
export async function cable(hub: Namespace, machines: readonly DebianMachine[]): Promise<void> {
  const links = machines.map(({ namespace }, index) => ({
    node: namespace,
    interface: 'eth0',
    addresses: [`192.0.2.${index + 1}/24`],
  }))
  await connect(hub, links)
}

/** Makes a file of this machine visible inside, at /mnt. */
export async function show({ namespace }: DebianMachine, file: string, as: string): Promise<void> {
  await namespace.must(['cp', file, join('/mnt/root/mnt', as)])
}

const environment = [`PATH=${path}`, 'HOME=/tmp', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C.UTF-8']

/** Devices as udev makes them: what this machine's own /dev lets others do is no business of the tests. */
const opening = `mount -t tmpfs lnet /mnt && cd /mnt && mkdir upper work root &&
  mount -t overlay -o "lowerdir=$0,upperdir=upper,workdir=work" lnet root && cd root &&
  mount -t proc proc proc && mount -t sysfs sysfs sys && mount -t tmpfs lnet dev && mount -t tmpfs lnet run &&
  mkdir run/lock dev/shm dev/pts dev/net && ln -s /proc/self/fd dev/fd && ln -s /proc/self/fd/0 dev/stdin &&
  mknod -m 666 dev/null c 1 3 && mknod -m 666 dev/zero c 1 5 && mknod -m 666 dev/random c 1 8 &&
  mknod -m 666 dev/urandom c 1 9 && mknod -m 666 dev/tty c 5 0 && mknod -m 666 dev/net/tun c 10 200`
