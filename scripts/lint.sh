#!/usr/bin/env bash
# Everything that can be judged without running it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/phase.sh

phase "Rust: format" cargo fmt --all --check
phase "Rust: clippy" cargo clippy --workspace --all-targets --locked -- --deny warnings
phase "Web: lint and types" npm --prefix web run --silent lint
