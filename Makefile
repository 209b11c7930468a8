# Two commands: `make sample` builds a small corpus and trains on it, `make test` tests everything.
.PHONY: sample test setup

sample: setup
	cargo run --release --locked -- run sample

test: setup
	cargo test --release --locked

setup:
	@setup/setup.sh
