#!/bin/sh
# The bench from a fresh clone: set-up, tools to measure with, build, then the figures. --rivals installs those as well.
set -eu
cd "$(dirname "$0")/../.."
sh test/setup.sh

# tool:package
wanted='fping:fping iperf3:iperf3'
for option; do [ "$option" != --rivals ] || wanted="$wanted tincd:tinc nebula:nebula"; done
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
missing=
for pair in $wanted; do
  command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair#*:}"
done
if [ -n "$missing" ]; then
  echo "bench: installing$missing" >&2
  # shellcheck disable=SC2086 # a list of words
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing </dev/null >/dev/null ||
    echo "bench: apt-get could not install$missing: figures that need them will be missing" >&2
fi

PATH=$PWD/node_modules/.bin:$PATH
export PATH
npm run --silent build
# A ceiling, for the crowds of --sim.
exec node --max-old-space-size=16384 test/bench/main.ts "$@"
