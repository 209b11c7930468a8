#!/bin/sh
# Packs both executables with licences and documentation into dist/, beside a checksum. Says which glibc they need, and
# refuses one above GLIBC_MAX. usage: dist.sh FOLDER-OF-EXECUTABLES
set -eu

GLIBC_MAX=2.34

fail() { echo "dist: $1" >&2; exit 1; }

root=$(cd "$(dirname "$0")/.." && pwd)
built=${1:?usage: dist.sh FOLDER-OF-EXECUTABLES}
version=$("$built/kosmos" --version | cut -d ' ' -f 2)
name="kosmos-$version-x86_64-linux"
staging=$(mktemp -d)
trap 'rm -rf "$staging"' EXIT

mkdir "$staging/$name"
for program in kosmos kosmos-torch; do
    [ -x "$built/$program" ] || fail "$built/$program is missing: run make build"
    strip -o "$staging/$name/$program" "$built/$program"
    needed=$(objdump -T "$staging/$name/$program" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -uV | tail -n 1)
    highest=$(printf '%s\n%s\n' "$needed" "$GLIBC_MAX" | sort -V | tail -n 1)
    [ "$highest" = "$GLIBC_MAX" ] || fail "$program needs glibc $needed, more than $GLIBC_MAX"
    echo "dist: $program needs glibc $needed" >&2
done
cp -r "$root/README.md" "$root/CHANGELOG.md" "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$root/docs" "$staging/$name"

mkdir -p "$root/dist"
# The same bytes from the same executables.
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$staging" -cf - "$name" | gzip -9n >"$root/dist/$name.tar.gz"
(cd "$root/dist" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
cat "$root/dist/$name.tar.gz.sha256"
