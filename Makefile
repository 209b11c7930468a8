# Two commands: `make sample` builds a small corpus and trains on it, `make test` tests everything.
.PHONY: sample test build setup s3-servers

# JPEG by libjpeg-turbo wherever it can be built: twice as fast. `make FEATURES=` leaves it out.
FEATURES := $(shell command -v cmake >/dev/null && command -v nasm >/dev/null && echo --features libjpeg-turbo)

sample: build
	cargo run --release --locked $(FEATURES) -- run sample

test: setup s3-servers
	cargo test --release --locked $(FEATURES)

# `kosmos`, and `kosmos-torch` beside it, which it goes on as where tensors are computed. Of the package alone, as
# `cargo run` builds it: of the whole workspace dependencies have other features, and would be built twice.
build: setup
	cargo build --release --locked --package kosmos $(FEATURES)

setup:
	@setup/setup.sh

s3-servers:
	@setup/s3-servers.sh
