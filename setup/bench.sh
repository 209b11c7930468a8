#!/bin/bash
# Runs the benchmarks that need no GPU, each below the section of docs/benchmarks.md with the committed figures.
#
# usage: bench.sh KOSMOS [SECTION...]      (all sections without names; `bench.sh KOSMOS list` names them)
#
#   DATA      folder of inputs; what it lacks is skipped, and said so:
#               html/{aeb,trafilatura,readability,wcxb}   labelled pages (ingest/forest/train.py tells of them)
#               archive.warc.gz                           any WARC file
#               docs.jsonl, truth.jsonl                   texts, and which are planted copies (filter/benches/peers.py)
#               items.jsonl                               texts that docs.jsonl does not hold
#               photos/                                   JPEG files
#               tokenizer.model, lines.txt                a SentencePiece unigram model, and any text
#   DOCUMENTS documents to generate (default 100000); ten times as many rows of pairs
#
# Peers are installed into a virtual environment in the user's cache.
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
: "${1:?usage: bench.sh KOSMOS [SECTION...]}"
kosmos=$(realpath "$1") || exit 2
shift
data=${DATA:+$(realpath "$DATA")}
documents=${DOCUMENTS:-100000}
peers=${XDG_CACHE_HOME:-$HOME/.cache}/kosmos/bench-tools
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
cd "$root" || exit 1

# name | heading in docs/benchmarks.md | what it needs in DATA | Python packages
sections='
main-text|Main text|html html/aeb|trafilatura==2.3.1 resiliparse==2.0.1 lightgbm numpy
archives|Archives|archive.warc.gz|
rules|Rules|docs.jsonl|datatrove[processing]==0.10.1 spacy==3.8.18 pyarrow
peers|Near-duplicates|docs.jsonl truth.jsonl|rensa==0.5.0 datatrove[processing]==0.10.1 spacy==3.8.18 pyarrow
near|Near-duplicates||pyarrow
repeats|Repeated passages|docs.jsonl|datatrove[processing]==0.10.1 spacy==3.8.18 pyarrow
decontamination|Decontamination|docs.jsonl items.jsonl|pyarrow
images|Images|photos|img2dataset==1.47.0
pairs|Metadata of pairs||pyarrow numpy
tokenizer|Tokenizer|tokenizer.model lines.txt|sentencepiece==0.2.3 tokenizers==0.23.3 protobuf==7.36.2
sealing|Sealing||
training-step|Training step||'

# Of the whole workspace, as the tests are built: of one crate dependencies have other features, and would be built again.
# shellcheck disable=SC2086
cargo_bench() { cargo bench --quiet --locked ${FEATURES:-} --bench "$@"; }
# shellcheck disable=SC2086
example() {
    cargo build --quiet --release --locked ${FEATURES:-} --example "$1" && "$(dirname "$kosmos")/examples/$1" "${@:2}"
}

run() {
    case $1 in
    main-text)
        "$python" ingest/benches/main_text.py "$kosmos" "$data/html" && cargo_bench extract -- "$data/html/aeb" ;;
    archives) cargo_bench warc -- "$data/archive.warc.gz" ;;
    rules)
        cargo_bench rules -- "$data/docs.jsonl" && "$python" filter/benches/rules.py "$kosmos" "$data/docs.jsonl" ;;
    peers)
        "$python" filter/benches/peers.py "$kosmos" "$data/docs.jsonl" "$data/truth.jsonl" --rounds 3 --workers 1 ;;
    near)
        example near_corpus "$work/near" "$documents" && "$python" filter/benches/near.py "$kosmos" "$work/near" ;;
    repeats) "$python" filter/benches/repeats.py "$kosmos" "$data/docs.jsonl" ;;
    decontamination)
        "$python" filter/benches/decontaminate.py "$kosmos" "$data/docs.jsonl" "$data/items.jsonl" ;;
    images)
        "$python" ingest/images/benches/images.py "$kosmos" "$(dirname "$python")/img2dataset" "$data/photos" --runs 3 --urls 3000 ;;
    pairs) "$python" filter/benches/pairs.py "$kosmos" --rows $((10 * documents)) --list 16 ;;
    tokenizer) "$python" shard/benches/tokenizer.py "$kosmos" "$data/tokenizer.model" "$data/lines.txt" ;;
    sealing) cargo_bench seal -- 100000 ;;
    training-step) cargo_bench step ;;
    esac
}

# Prints a section of the committed figures.
committed() { awk -v heading="## $1" '/^## /{ shown = ($0 == heading) } shown' docs/benchmarks.md; }

# Names what DATA lacks.
lacking() {
    for need in $1; do
        [ -n "$data" ] && [ -e "$data/$need" ] || { echo "$need"; return; }
    done
}

# Makes the environment with a section's packages; one per set of packages, since peers disagree about theirs.
install() {
    python=python3
    [ -n "$1" ] || return 0
    folder=$peers/$(echo "$1" | sha256sum | cut -c1-16)
    python=$folder/bin/python
    [ -e "$folder/done" ] && return 0
    rm -rf "$folder"
    # shellcheck disable=SC2086
    python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check $1 && touch "$folder/done"
}

for name in "$@"; do
    [ "$name" = list ] || grep -q "^$name|" <<<"$sections" || { echo "bench: there is no section $name; there are:"; "$root/setup/bench.sh" "$kosmos" list; exit 2; } >&2
done
while IFS='|' read -r name heading needs packages; do
    [ -n "$name" ] || continue
    [ "${1:-}" != list ] || { echo "$name"; continue; }
    [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
    missing=$(lacking "$needs")
    if [ -n "$missing" ]; then
        echo "bench: $name is skipped: DATA names no folder with $missing" >&2
        continue
    fi
    echo "==== $name: committed"
    committed "$heading"
    echo "==== $name: here, $(date -u +%F), $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2- | xargs), $(nproc) cores"
    { install "$packages" && run "$name"; } </dev/null || { echo "bench: $name failed" >&2; failed=1; }
done <<<"$sections"
exit $failed
