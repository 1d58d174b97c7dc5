#!/bin/bash
# Every list of tests, from a fresh clone, side by side where they do not need each other. Each suite ends with
# `N passed, N failed`; the last line of all is their sum. With --all nothing is left out: `npm run test:all`.
# Without, a choice that finds what the whole finds at half the time: `.ci/run`.
set -u
cd "$(dirname "$0")/.."
export CI=true
work=$(mktemp -d)
export LNET_REPORTS=$work/reports
mkdir "$LNET_REPORTS"
trap 'rm -rf "$work"' EXIT
trap 'kill $(jobs -p) 2>/dev/null; exit 130' INT TERM HUP

# suite NAME [ARGUMENT...]: runs it, then shows all it said at once, so that lanes do not interleave.
suite() {
  local began=$SECONDS status counts log=$work/$1.log
  local -a words
  npm run --silent "$@" </dev/null >"$log" 2>&1
  status=$?
  counts=$(grep -Eo '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1)
  read -r -a words <<<"${counts:-0 passed, 0 failed}"
  # Whatever ends badly without a failed test is a failure too.
  [ "$status" = 0 ] && [ -n "$counts" ] || [ "${words[2]}" != 0 ] || words[2]=1
  {
    flock 9
    echo "==== npm run $*"
    cat "$log"
    echo "${words[0]} ${words[2]}" >>"$work/counts"
    echo "$1: ${words[0]} passed, ${words[2]} failed, $((SECONDS - began)) s" >>"$work/report"
  } 9>"$work/lock"
}

if [ "${1:-}" = --all ]; then
  tests=(-- --all)
  chaos=()
  kernel=(-- --all)
else
  tests=()
  chaos=(-- --representative)
  kernel=()
fi

echo '==== set-up: first installs, the test kernel and the clean Debians are made once and kept outside the tree'
began=$SECONDS
if ! sh test/prepare.sh --all; then
  echo '0 passed, 1 failed'
  exit 1
fi
echo "set-up: $((SECONDS - began)) s" | tee "$work/report"
export LNET_PREPARED=1

# A guest has one processor, and its time is its own: what runs beside it disturbs nothing there.
suite test:kernel "${kernel[@]}" &
# What measures real time: one after the other.
suite check:node
suite test "${tests[@]}"
suite chaos "${chaos[@]}"
suite test:package
wait

echo
PATH=$PWD/node_modules/.bin:$PATH node test/slowest.mjs "$LNET_REPORTS"
echo
cat "$work/report"
awk '{ passed += $1; failed += $2 } END { printf "%d passed, %d failed\n", passed, failed; exit failed != 0 }' "$work/counts"
