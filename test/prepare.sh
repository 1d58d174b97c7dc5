#!/bin/sh
# What every list of tests needs: this machine set up, lnet built. With --all also what is made once and kept outside the
# tree: the kernel of User-Mode Linux and clean Debians. Does nothing where LNET_PREPARED says that it was done.
set -eu
[ -z "${LNET_PREPARED:-}" ] || exit 0
cd "$(dirname "$0")/.."
sh test/setup.sh
PATH=$PWD/node_modules/.bin:$PATH
export PATH
npm run --silent build
[ "${1:-}" = --all ] || exit 0
sh test/uml/build.sh >/dev/null
sh test/package/root.sh bookworm >/dev/null
sh test/package/root.sh trixie >/dev/null
command -v lintian >/dev/null ||
  apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 lintian </dev/null >/dev/null
