#!/usr/bin/env python3
"""Near-duplicates of a generated corpus: recall by similarity next to theory, precision, cost.

usage: near.py KOSMOS FOLDER [KEY=VALUE...]

FOLDER is one that the example near_corpus wrote; KEY=VALUE go to `kosmos run dedup --set`. Pairs are those of
documents with one copy: a pair is found if one of the two was dropped, and theory says how often that should be,
1 - (1 - j^8)^14 for FineWeb's 14 bands of 8 rows. What is dropped and neither a copy nor copied is a mistake.
"""

import collections
import glob
import json
import re
import resource
import subprocess
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq

COPY = re.compile(r"c\d+-of-(\d+)-by-(\d+)")


def jaccard(edits):
    """Of five-word shingles of 250 words of which so many are replaced at even distances, the last one too."""
    return (250 - 5 * edits) / (242 + 5 * edits)


def main():
    program, corpus, settings = sys.argv[1], sys.argv[2], sys.argv[3:]
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "run", "dedup", "--dir", f"{folder}/run", "--set", f"sources.input.path={corpus}"]
        for setting in settings:
            command += ["--set", setting]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        dropped = set()
        for part in glob.glob(f"{folder}/run/data/text/*/dropped/*.parquet"):
            dropped.update(pq.read_table(part, columns=["key"])["key"].to_pylist())
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    copies, documents = collections.defaultdict(list), 0
    for part in glob.glob(f"{corpus}/*.jsonl.zst"):
        for line in pa.input_stream(part, compression="zstd").read().splitlines():
            key = json.loads(line)["id"]
            documents += 1
            if match := COPY.fullmatch(key):
                copies[match[1]].append((key, int(match[2])))
    families = {f"b{base}" for base in copies} | {key for of in copies.values() for key, _ in of}
    found = collections.defaultdict(lambda: [0, 0])
    for base, of in copies.items():
        if len(of) == 1:
            (key, edits), = of
            found[edits][0] += key in dropped or f"b{base}" in dropped
            found[edits][1] += 1
    seconds = used.ru_utime + used.ru_stime
    print(f"{documents} documents, {len(dropped)} dropped, {len(dropped - families)} of them by mistake")
    print(f"{seconds:.1f} CPU-seconds, {seconds / documents * 1e6:.1f} us by document, {used.ru_maxrss / 1024:.0f} MiB at most")
    print("Jaccard   pairs   found  theory")
    for edits in sorted(found):
        j = jaccard(edits)
        print(f"{j:7.3f} {found[edits][1]:7} {found[edits][0] / found[edits][1]:7.3f} {1 - (1 - j ** 8) ** 14:7.3f}")


if __name__ == "__main__":
    main()
