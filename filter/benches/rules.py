#!/usr/bin/env python3
"""Rules side by side: documents by CPU-second of Gopher's, C4's and FineWeb's rules, here and in datatrove.

usage: rules.py KOSMOS TEXTS.jsonl [COUNT]      (pip install datatrove==0.10.1 spacy; texts in the column "text", ids in "id")

kosmos reads the file, judges every text by every rule, keeps every value and writes Parquet, with its
start in the figure; datatrove reads the file and drops a text at the first rule, without its imports.
It is asked for COUNT texts alone (2000). Both with FineWeb's settings. For the rules alone: cargo bench -p filter --bench rules -- TEXTS.jsonl
"""

import glob
import itertools
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

import pyarrow.parquet as pq

CONFIG = """
name = "rules"
seed = 1
[sources.input]
code = 1
path = "{path}"
format.rows = {{ text = "text", id = "id" }}
[text]
rules = [{{ gopher_repetition = {{}} }}, {{ gopher_quality = {{}} }}, {{ c4 = {{ needs_end = false }} }}, {{ fineweb = {{}} }}]
validation_share = 0.0
"""


def cpu(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def kosmos(program, path, folder):
    """Returns CPU seconds and the ids of what was dropped by a rule."""
    config = folder / "rules.toml"
    config.write_text(CONFIG.format(path=path))
    before = cpu(resource.RUSAGE_CHILDREN)
    subprocess.run([program, "run", config, "--dir", folder / "run"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = cpu(resource.RUSAGE_CHILDREN) - before
    parts = glob.glob(f"{folder}/run/data/text.rules/*/dropped/*.parquet")
    dropped = {key for part in parts for key in pq.read_table(part, columns=["key"])["key"].to_pylist()}
    return seconds, dropped


def datatrove(path, count):
    """Returns CPU seconds, the ids of what was judged and those of what was dropped."""
    from datatrove.data import Document
    from datatrove.pipeline.filters import C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter

    steps = [GopherRepetitionFilter(), GopherQualityFilter(), C4QualityFilter(filter_no_terminal_punct=False), FineWebQualityFilter()]
    for step in steps:
        step.filter(Document(text="The first call loads what the step needs. " * 20, id=""))
    before, judged, dropped = cpu(resource.RUSAGE_SELF), set(), set()
    for line in itertools.islice(open(path), count):
        row = json.loads(line)
        judged.add(row["id"])
        document = Document(text=row["text"], id=row["id"])
        if any(step.filter(document) is not True for step in steps):
            dropped.add(row["id"])
    return cpu(resource.RUSAGE_SELF) - before, judged, dropped


def main():
    program, path = sys.argv[1], os.path.abspath(sys.argv[2])
    count = sum(1 for _ in open(path))
    with tempfile.TemporaryDirectory() as folder:
        ours, dropped = kosmos(program, path, pathlib.Path(folder))
    seconds, judged, their_dropped = datatrove(path, int(sys.argv[3]) if len(sys.argv) > 3 else 2_000)
    ours, theirs = count / ours, len(judged) / seconds
    dropped &= judged
    same = len(judged) - len(dropped ^ their_dropped)
    print(f"kosmos {ours:.0f} texts by CPU-second of {count}, datatrove {theirs:.0f} of {len(judged)}: {ours / theirs:.0f} times")
    print(f"of these dropped: {len(dropped)} and {len(their_dropped)}; the same decision for {same / len(judged):.1%}")


if __name__ == "__main__":
    main()
