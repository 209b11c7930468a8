# Two commands: `make sample` builds a small corpus and trains on it, `make test` tests everything.
.PHONY: sample test bench docs build dist wheel setup test-tools

# JPEG by libjpeg-turbo wherever it can be built: twice as fast. `make FEATURES=` leaves it out.
FEATURES := $(shell command -v cmake >/dev/null && command -v nasm >/dev/null && echo --features libjpeg-turbo)

sample: build
	cargo run --release --locked $(FEATURES) -- run sample

test: setup test-tools
	cargo test --release --locked $(FEATURES)

# Runs the benchmarks that need no GPU, beside the committed figures: `make bench DATA=FOLDER SECTIONS="near pairs"`.
bench: build
	FEATURES="$(FEATURES)" DATA="$(DATA)" setup/bench.sh "$${CARGO_TARGET_DIR:-target}/release/kosmos" $(SECTIONS)

# Writes the pages of docs/ that are generated; `make test` compares them.
docs: setup
	KOSMOS_WRITE_DOCS=1 cargo test --release --locked $(FEATURES) --test pipeline reference

# `kosmos`, and `kosmos-torch` beside it, which it goes on as where tensors are computed. Of the package alone, as
# `cargo run` builds it: of the whole workspace dependencies have other features, and would be built twice.
build: setup
	cargo build --release --locked --package kosmos $(FEATURES)

# An archive of both executables in dist/, with a checksum.
dist: build
	@setup/dist.sh "$${CARGO_TARGET_DIR:-target}/release"

# The Python package, with the command `kosmos` in it, in dist/.
wheel: setup
	python3 -m pip wheel --no-deps --wheel-dir dist ./python

setup:
	@setup/setup.sh

test-tools:
	@setup/test-tools.sh
