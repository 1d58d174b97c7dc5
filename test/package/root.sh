#!/bin/sh
# `root.sh SUITE`: makes the root directory of a clean Debian once and prints its path. Beside the smallest Debian with
# systemd there are only the archives of what lnetd depends on, not installed: its installation needs no network. About
# a minute and 400 MB; several runs at once wait for each other.
set -eu
suite=$1
script=$(cd "$(dirname "$0")" && pwd)/root.sh
mirror=http://deb.debian.org/debian
depends='iproute2 wireguard-tools nftables wireguard-go'
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH DEBIAN_FRONTEND=noninteractive

fail() {
  echo "package: $1" >&2
  exit 1
}

cache=${XDG_CACHE_HOME:-$HOME/.cache}/lnet/debian
root=$cache/$suite-$(sha256sum "$script" | cut -c1-16)
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [ ! -d "$root" ]; then
  command -v debootstrap >/dev/null ||
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 debootstrap </dev/null >/dev/null ||
    fail 'apt-get could not install debootstrap'
  # Left behind by one that was killed.
  rm -rf "$cache"/*.new
  echo "package: making a Debian $suite, about a minute" >&2
  include=systemd,systemd-sysv,udev,iputils-ping,procps
  debootstrap --variant=minbase --include="$include" "$suite" "$root.new" "$mirror" >"$cache/$suite.log" 2>&1 ||
    fail "debootstrap: $(tail -n 3 "$cache/$suite.log")"
  # shellcheck disable=SC2086 # a list of words
  chroot "$root.new" apt-get install -y -qq --download-only --no-install-recommends $depends </dev/null >"$cache/$suite.log" 2>&1 ||
    fail "apt-get: $(tail -n 3 "$cache/$suite.log")"
  mv "$root.new" "$root"
fi
echo "$root"
