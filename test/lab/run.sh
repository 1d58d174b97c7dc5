#!/bin/sh
# The lab from a fresh clone: set-up, build, then a mesh of real daemons in network namespaces.
set -eu
cd "$(dirname "$0")/../.."
sh test/setup.sh
PATH=$PWD/node_modules/.bin:$PATH
export PATH
npm run --silent build
exec node test/lab/main.ts "$@"
