#!/usr/bin/env python3
"""Ids and CPU time of tokenizers, beside each other: ours, sentencepiece, tokenizers.

usage: tokenizer.py KOSMOS MODEL TEXT...      (pip install sentencepiece==0.2.3 tokenizers==0.23.3 protobuf==7.36.2)

MODEL is a unigram .model file. The lines of the texts are repeated to 64 MB and encoded on one thread; ours starts,
reads the file and prints JSON within its time, the others have their lines in memory. CPU seconds are counted, helper
threads included; the best of three rounds.
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2

BYTES = 64_000_000
ROUNDS = 3


def of_model(path: str) -> tokenizers.Tokenizer:
    """The model as `transformers` converts it."""
    proto = sentencepiece_model_pb2.ModelProto.FromString(pathlib.Path(path).read_bytes())
    unknown = next(index for index, piece in enumerate(proto.pieces) if piece.type == piece.UNKNOWN)
    pieces = [(piece.piece, piece.score) for piece in proto.pieces]
    tokenizer = tokenizers.Tokenizer(tokenizers.models.Unigram(pieces, unk_id=unknown, byte_fallback=False))
    tokenizer.normalizer = tokenizers.normalizers.Sequence([
        tokenizers.normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
        tokenizers.normalizers.Replace(tokenizers.Regex(" {2,}"), " "),
    ])
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace()
    return tokenizer


def timed(name: str, size: int, work) -> None:
    def cpu() -> float:
        use = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(one.ru_utime + one.ru_stime for one in use)

    rounds = []
    for _ in range(ROUNDS):
        start, clock = cpu(), time.monotonic()
        work()
        rounds.append((cpu() - start, time.monotonic() - clock))
    seconds, wall = min(rounds)
    print(f"{name:<32} {seconds:8.2f} s CPU {wall:8.2f} s {size / 1e6 / seconds:8.1f} MB per CPU-second", flush=True)


def main() -> None:
    kosmos, model, *texts = sys.argv[1:]
    lines = [line for text in texts for line in pathlib.Path(text).read_text(errors="replace").split("\n")]
    size = sum(len(line.encode()) + 1 for line in lines)
    processor = sentencepiece.SentencePieceProcessor(model_file=model)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "lines.txt")
        path.write_bytes("".join(line + "\n" for line in lines).encode())
        encode = [kosmos, "tokenizer", "encode", "--tokenizer", model, str(path)]
        found = subprocess.run(encode, check=True, capture_output=True).stdout.splitlines()
        wrong = sum(json.loads(ours) != ids for ours, ids in zip(found, processor.encode(lines), strict=True))
        print(f"{len(lines)} lines, {size / 1e6:.1f} MB: ids differ from sentencepiece's in {wrong}")

        many = lines * (BYTES // size + 1)
        path.write_bytes("".join(line + "\n" for line in many).encode())
        size = path.stat().st_size
        for workers in (1, 2):
            run = [*encode, "--workers", str(workers)]
            timed(f"kosmos, {workers} threads", size, lambda: subprocess.run(run, check=True, stdout=subprocess.DEVNULL))
        timed("sentencepiece", size, lambda: [processor.encode(line) for line in many])
        crate, part = of_model(model), many[: len(many) // 8]
        part_size = sum(len(line.encode()) + 1 for line in part)
        timed("tokenizers (an eighth)", part_size, lambda: crate.encode_batch_fast(part, add_special_tokens=False))


main()
