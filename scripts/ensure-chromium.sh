#!/usr/bin/env bash
# Sees to it that there is a Chromium for the tests, and writes where into the file that is named.
# What is there is used; as root on Debian its package is installed; otherwise Playwright brings one, without root.
set -euo pipefail
cd "$(dirname "$0")/.."
into=$1

find_one() {
    local candidate
    for candidate in "${NATTER_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

debian_package() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    echo "Installing the Debian package chromium"
    # Retries, because another program may be installing something at this moment.
    apt-get -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 -qq update \
        && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 -qq -y \
            install --no-install-recommends chromium fonts-dejavu-core fonts-noto-color-emoji >/dev/null
}

playwright() {
    echo "Installing Playwright's Chromium"
    node web/node_modules/playwright-core/cli.js install --only-shell chromium
}

playwright_path() {
    (cd web && node --input-type=module -e '
        import { chromium } from "playwright-core";
        import { existsSync } from "node:fs";
        import { dirname, join } from "node:path";
        import { readdirSync } from "node:fs";
        const whole = chromium.executablePath();
        if (existsSync(whole)) { console.log(whole); process.exit(0); }
        // Only the headless shell was installed: it lies beside, under the same revision.
        const browsers = dirname(dirname(dirname(whole)));
        const revision = whole.match(/chromium-(\d+)/)?.[1];
        const folder = join(browsers, `chromium_headless_shell-${revision}`);
        for (const platform of existsSync(folder) ? readdirSync(folder) : []) {
            for (const name of ["chrome-headless-shell", "headless_shell"]) {
                const path = join(folder, platform, name);
                if (existsSync(path)) { console.log(path); process.exit(0); }
            }
        }
        process.exit(1);
    ' 2>/dev/null)
}

found=$(find_one) || found=$(playwright_path) || {
    if debian_package; then
        found=$(find_one)
    else
        playwright
        found=$(playwright_path)
    fi
} || {
    echo "ensure-chromium: no Chromium, and none could be installed: install one and set NATTER_CHROMIUM to its path" >&2
    exit 1
}
"$found" --version --no-sandbox 2>/dev/null || true
printf '%s' "$found" >"$into"
