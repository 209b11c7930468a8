#!/usr/bin/env python3
"""Decontamination measured: items of an evaluation set are put into texts, and looked for.

usage: decontaminate.py KOSMOS TEXTS.jsonl ITEMS.jsonl      (both with texts in the column "text")

Each item is a document verbatim, re-wrapped at eight words a line, in capitals without punctuation,
embedded in as many and in ten times as many words of other texts, and with every twentieth or tenth word
replaced. Items of fewer than 13 words are left out. TEXTS are taken to be clean.
"""

import collections
import glob
import itertools
import json
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

import pyarrow.parquet as pq

CONFIG = """
name = "contamination"
seed = 1
[sources.input]
code = 1
path = "{path}"
format.rows = {{ text = "text", id = "id" }}
[text]
exact = {{ normalise = false }}
validation_share = 0.0
"""
WANTED = """
[text.decontaminate]
action = "drop"
sets.items = {{ path = "{items}", fields = ["text"] }}
"""


def edited(words, every):
    return [f"changed{at}" if at % every == every // 2 else word for at, word in enumerate(words)]


def embedded(words, around, times):
    other = [next(around) for _ in range(len(words) * times)]
    return " ".join(other[: len(other) // 2] + words + other[len(other) // 2:])


def ways(item, around):
    """Yields the names and the texts of an item's documents."""
    words = item.split()
    yield "verbatim", item
    yield "re-wrapped at 8 words", "\n".join(" ".join(words[at: at + 8]) for at in range(0, len(words), 8))
    yield "capitals, no punctuation", re.sub(r"[^\w\s]", " ", item).upper()
    yield "embedded 1:1", embedded(words, around, 1)
    yield "embedded 1:10", embedded(words, around, 10)
    yield "every 20th word replaced", " ".join(edited(words, 20))
    yield "every 10th word replaced", " ".join(edited(words, 10))


def run(program, folder, name, config):
    """Returns CPU seconds and the ids of contaminated documents."""
    (folder / f"{name}.toml").write_text(config)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, "run", folder / f"{name}.toml", "--dir", folder / name], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    dropped = set()
    for part in glob.glob(f"{folder}/{name}/data/text/*/dropped/*.parquet"):
        rows = pq.read_table(part, columns=["key", "reason"]).to_pylist()
        dropped.update(row["key"] for row in rows if row["reason"] == "contaminated")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, dropped


def main():
    program, texts, items = sys.argv[1:]
    texts = [json.loads(line)["text"] for line in open(texts)]
    found = [json.loads(line)["text"] for line in open(items)]
    found = [item for item in found if len(re.findall(r"\w+", item)) >= 13]
    around = itertools.cycle(word for text in texts for word in text.split())
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        with open(folder / "texts.jsonl", "w") as out:
            for at, text in enumerate(texts):
                out.write(json.dumps({"id": f"clean {at}", "text": text}) + "\n")
            for at, item in enumerate(found):
                for way, text in ways(item, around):
                    out.write(json.dumps({"id": f"{way} {at}", "text": text}) + "\n")
        config = CONFIG.format(path=folder / "texts.jsonl")
        plain, _ = run(program, folder, "plain", config)
        wanted, dropped = run(program, folder, "wanted", config + WANTED.format(items=pathlib.Path(items).absolute()))
    of = collections.Counter(key.rsplit(" ", 1)[0] for key in dropped)
    clean = of.pop("clean", 0)
    count = len(texts) + 7 * len(found)
    print(f"{len(found)} items, {len(texts)} clean texts of which {clean} were dropped: precision {1 - clean / len(dropped):.4f}")
    print(f"{(wanted - plain) / count * 1e6:.1f} us of CPU by document, beside {plain / count * 1e6:.1f} without decontamination")
    for way, _ in ways("a", around):
        print(f"{of[way] / len(found):7.3f}  {way}")


if __name__ == "__main__":
    main()
