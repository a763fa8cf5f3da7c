#!/usr/bin/env bash
# All tests, with all that they need. Real engines, a real browser.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/phase.sh

# Where power can be cut, the tests that cut it may not be green for having tested nothing.
if [[ $(id -u) == 0 && -e /dev/fuse ]]; then
    export NATTER_TEST_POWER=required
fi

start=$SECONDS
scripts/need.sh cargo node npm python3 make

phase "Set-up: engines" make --no-print-directory tools
phase "Set-up: web packages" make --no-print-directory web/node_modules/.installed
# Before anything that compiles the gateway: it carries the web client.
phase "Web: build" make --no-print-directory web
scripts/lint.sh
phase "Web: unit tests" npm --prefix web run --silent test
phase "Rust: bugs on purpose" scripts/plant.sh
phase "Rust: tests" cargo test --workspace --locked --quiet --no-fail-fast

# Tests in a browser find Chromium and the program to test in these variables. The program is the one that the tests of
# Rust were built with.
chromium_path=$(mktemp)
trap 'rm -f "$chromium_path"' EXIT
phase "Set-up: Chromium" scripts/ensure-chromium.sh "$chromium_path"
NATTER_CHROMIUM=$(cat "$chromium_path")
NATTER_BINARY=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)/debug/natter
export NATTER_CHROMIUM NATTER_BINARY
phase "Web: tests in Chromium" npm --prefix web run --silent e2e

printf '\nAll green in %d s\n' $((SECONDS - start))
