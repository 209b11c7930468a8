#!/bin/sh
# Installs what the build needs and the machine lacks: libtorch 2.11.0, in the folder of the
# first argument (default .libtorch). Says in one line what is missing. Needs no root.
set -eu

fail() { echo "setup: $1" >&2; exit 1; }

[ "$(uname -sm)" = "Linux x86_64" ] || fail "Linux on x86-64 is needed, this is $(uname -sm)"
command -v cargo >/dev/null || fail "cargo is missing: install Rust 1.95 or later from https://rustup.rs"
command -v c++ >/dev/null || fail "a C++ compiler is missing: install g++ (Debian, Ubuntu: apt-get install g++)"

# A libtorch of the user's own is taken as it is.
if [ -n "${LIBTORCH:-}" ] && [ -e "$LIBTORCH/lib/libtorch_cpu.so" ]; then
    exit 0
fi
folder=${1:-"$(dirname "$0")/../.libtorch"}
[ ! -e "$folder/torch/lib/libtorch_cpu.so" ] || exit 0

command -v python3 >/dev/null || fail "python3 is missing: install it, or set LIBTORCH to a libtorch 2.11"
python3 -m pip --version >/dev/null 2>&1 || fail "pip is missing: install python3-pip, or set LIBTORCH to a libtorch 2.11"
echo "setup: fetching libtorch 2.11.0 (544 MB) into $folder" >&2
rm -rf "$folder.partial"
python3 -m pip install --quiet --root-user-action=ignore --disable-pip-version-check --no-deps --no-compile --require-hashes \
    --only-binary=:all: --python-version 3.12 --platform manylinux_2_28_x86_64 \
    --platform manylinux_2_25_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
    --target "$folder.partial" --requirement "$(dirname "$0")/libtorch.txt" ||
    fail "libtorch could not be installed; set LIBTORCH to a libtorch 2.11 of your own"
rm -rf "$folder"
mv "$folder.partial" "$folder"
