#!/bin/sh
# The chaos list from a fresh clone: set-up, build, then faults done to real daemons in network namespaces.
set -eu
cd "$(dirname "$0")/../.."
sh test/prepare.sh
PATH=$PWD/node_modules/.bin:$PATH
export PATH
exec node test/chaos/main.ts "$@"
