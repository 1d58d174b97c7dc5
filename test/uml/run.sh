#!/bin/sh
# npm run test:kernel [-- SUITE...] [OPTIONS]: the tests that need a kernel of their own, in User-Mode Linux. The last line counts.
set -eu
cd "$(dirname "$0")/../.."
PATH=$PWD/node_modules/.bin:$PATH
export PATH
# What is missing has been said in one line by then.
trap 'echo "0 passed, 1 failed"' EXIT
sh test/prepare.sh
trap - EXIT
exec node test/uml/main.ts "$@"
