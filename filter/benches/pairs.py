#!/usr/bin/env python3
"""Metadata of image-text pairs through rules and exact duplicates: rows by CPU-second, peak memory.

usage: pairs.py KOSMOS [--rows 50000000] [--workers 2] [--list 1000]

Generates LAION-like parquet files, a tenth of whose rows repeat others, and a fifth of which a rule drops. With
--list the list of images is made, too, in so many partitions, and measured by itself. Needs pyarrow and numpy.
"""
import argparse, json, os, shutil, subprocess, tempfile, time

import numpy
import pyarrow
import pyarrow.parquet as parquet

FILES = 10
WORDS = numpy.array("a red small old house tree dog cat street in on with the photo of beach car blue large".split())
CONFIG = """
name = "pairs"
seed = 1
[sources.laion]
code = 1
files = [{files}]
format.pairs.layout = "laion"
[pairs]
rules = [
    {{ side_min = {{ sources = ["laion"], side_pixels_min = 200 }} }},
    {{ score = {{ of = "similarity", min = 0.1 }} }},
    {{ score = {{ of = "nsfw", max = 0.95 }} }},
    {{ aspect = {{ ratio_max = 4.0 }} }},
]
exact = {{ partitions = {partitions} }}
"""
IMAGES = """
[images]
partitions = {partitions}
"""


def write(path, file, rows):
    writer, random, unique = None, numpy.random.default_rng(file), file * rows
    for begin in range(0, rows, 500_000):
        count = min(500_000, rows - begin)
        number = unique + begin + numpy.arange(count)
        # A tenth repeats rows of the first half of all.
        number = numpy.where(random.random(count) < 0.1, number // 2, number)
        urls = numpy.char.add(numpy.char.add("https://cdn.example/images/", number.astype(str)), ".jpg")
        picked = WORDS[(number[:, None] * numpy.array([7, 11, 13, 17, 19, 23])) % 8191 % len(WORDS)]
        captions = [" ".join(row) for row in picked.tolist()]
        table = pyarrow.table({
            "URL": urls.tolist(), "TEXT": captions, "WIDTH": (number * 37 % 1800 + 150).astype("int32"),
            "HEIGHT": (number * 53 % 1300 + 150).astype("int32"), "similarity": (number * 29 % 400 / 1000).astype("float32"),
            "punsafe": (number * 31 % 100 / 100).astype("float32"),
        })
        writer = writer or parquet.ParquetWriter(path, table.schema, compression="snappy")
        writer.write_table(table)
    writer.close()


def run(args, config, folder, until, what):
    begun = time.perf_counter()
    command = [args.kosmos, "run", config, "--dir", folder, "--workers", str(args.workers), "--until", until]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    assert status == 0, f"{until}: {status}"
    cpu, wall = usage.ru_utime + usage.ru_stime, time.perf_counter() - begun
    print(f"{what}: {args.rows} rows: {args.rows / cpu:.0f} rows/CPU-s, {wall:.0f} s, peak {usage.ru_maxrss / 1024:.0f} MB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kosmos")
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--list", type=int)
    args = parser.parse_args()
    work = tempfile.mkdtemp()
    try:
        files = [f"{work}/part-{file:05}.parquet" for file in range(FILES)]
        for file, path in enumerate(files):
            write(path, file, args.rows // FILES)
        partitions = max(1, args.rows // 12_500_000)
        with open(f"{work}/pairs.toml", "w") as out:
            out.write(CONFIG.format(files=", ".join(map(json.dumps, files)), partitions=partitions))
            if args.list:
                out.write(IMAGES.format(partitions=args.list))
        run(args, f"{work}/pairs.toml", f"{work}/run", "pairs", "rules and duplicates")
        if args.list:
            run(args, f"{work}/pairs.toml", f"{work}/run", "images.list", "list of images")
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
