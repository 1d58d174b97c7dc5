#!/bin/sh
# Everything that must hold before a change lands. All stages run even after one failed; the last line counts.
# --all: also the files of the lab that `npm run test:kernel` plays in virtual time.
set -u
cd "$(dirname "$0")/.."
PATH=$PWD/node_modules/.bin:$PATH
export PATH
[ "${1:-}" != --all ] || export LNET_LAB=all
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
trap 'exit 130' INT TERM

stage() {
  name=$1
  shift
  echo "== $name"
  began=$(date +%s)
  if "$@"; then outcome=ok; else outcome=failed; fi
  echo "== $name: $outcome, $(($(date +%s) - began)) s"
  echo "$name $outcome" >>"$results/stages"
  [ "$outcome" = ok ]
}

suite() {
  stage "$1" vitest run --config test/vitest.config.ts --project "$1" \
    --reporter=default --reporter=json --outputFile.json="$results/$1.json"
}

# Nothing else can run without it.
stage set-up sh test/prepare.sh && {
  stage types npm run --silent types
  stage lint npm run --silent lint
  suite unit
  suite lab
}
[ -z "${LNET_REPORTS:-}" ] || cp "$results"/*.json "$LNET_REPORTS"
node test/count.mjs "$results" unit lab
