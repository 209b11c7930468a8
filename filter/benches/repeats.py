#!/usr/bin/env python3
"""Repeated passages: CPU of cutting lines, spans of sentences and runs of words, here and in datatrove.

usage: repeats.py KOSMOS TEXTS.jsonl [COUNT]      (pip install datatrove[processing]==0.10.1 spacy; columns "id", "text")

kosmos goes from JSON lines to Parquet, with its start, exact duplicates and a row for everything that was cut;
the figure without passages is that of the same run without them. datatrove is asked for COUNT texts alone (5000), in
this process, without its imports and without writing. What is left of the texts that both were asked for is compared.
"""

import glob
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile

import pyarrow.parquet as pq

KINDS = {
    "nothing": "[]",
    "lines": '[{unit="lines",any_digit=true,words_left_min=0}]',
    "sentences": '[{unit="sentences",any_digit=true,words_left_min=0}]',
    "words": '[{unit="words"}]',
}


def cpu(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def kosmos(program, path, repeats, folder):
    """Returns CPU seconds, and the words that are left by id of the source."""
    config = f"{folder}/repeats.toml"
    with open(config, "w") as file:
        file.write(
            f'name = "repeats"\nseed = 1\n[sources.input]\ncode = 1\npath = "{path}"\n'
            f'format.rows = {{ text = "text", id = "id" }}\n[text]\nvalidation_share = 0.0\nrepeats = {repeats}\n'
        )
    run = f"{folder}/run-{len(os.listdir(folder))}"
    before = cpu(resource.RUSAGE_CHILDREN)
    subprocess.run([program, "run", config, "--dir", run], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = cpu(resource.RUSAGE_CHILDREN) - before
    tables = [pq.read_table(part, columns=["key", "text"]) for part in glob.glob(f"{run}/data/text/*/documents/*.parquet")]
    rows = (row for table in tables for row in zip(table["key"].to_pylist(), table["text"].to_pylist()))
    return seconds, {key: text.split() for key, text in rows}


def datatrove(texts, kind):
    """Returns CPU seconds, and the words that are left by id."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup.sentence_dedup import (
        SentDedupConfig,
        SentenceDedupFilter,
        SentenceDedupSignature,
        SentenceFindDedups,
    )

    units = {"lines": 1, "sentences": 3}[kind]
    config = SentDedupConfig(n_sentences=units, split_sentences=kind == "sentences", min_doc_words=0, min_num_sentences=0)
    with tempfile.TemporaryDirectory() as folder:
        steps = [SentenceDedupSignature(f"{folder}/keys", config=config), SentenceDedupFilter(f"{folder}/found", config=config)]
        steps[0].get_hashes(Document(text="The first call loads the language. It is not counted. So it is.", id=""), 0)
        before = cpu(resource.RUSAGE_SELF)
        documents = [Document(text=row["text"], id=row["id"]) for row in texts]
        steps[0].run(iter(documents))
        SentenceFindDedups(f"{folder}/keys", f"{folder}/found", config=config).run()
        left = {document.id: document.text.split() for document in steps[1].run(iter(documents))}
        return cpu(resource.RUSAGE_SELF) - before, left


def said(words):
    """Marks alone are a repeat of each other for datatrove, and nothing for kosmos."""
    return [word for word in words if any(character.isalnum() for character in word)]


def main():
    program, path = sys.argv[1], os.path.abspath(sys.argv[2])
    wanted = int(sys.argv[3]) if len(sys.argv) > 3 else 5_000
    texts = [json.loads(line) for line in itertools.islice(open(path), wanted)]
    count = sum(1 for _ in open(path))
    with tempfile.TemporaryDirectory() as folder:
        for kind, repeats in KINDS.items():
            seconds, _ = kosmos(program, path, repeats, folder)
            shown = f"{kind:9} kosmos {count / seconds:7.0f} documents by CPU-second of {count}"
            if kind in ("lines", "sentences"):
                few = f"{folder}/few.jsonl"
                with open(few, "w") as file:
                    file.writelines(json.dumps(row) + "\n" for row in texts)
                _, ours = kosmos(program, few, repeats, folder)
                seconds_there, theirs = datatrove(texts, kind)
                both = ours.keys() & theirs.keys()
                same = sum(said(ours[key]) == said(theirs[key]) for key in both) / len(both)
                rate = len(texts) / seconds_there
                shown += f", datatrove {rate:.0f}: {count / seconds / rate:.0f} times; the same left of {same:.1%} of {len(both)}"
            print(shown)


if __name__ == "__main__":
    main()
