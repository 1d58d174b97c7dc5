#!/bin/sh
# Process 1 of a guest: `init.sh JOB PROJECT`. Its root is the host's under an overlay that is forgotten with the guest;
# the job's directory alone is the host's own, at /job. Runs JOB/command, leaves its exit code in JOB/exit, powers off.
set -u
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/scratch
TMPDIR=/scratch
export PATH HOME TMPDIR

make_root() {
  mount --make-rprivate /
  mount -t tmpfs -o mode=755,size=75% overlay /mnt
  mkdir /mnt/upper /mnt/work /mnt/root
  mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
  cd /mnt/root
  mkdir -p host job scratch
  mount -t proc proc proc
  mount -t sysfs sysfs sys
  mount -t devtmpfs dev dev
  # Elsewhere udev or a container makes these; wg reads keys from /dev/stdin.
  ln -s /proc/self/fd dev/fd
  for name in stdin:0 stdout:1 stderr:2; do ln -s /proc/self/fd/${name#*:} dev/${name%:*}; done
  mkdir -p dev/pts dev/shm
  mount -t devpts devpts dev/pts
  for place in run dev/shm scratch; do mount -t tmpfs tmpfs $place; done
  # ip keeps names of namespaces here, wg and nft their sockets and locks.
  mkdir -p run/netns run/lock
  mount -t hostfs -o "$1" job job
  # Not chroot alone: who enters a mount namespace stands at its root, whatever the root of its caller.
  pivot_root . host
  exec chroot . /bin/sh "$2/test/uml/init.sh" inside "$2" </dev/console >/dev/console 2>&1
}

run_job() {
  umount -l /host
  # The host's terminal ends lines itself.
  stty -opost
  ip link set lo up
  # During a machine's first second ping takes every packet for its first, and waits for nothing.
  sleep 2
  cd "$1"
  PATH=$1/node_modules/.bin:$PATH
  # Through a pipe: nobody shall take the console for somebody who watches.
  { sh /job/command; echo $? >/job/exit.new; } </dev/null 2>&1 | cat
  mv /job/exit.new /job/exit
  # reboot(2): process 1 must not end, and no program for it comes with every Debian; perl does.
  exec perl -e 'syscall(169, 0xfee1dead, 0x28121969, 0x4321fedc, 0)'
}

if [ "$1" = inside ]; then run_job "$2"; else make_root "$1" "$2"; fi
