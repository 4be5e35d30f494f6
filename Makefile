# Build, test and measure Weir. Needs Rust, a C compiler, Node and python3; on Debian, `make tools` installs the rest.
#
#   make run           build GraphiQL and a release binary, and serve the demo
#   make install       install `weir` with GraphiQL into ~/.cargo/bin
#   make example-blog  serve an example with its recorded service; also payments, catalogue, issues, library
#   make check         format, clippy and tests: between two edits
#   make test          everything that a change must pass; installs the tools of the tests
#   make bless         rewrite all snapshots and generated documents
#   make fmt           format all code
#   make bench         benchmarks, see docs/benchmarks.md
#   make fuzz          SECONDS=100 for each fuzz target, see docs/fuzzing.md
#   make differential  CASES=100000 random operations on random graphs, see docs/federation.md
#   make smoke         a few seconds of each fuzz target and of one benchmark: do they still work?
#   make audit         licences, sources and unused dependencies

.PHONY: run install test check bless fmt bench ui tools fuzz fuzz-tools fuzz-keep differential smoke audit

PAGE := gateway/ui/dist/index.html.br
PAGE_SOURCES := $(wildcard gateway/ui/*.js gateway/ui/*.json gateway/ui/index.html gateway/ui/src/*)
TEST_PACKAGES := $(patsubst %,gateway/tests/%/node_modules/.package-lock.json,browser audit)

run: ui
	cargo run --release --package weir

install: ui
	cargo install --locked --path gateway

ui: $(PAGE)

$(PAGE): $(PAGE_SOURCES) gateway/ui/node_modules/.package-lock.json
	npm --prefix gateway/ui run build

# For GraphiQL and for the tests that run in Node.
%/node_modules/.package-lock.json: %/package-lock.json
	npm --prefix $* ci --no-audit --no-fund
	touch $@

# The trap stops the recorded service together with Weir.
example-%: export TOKEN ?= sk_test_weir
example-%: ui
	cargo build --release --package weir --package mocks
	cargo run --release --quiet --package mocks -- recorded examples/$*/recorded --port 5010 & service=$$!; \
	trap 'kill $$service 2>/dev/null' EXIT; \
	cargo run --release --quiet --package weir -- serve --config examples/$*/weir.yaml

# Missing tools fail a test here; `cargo nextest run` alone skips it.
test: export INSTA_UPDATE = no
test: export WEIR_REQUIRE_BROWSER = 1
test: export WEIR_REQUIRE_REDIS = 1
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

# The test binaries with expected files or snapshots. Inline snapshots are collected first, then written into the
# sources by `cargo insta`.
BLESSED := --package schema --package resolvers --package weir --lib \
	$(addprefix --test ,codes compose configuration diagnostics engine supergraph)

bless: export INSTA_UPDATE = always
bless: export INSTA_FORCE_PASS = 1
bless: export WEIR_BLESS = 1
bless:
	command -v cargo-insta >/dev/null || cargo install --locked cargo-insta@1.49.0
	cargo nextest run --no-fail-fast $(BLESSED)
	cargo insta accept

fmt:
	cargo fmt --all

# `bench` alone would build Weir again: with other features of the shared dependencies.
bench:
	cargo build --release --package weir --package bench
	target/release/bench --weir target/release/weir

# Debian packages and the test runner; each is installed only if it is missing.
SUDO := $(shell test "$$(id -u)" = 0 || echo sudo)
INSTALL := $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends

tools:
	command -v redis-server >/dev/null && test -x /usr/bin/chromium || $(SUDO) apt-get update --quiet
	command -v redis-server >/dev/null || $(INSTALL) redis-server
	test -x /usr/bin/chromium || $(INSTALL) chromium
	command -v cargo-nextest >/dev/null || cargo install --locked cargo-nextest@0.9.143

# Coverage needs unstable flags of the compiler; RUSTC_BOOTSTRAP permits them with stable Rust.
SECONDS ?= 100
FUZZ := RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none
FUZZ_TARGETS := $(basename $(notdir $(wildcard fuzz/targets/*.rs)))
FUZZ_LIMITS := -timeout=5 -rss_limit_mb=2048 -max_len=8192
DICTIONARY_template := mapping
DICTIONARY_evaluate := mapping

fuzz: $(FUZZ_TARGETS:%=fuzz-%)

fuzz-tools:
	command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz@0.13.2

fuzz-%: fuzz-tools
	mkdir -p fuzz/corpus/$*
	$(FUZZ) $* fuzz/corpus/$* schema/tests/corpus/$* -- $(FUZZ_LIMITS) -max_total_time=$(SECONDS) \
		-print_final_stats=1 -dict=fuzz/dictionaries/$(or $(DICTIONARY_$*),$*).dict

# Replaces the corpus that the tests replay: the shortest inputs with the same coverage, at most 300 for each target,
# selected by their hashes.
fuzz-keep: fuzz-tools
	for target in $(FUZZ_TARGETS); do \
		mkdir -p fuzz/corpus/$$target && rm -rf fuzz/merged && mkdir fuzz/merged && \
		$(FUZZ) $$target fuzz/merged schema/tests/corpus/$$target fuzz/corpus/$$target -- -set_cover_merge=1 -max_len=2000 && \
		ls fuzz/merged | tail -n +301 | (cd fuzz/merged && xargs -r rm) && \
		rm -rf schema/tests/corpus/$$target && mv fuzz/merged schema/tests/corpus/$$target || exit 1; \
	done

CASES ?= 100000

differential:
	WEIR_CASES=$(CASES) cargo test --release --package resolvers --test differential -- --nocapture

# The benchmark builds with few optimizations, in a third of the time: it only has to work.
SMOKE_PROFILE := CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16

smoke: SECONDS := 5
smoke: fuzz
	$(SMOKE_PROFILE) cargo build --release --package weir --package bench
	target/release/bench --weir target/release/weir --only Q1 --rounds 1 --seconds 1

audit:
	command -v cargo-machete >/dev/null || cargo install --locked cargo-machete@0.9.2
	command -v cargo-deny >/dev/null || cargo install --locked cargo-deny@0.20.2
	cargo machete
	cargo deny check bans licenses sources
