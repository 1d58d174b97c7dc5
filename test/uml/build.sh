#!/bin/sh
# Builds the kernel of the test bed once and prints its path. What it is made of, Debian's source at its version and
# kernel.config, names its place in the cache; several runs at once wait for each other. About 4 minutes, 2 GB meanwhile.
set -eu
cd "$(dirname "$0")"
config=$PWD/kernel.config
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH DEBIAN_FRONTEND=noninteractive

say() {
  echo "uml: $1" >&2
}

fail() {
  say "$1"
  exit 1
}

# The newest kernel line first: 6.12 is what bookworm offers beside its own 6.1.
source_version() {
  for package in linux-source-6.12 linux-source-6.1; do
    version=$(apt-cache show --no-all-versions "$package" 2>/dev/null | sed -n 's/^Version: //p' | head -n 1)
    [ -z "$version" ] || return 0
  done
  return 1
}

install_tools() {
  missing=
  for pair in flex:flex bison:bison bc:bc xz:xz-utils gcc:gcc make:make; do
    command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair#*:}"
  done
  [ -e /usr/include/stdio.h ] || missing="$missing libc6-dev"
  [ -n "$missing" ] || return 0
  say "installing$missing"
  # shellcheck disable=SC2086 # a list of words
  apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 $missing </dev/null >/dev/null
}

# In the directory it is called in: the source, unpacked, under linux-source-*.
fetch_source() {
  say "fetching $package $version"
  # As root without its sandbox: the user _apt may not write to a cache of root's own.
  apt-get download -qq -o APT::Sandbox::User=root "$package=$version" </dev/null >/dev/null
  dpkg-deb --fsys-tarfile "$package"_*.deb | tar -x ./usr/src
  rm "$package"_*.deb
  tar -xf usr/src/linux-source-*.tar.xz
  rm -r usr
}

# Every line of ours must have survived: an option whose dependencies are missing vanishes without a word.
check_config() {
  while IFS= read -r line; do
    case $line in
      *=y) grep -qx "$line" .config || fail "kernel.config: $line did not become true" ;;
      *=n) ! grep -q "^${line%=n}=" .config || fail "kernel.config: $line did not become true" ;;
    esac
  done <"$config"
}

compile() {
  say 'compiling, about 4 minutes'
  {
    make -s ARCH=um allnoconfig KCONFIG_ALLCONFIG="$config"
    check_config
    nice -n 19 make -s ARCH=um -j2 linux
  } >"$1" 2>&1 || fail "$(tail -n 20 "$1")"
}

[ "$(uname -m)" = x86_64 ] || fail "User-Mode Linux runs on x86_64 only, this is $(uname -m)"
command -v apt-get >/dev/null || fail 'no apt-get here: the kernel is made from the linux-source of Debian'
# An old package list knows the older line only.
source_version && [ "$package" = linux-source-6.12 ] || apt-get update -qq >&2 || say 'apt-get update failed'
source_version ||
  fail 'apt knows no linux-source: add a Debian source with linux-source-6.12 (or -6.1) and run apt-get update'

cache=${XDG_CACHE_HOME:-$HOME/.cache}/lnet/uml
key=$(printf '%s\n' "$package $version" | cat - "$config" | sha256sum | cut -c1-16)
kernel=$cache/$key/linux
if [ ! -x "$kernel" ]; then
  mkdir -p "$cache"
  exec 9>"$cache/lock"
  flock 9
fi
if [ ! -x "$kernel" ]; then
  install_tools || fail "apt-get could not install$missing"
  # What a build that was killed left behind is in the way of nobody but the disk.
  rm -rf "$cache"/build.*
  build=$(mktemp -d "$cache/build.XXXXXX")
  trap 'rm -rf "$build"' EXIT
  trap 'exit 130' INT TERM
  cd "$build"
  fetch_source || fail "apt-get could not download $package $version: is the machine online, is 2 GB free?"
  cd linux-source-*
  compile "$build/log"
  mkdir -p "$cache/$key"
  mv linux "$cache/$key/linux.new"
  mv "$cache/$key/linux.new" "$kernel"
  say "built $package $version"
fi
echo "$kernel"
