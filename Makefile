# Two commands: `make sample` builds a small corpus and trains on it, `make test` tests everything.
.PHONY: sample test setup s3-servers

# JPEG by libjpeg-turbo wherever it can be built: twice as fast. `make FEATURES=` leaves it out.
FEATURES := $(shell command -v cmake >/dev/null && command -v nasm >/dev/null && echo --features libjpeg-turbo)

sample: setup
	cargo run --release --locked $(FEATURES) -- run sample

test: setup s3-servers
	cargo test --release --locked $(FEATURES)

setup:
	@setup/setup.sh

s3-servers:
	@setup/s3-servers.sh
