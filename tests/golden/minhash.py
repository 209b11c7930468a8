#!/usr/bin/env python3
"""Makes tests/golden/minhash.json: word lists and the signatures that datatrove gives them.

usage: minhash.py      (pip install datatrove==0.10.1 numpy xxhash)

The texts are our own. Values are decimal strings, since JSON numbers lose bits beyond 2^53.
"""

import json
import pathlib

import numpy as np
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.utils.hashing import HashConfig, create_hash_func
from datatrove.utils.text import ngrams

FILE = pathlib.Path(__file__).parent / "minhash.json"
TEXTS = [
    "the quick brown fox jumps over the lazy dog",
    "a small red circle lies on a wooden box and a large blue triangle stands beside two green squares",
    "zażółć gęślą jaźń größe façade naïve são tomé",
    " ".join(f"word{i % 17} and {i}" for i in range(120)),
    "only four words here",
]


class Signature(MinhashDedupSignature):
    """The step without its word tokenizer, which would need a language model."""

    def __init__(self, config):
        self.config = config
        self.num_hashes = config.num_buckets * config.hashes_per_bucket
        self._parameters = None
        self.hash_fc = create_hash_func(config.hash_config)

    def of_words(self, words):
        hashes = [self.hash_fc(" ".join(x)) for x in ngrams(words, self.config.n_grams)]
        if not hashes:
            return []
        shingles = np.fromiter(hashes, dtype=np.uint64).reshape((-1, 1))
        return [str(value) for band in self.get_signature(shingles) for value in band]


def main():
    cases = []
    for bands, rows, n in [(14, 8, 5), (20, 5, 3)]:
        config = MinhashConfig(
            hash_config=HashConfig(precision=64, hash_fc="xxhash"),
            num_buckets=bands, hashes_per_bucket=rows, n_grams=n,
        )
        signature = Signature(config)
        for text in TEXTS:
            words = text.split(" ")
            cases.append({"bands": bands, "rows": rows, "shingle_words": n,
                          "words": words, "minima": signature.of_words(words)})
    FILE.write_text(json.dumps(cases, ensure_ascii=False, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
