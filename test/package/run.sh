#!/bin/sh
# npm run test:package: the Debian packages in clean Debians, on this kernel and under a systemd of its own. The last line counts.
set -eu
cd "$(dirname "$0")/../.."
PATH=$PWD/node_modules/.bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH
results=$(mktemp -d)
# What is missing has been said in one line by then.
trap 'rm -rf "$results"; echo "0 passed, 1 failed"' EXIT
trap 'exit 130' INT TERM

sh test/prepare.sh --all
LNET_DEBIANS="bookworm=$(sh test/package/root.sh bookworm) trixie=$(sh test/package/root.sh trixie)"
LNET_KERNEL=$(sh test/uml/build.sh)
echo 'package: building'
version=$(node -p 'require("./package.json").version')
node packaging/package.ts --out "$results"
node packaging/package.ts --out "$results" --version "$version+next" amd64 >/dev/null
LNET_DEB=$results/lnetd_${version}_amd64.deb
LNET_DEB_ARM=$results/lnetd_${version}_arm64.deb
LNET_DEB_NEXT=$results/lnetd_${version}+next_amd64.deb
export LNET_DEBIANS LNET_KERNEL LNET_DEB LNET_DEB_ARM LNET_DEB_NEXT
trap 'rm -rf "$results"' EXIT
outcome=ok
vitest run --config test/vitest.config.ts --project package --reporter=default --reporter=json \
  --outputFile.json="$results/package.json" "$@" || outcome=failed
echo "package $outcome" >"$results/stages"
[ -z "${LNET_REPORTS:-}" ] || cp "$results/package.json" "$LNET_REPORTS"
# shellcheck disable=SC2046 # one word or none
node test/count.mjs $([ $# -eq 0 ] || echo --filtered) "$results" package
