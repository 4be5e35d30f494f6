# All that a fresh machine with Rust, a C compiler and Node needs.
#
#   make run    the shop that comes with Weir, with GraphiQL
#   make test   everything that must hold; installs what the tests need
#   make bench  how fast it is, beside others
#   make check  the quick part of `make test`, for between two thoughts
#   make fmt    lays out all code
#   make audit  licences, sources and unused dependencies; compiles its tools once

.PHONY: run test check fmt bench ui tools audit

PAGE := gateway/ui/dist/index.html.br
PAGE_SOURCES := $(wildcard gateway/ui/*.js gateway/ui/*.json gateway/ui/index.html gateway/ui/src/*)
TEST_PACKAGES := $(patsubst %,gateway/tests/%/node_modules/.package-lock.json,browser audit)

run: ui
	cargo run --release --package weir

ui: $(PAGE)

$(PAGE): $(PAGE_SOURCES) gateway/ui/node_modules/.package-lock.json
	npm --prefix gateway/ui run build

# One rule for the page and for the tests that Node runs.
%/node_modules/.package-lock.json: %/package-lock.json
	npm --prefix $* ci --no-audit --no-fund
	touch $@

test: export INSTA_UPDATE = no
test: export WEIR_REQUIRE_BROWSER = 1
test: tools ui $(TEST_PACKAGES)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps --quiet
	cargo nextest run --workspace
	cargo test --workspace --doc --quiet

check:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	cargo nextest run --workspace

fmt:
	cargo fmt --all

bench:
	cargo run --release --package bench

# Debian's packages, and the test runner; each only when it is missing.
SUDO := $(shell test "$$(id -u)" = 0 || echo sudo)
INSTALL := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends

tools:
	command -v redis-server >/dev/null && test -x /usr/bin/chromium || $(SUDO) apt-get update --quiet
	command -v redis-server >/dev/null || $(INSTALL) redis-server
	test -x /usr/bin/chromium || $(INSTALL) chromium
	command -v cargo-nextest >/dev/null || cargo install --locked cargo-nextest@0.9.143

audit:
	command -v cargo-machete >/dev/null || cargo install --locked cargo-machete@0.9.2
	command -v cargo-deny >/dev/null || cargo install --locked cargo-deny@0.20.2
	cargo machete
	cargo deny check bans licenses sources
