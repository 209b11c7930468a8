#!/usr/bin/env python3
"""Makes tests/golden/tokenizer/: a small SentencePiece model and the ids it gives.

usage: tokenizer.py [KOSMOS_MODEL]      (pip install sentencepiece==0.2.3)

KOSMOS_MODEL is kosmos-2/data/sentencepiece.bpe.model of microsoft/unilm; without it the ids
of the 64,000-piece model are left out. The texts are our own.
"""

import json
import pathlib
import sys
import tempfile

import sentencepiece

from tokenizer_texts import ODD, SENTENCES, shapes

FOLDER = pathlib.Path(__file__).parent / "tokenizer"

# Text of which one is repeated so often that single precision sums begin anew.
LONG = [("ab ", 20_000), ("x", 30_000), ("語", 3_000), ("Circles, squares and triangles....... ", 4_000)]

# A few rules of each kind that nmt_nfkc has: all of them would make a model of 240 kB.
RULES = (
    [(chr(c), " ") for c in (0x09, 0x0A, 0x0D, 0xA0, 0x2028, 0x2029, 0x3000)]
    + [(chr(c), "") for c in (0x01, 0x02, 0x7F, 0xAD, 0x200B, 0xFEFF)]
    + [(chr(0xFF01 + i), chr(0x21 + i)) for i in range(94)]
    + [("ﬁ", "fi"), ("ﬂ", "fl"), ("½", "1⁄2"), ("™", "TM"), ("①", "1"), ("㎏", "kg"), ("…", "...")]
    + [("e\u0301", "é"), ("A\u030a", "Å"), ("a\u0300", "à"), (" \u0301", "´"), ("\u1112\u1161\u11ab", "한")]
)


def train() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        rules = "".join(
            " ".join(f"{ord(c):X}" for c in a) + "\t" + " ".join(f"{ord(c):X}" for c in b) + "\n" for a, b in RULES
        )
        (folder / "rules.tsv").write_text(rules)
        (folder / "text.txt").write_text("\n".join(shapes() + SENTENCES[:8] * 4))
        sentencepiece.SentencePieceTrainer.train(
            input=str(folder / "text.txt"),
            model_prefix=str(folder / "small"),
            vocab_size=400,
            hard_vocab_limit=False,
            character_coverage=0.995,
            normalization_rule_tsv=str(folder / "rules.tsv"),
            minloglevel=2,
        )
        return (folder / "small.model").read_bytes()


def checksum(ids: list[int]) -> int:
    total = 0
    for id in ids:
        total = (total * 31 + id) % 2**32
    return total


def golden(model: bytes) -> dict:
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    texts = SENTENCES + ODD
    ids = [processor.encode(text) for text in texts]
    long = [processor.encode(text * count) for text, count in LONG]
    return {
        "texts": [{"text": t, "ids": i, "decoded": processor.decode(i)} for t, i in zip(texts, ids)],
        "long": [
            {"text": t, "repeated": c, "id_count": len(i), "checksum": checksum(i)} for (t, c), i in zip(LONG, long)
        ],
    }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    small = train()
    (FOLDER / "small.model").write_bytes(small)
    models = {"small": small}
    if len(sys.argv) > 1:
        models["kosmos"] = pathlib.Path(sys.argv[1]).read_bytes()
    for name, model in models.items():
        rows = golden(model)
        lines = [f' "{key}": [\n' + ",\n".join("  " + json.dumps(row) for row in rows[key]) + "\n ]" for key in rows]
        (FOLDER / f"{name}.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
