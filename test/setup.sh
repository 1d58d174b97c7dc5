#!/bin/sh
# Makes a Debian machine able to build, test and run the lab: missing packages, node_modules, then a look at the
# kernel. Quick when nothing is missing; several at once wait for each other.
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH

fail() {
  echo "setup: $1" >&2
  exit 1
}

[ "$(uname -s)" = Linux ] || fail 'network namespaces need Linux'
[ "$(id -u)" = 0 ] || fail 'network namespaces need root: run as root'
exec 9>/run/lnet-setup.lock
flock 9

# tool:package
wanted='ip:iproute2 bridge:iproute2 wg:wireguard-tools wireguard-go:wireguard-go nft:nftables
  ping:iputils-ping tcpdump:tcpdump capsh:libcap2-bin pkill:procps script:bsdutils
  iptables-legacy:iptables iptables-nft:iptables ipset:ipset tc:iproute2 busybox:busybox'
missing=
for pair in $wanted; do
  command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair#*:}"
done

if [ -n "$missing" ]; then
  command -v apt-get >/dev/null || fail "no apt-get here: install by hand:$missing"
  echo "setup: installing$missing"
  export DEBIAN_FRONTEND=noninteractive
  install() {
    # shellcheck disable=SC2086 # a list of words
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 $missing </dev/null
  }
  # An old or absent package list fails the first attempt.
  install >/dev/null 2>&1 || { apt-get update -qq && install >/dev/null; } || fail "apt-get could not install$missing"
fi

command -v npm >/dev/null || fail 'npm is missing: install nodejs and npm'
if ! node test/installed.mjs; then
  echo 'setup: npm ci'
  # npm ends an error with a page of its options.
  said=$(npm ci --no-audit --no-fund --loglevel=error </dev/null 2>&1) || fail "npm ci: $(echo "$said" | head -n 15)"
fi
node_modules/.bin/node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 24 ? 0 : 1)' 2>/dev/null ||
  fail "no Node 24 for $(uname -m): npm has one for x64 and arm64 only, install it by hand"

# In namespaces of its own, so that nothing here meets the machine's interfaces.
try() {
  unshare --net --mount sh -c "$1" >/dev/null 2>&1 9>&-
}
try true || fail 'may not make network namespaces: run with CAP_SYS_ADMIN (docker: --privileged)'
try 'ip link add lnet-a type veth peer name lnet-b' || fail 'this kernel has no veth: load the module veth'
try 'ip link add lnet-a type bridge' || fail 'this kernel has no bridge: load the module bridge'
try 'ip link add lnet-a type vxlan id 1 dstport 4789' || fail 'this kernel has no VXLAN: load the module vxlan'
try 'nft add table inet lnet' || fail 'this kernel has no nftables: load the module nf_tables'
try 'ip link add lnet-a type wireguard' || [ -c /dev/net/tun ] ||
  fail 'neither WireGuard in the kernel nor /dev/net/tun for wireguard-go: load the module wireguard or tun'
