#!/usr/bin/env python3
"""Near-duplicates side by side: kosmos, rensa and datatrove on texts with planted copies.

usage: peers.py KOSMOS DOCS.jsonl TRUTH.jsonl [--rounds N] [--workers N] [--without-datatrove]
       (pip install rensa==0.5.0 pyarrow datatrove[processing]==0.10.1 spacy==3.8.18)

DOCS.jsonl has "id" and "text"; TRUTH.jsonl tells of every copy its "id", what it is a copy "of" and their true
"jaccard". All use FineWeb's 14 bands of 8 rows over five words. kosmos and rensa go from Parquet to Parquet, datatrove
from JSON lines to JSON lines; CPU seconds are those of a process with all its children, from its start to
its end. Of several rounds, in turn, the median counts. kosmos also drops exact duplicates and writes down what it
dropped and why.
"""

import argparse
import collections
import glob
import gzip
import json
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

BANDS, ROWS, WORDS = 14, 8, 5
LIMITS = [(0.9, "j >= .9"), (0.8, ".8-.9"), (0.7, ".7-.8"), (0.5, ".5-.7"), (0.0, "< .5")]


def rensa(source, target):
    """The loop of its documentation: what meets a kept text is dropped."""
    import re

    import pyarrow as pa
    import pyarrow.parquet as pq
    from rensa import RMinHash, RMinHashLSH

    word = re.compile(r"\w+")
    lsh = RMinHashLSH(threshold=0.7, num_perm=BANDS * ROWS, num_bands=BANDS)
    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        index = 0
        for batch in pq.ParquetFile(source).iter_batches(1024, columns=["id", "text"]):
            kept = []
            for key, text in zip(batch["id"].to_pylist(), batch["text"].to_pylist()):
                words = word.findall(text.lower())
                shingles = [" ".join(words[at : at + WORDS]) for at in range(max(1, len(words) - WORDS + 1))]
                signature = RMinHash(num_perm=BANDS * ROWS, seed=1)
                signature.update(shingles)
                if not lsh.query(signature):
                    lsh.insert(index, signature)
                    kept.append({"id": key, "text": text})
                index += 1
            writer.write_table(pa.Table.from_pylist(kept, schema=schema))


def datatrove(source, folder):
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.writers.jsonl import JsonlWriter
    from datatrove.utils.hashing import HashConfig

    config = MinhashConfig(hash_config=HashConfig(precision=64), num_buckets=BANDS, hashes_per_bucket=ROWS, n_grams=WORDS)
    stages = [
        (1, [JsonlReader(source), MinhashDedupSignature(f"{folder}/sig", config=config, language="eng")]),
        (BANDS, [MinhashDedupBuckets(f"{folder}/sig", f"{folder}/buckets", config=config)]),
        (1, [MinhashDedupCluster(f"{folder}/buckets", f"{folder}/remove", config=config)]),
        (1, [JsonlReader(source), MinhashDedupFilter(f"{folder}/remove"), JsonlWriter(f"{folder}/out")]),
    ]
    for index, (tasks, pipeline) in enumerate(stages):
        LocalPipelineExecutor(pipeline=pipeline, tasks=tasks, workers=1, logging_dir=f"{folder}/log{index}").run()


def measured(command):
    """Returns the CPU seconds of a process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def score(removed, truth):
    """Returns precision and the recall by true similarity; of a family one member is to stay."""
    families = collections.defaultdict(list)
    for line in open(truth):
        row = json.loads(line)
        families[row["of"]].append((row["jaccard"], row["id"]))
    found, total, right, claimed = collections.Counter(), collections.Counter(), 0, set()
    for base, copies in families.items():
        gone = {base, *(key for _, key in copies)} & removed
        claimed |= gone
        credit = min(len(gone), len(copies))
        right += credit
        for index, (jaccard, _) in enumerate(sorted(copies, reverse=True)):
            name = next(name for least, name in LIMITS if jaccard >= least)
            total[name] += 1
            found[name] += index < credit
    return right / max(1, len(removed)), {name: found[name] / total[name] for _, name in LIMITS if total[name]}


class Peers:
    def __init__(self, arguments, folder):
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.arguments, self.folder = arguments, folder
        self.rows = [json.loads(line) for line in open(arguments.docs)]
        columns = {"id": [row["id"] for row in self.rows], "text": [row["text"] for row in self.rows]}
        self.parquet = folder / "input.parquet"
        pq.write_table(pa.table(columns), self.parquet, compression="zstd")
        (folder / "lines").mkdir()
        shutil.copy(arguments.docs, folder / "lines" / "input.jsonl")
        self.ids = set(columns["id"])

    def kosmos(self):
        import pyarrow.parquet as pq

        run = self.folder / "run"
        shutil.rmtree(run, ignore_errors=True)
        command = [self.arguments.kosmos, "run", "dedup", "--dir", run, "--workers", str(self.arguments.workers)]
        seconds = measured([*command, "--set", f"sources.input.path={self.parquet}"])
        parts = glob.glob(f"{run}/data/text/*/dropped/*.parquet")
        return seconds, {key for part in parts for key in pq.read_table(part, columns=["key"])["key"].to_pylist()}

    def rensa(self):
        import pyarrow.parquet as pq

        target = self.folder / "rensa.parquet"
        seconds = measured([sys.executable, __file__, "--peer", "rensa", self.parquet, target])
        return seconds, self.ids - set(pq.read_table(target, columns=["id"])["id"].to_pylist())

    def datatrove(self):
        work = self.folder / "datatrove"
        shutil.rmtree(work, ignore_errors=True)
        seconds = measured([sys.executable, __file__, "--peer", "datatrove", self.folder / "lines", work])
        kept = {json.loads(line)["id"] for part in work.glob("out/**/*.gz") for line in gzip.open(part, "rt")}
        return seconds, self.ids - kept


def main():
    if sys.argv[1] == "--peer":
        return {"rensa": rensa, "datatrove": datatrove}[sys.argv[2]](*sys.argv[3:])
    parser = argparse.ArgumentParser()
    parser.add_argument("kosmos")
    parser.add_argument("docs")
    parser.add_argument("truth")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--without-datatrove", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        peers = Peers(arguments, pathlib.Path(folder))
        names = ["kosmos", "rensa"]
        results = collections.defaultdict(list)
        for _ in range(arguments.rounds):
            for name in names:
                results[name].append(getattr(peers, name)())
        if not arguments.without_datatrove:
            results["datatrove"].append(peers.datatrove())
    rates = {}
    for name, runs in results.items():
        rates[name] = len(peers.rows) / statistics.median(seconds for seconds, _ in runs)
        precision, recall = score(runs[-1][1], arguments.truth)
        shown = ", ".join(f"{limit} {share:.3f}" for limit, share in recall.items())
        print(f"{name:9} {rates[name]:8.0f} documents by CPU-second, precision {precision:.4f}, recall {shown}")
    ratios = [f"{rates['kosmos'] / rates[name]:.1f} times {name}" for name in rates if name != "kosmos"]
    print("kosmos does " + ", ".join(ratios))


if __name__ == "__main__":
    main()
