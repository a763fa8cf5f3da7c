# Natter on a machine with Rust, Node, Python and make, and nothing else.
#
#   make run     everything on this machine, at http://localhost:8080; options: make run ARGS="--listen 0.0.0.0:8080"
#   make test    all tests, with all they need
#   make torture breaks a deployment for MINUTES (10 if not said) and reports; SEED=… for the same plan again
#   make lint    what make test checks before it tests
#   make fmt     formats everything
#   make clean   removes everything that make has made; never ./data

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.NOTPARALLEL:
.PHONY: run test torture lint fmt clean tools web

CARGO_TARGET := $(or $(CARGO_TARGET_DIR),target)
WEB_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' -not -path 'web/dist/*' 2>/dev/null)

run: tools web
	@cargo build --release --locked --package natter
	@exec "$(CARGO_TARGET)/release/natter" up $(ARGS)

test:
	@scripts/test.sh

torture: tools web
	@cargo build --release --locked --package natter --package natter-tests
	@"$(CARGO_TARGET)/release/natter-tests" --natter "$(CARGO_TARGET)/release/natter" --minutes $(or $(MINUTES),10) \
	  $(if $(SEED),--seed $(SEED)) --report torture-report.txt $(ARGS)

lint: web/node_modules/.installed
	@scripts/lint.sh

fmt: web/node_modules/.installed
	@cargo fmt --all
	@npm --prefix web run --silent format

clean:
	@rm -rf "$(CARGO_TARGET)" .tools web/dist web/node_modules web/test-results web/screenshots

# The pinned engines, in .tools/. Takes milliseconds when they are there.
tools:
	@scripts/fetch-tools.sh

# The web client, which is built into the binary.
web: web/dist/index.html
	@:

web/dist/index.html: web/node_modules/.installed $(WEB_SOURCES)
	@npm --prefix web run --silent build
	@touch $@

# Packages are installed again only when the lock file says something new.
web/node_modules/.installed: web/package-lock.json
	@scripts/need.sh node npm
	@npm --prefix web ci --no-audit --no-fund --loglevel=error
	@touch $@
