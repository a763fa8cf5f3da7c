#!/usr/bin/env bash
# Builds the program a second time, with bugs on purpose in it, beside the first: what the fault harness is proven with.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --quiet --locked --package natter --features planted-bugs
folder=${CARGO_TARGET_DIR:-target}/debug
cp "$folder/natter" "$folder/natter-planted.new"
mv "$folder/natter-planted.new" "$folder/natter-planted"
# What people run is what stands there again.
cargo build --quiet --locked --package natter
