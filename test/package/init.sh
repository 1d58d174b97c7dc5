#!/bin/sh
# Process 1 of a guest until systemd is: `init.sh JOB ROOT`. A Debian root under an overlay that is forgotten with the
# guest; the job's directory is the host's own, at /job. Runs JOB/before in it, as an installer would, then boots it;
# JOB/command runs when the machine is up, with its output in JOB/log.
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root
DEBIAN_FRONTEND=noninteractive
export PATH HOME DEBIAN_FRONTEND

mount --make-rprivate /
mount -t tmpfs -o mode=755,size=75% overlay /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o "lowerdir=$2,upperdir=/mnt/upper,workdir=/mnt/work" overlay /mnt/root
cd /mnt/root
mkdir -p host job
mount -t hostfs -o "$1" job job
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t devtmpfs dev dev
mount -t tmpfs tmpfs run
cat >etc/systemd/system/job.service <<'UNIT'
[Unit]
Description=The job of this guest
After=multi-user.target

[Service]
Type=exec
Environment=DEBIAN_FRONTEND=noninteractive HOME=/tmp
WorkingDirectory=/tmp
ExecStart=/bin/sh /job/command
StandardOutput=append:/job/log
StandardError=append:/job/log
ExecStopPost=/bin/systemctl poweroff --force --force
UNIT
mkdir -p etc/systemd/system/default.target.wants
ln -s ../job.service etc/systemd/system/default.target.wants/job.service
ln -sf /lib/systemd/system/multi-user.target etc/systemd/system/default.target
chroot . /bin/sh /job/before >job/before.log 2>&1 </dev/null || echo "before: exit code $?" >>job/before.log
umount run dev sys proc
pivot_root . host
exec chroot . /lib/systemd/systemd --show-status=no </dev/console >/dev/console 2>&1
