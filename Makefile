# All that a fresh machine with Rust, a C compiler and Node needs.
#
#   make run    the shop that comes with Weir, with GraphiQL
#   make example-blog  another graph, before its recorded service; also payments, catalogue
#   make test   everything that must hold; installs what the tests need
#   make bench  how fast it is, beside others
#   make check  the quick part of `make test`, for between two thoughts
#   make fmt    lays out all code
#   make fuzz   hostile texts, SECONDS=100 of them for each of six targets; see docs/fuzzing.md
#   make differential  federation against unsplit data, CASES=100000 of them; see docs/federation.md
#   make audit  licences, sources and unused dependencies; compiles its tools once

.PHONY: run test check fmt bench ui tools fuzz fuzz-keep differential audit

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

# The service stops when Weir does.
example-%: export TOKEN ?= sk_test_weir
example-%: ui
	cargo build --release --package weir --package mocks
	cargo run --release --quiet --package mocks -- recorded examples/$*/recorded --port 5010 & service=$$!; \
	trap 'kill $$service 2>/dev/null' EXIT; \
	cargo run --release --quiet --package weir -- serve --config examples/$*/weir.yaml

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

# Coverage comes from the compiler's unstable flags; Rust is the stable one all the same.
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

# What was found becomes the corpus that the tests replay: few short texts, 300 a target at most,
# chosen by their hashes.
fuzz-keep: fuzz-tools
	for target in $(FUZZ_TARGETS); do \
		mkdir -p fuzz/corpus/$$target && rm -rf fuzz/kept && mkdir fuzz/kept && \
		$(FUZZ) $$target fuzz/kept schema/tests/corpus/$$target fuzz/corpus/$$target -- -set_cover_merge=1 -max_len=2000 && \
		ls fuzz/kept | tail -n +301 | (cd fuzz/kept && xargs -r rm) && \
		rm -rf schema/tests/corpus/$$target && mv fuzz/kept schema/tests/corpus/$$target || exit 1; \
	done

CASES ?= 100000

differential:
	WEIR_CASES=$(CASES) cargo test --release --package resolvers --test differential -- --nocapture

audit:
	command -v cargo-machete >/dev/null || cargo install --locked cargo-machete@0.9.2
	command -v cargo-deny >/dev/null || cargo install --locked cargo-deny@0.20.2
	cargo machete
	cargo deny check bans licenses sources
