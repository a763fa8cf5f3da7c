#!/usr/bin/env bash
# Fails with what to do when a program is missing.
set -euo pipefail

for program in "$@"; do
    if ! command -v "$program" >/dev/null; then
        echo "make: $program is missing. Natter is built with Rust (1.94 or later), Node (20.19 or later), Python 3 and make." >&2
        exit 1
    fi
done
