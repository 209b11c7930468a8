#!/usr/bin/env python3
"""Trains a matrix of small SentencePiece models and writes the ids that each gives.

usage: tokenizer_matrix.py FOLDER       (pip install sentencepiece==0.2.3)

FOLDER gets lines.txt, and NAME.model with NAME.ids for every model: a JSON array a line. Nothing of it is committed:
a character map alone has 240 kB.
"""

import json
import pathlib
import sys

import sentencepiece

from tokenizer_texts import ODD, SENTENCES, shapes

# Sentences with letters that small models are trained on.
LETTERS = SENTENCES[:6] + SENTENCES[7:9] + SENTENCES[10:12]
# Beside those that all models get.
MORE = [
    "a\rb\r", "\x01\x7f\x85", "\u1107\u1161\u11af\u1105\u1173\u11ab 갈색", "\u304b\u3099\u304d\u3099\u304f\u3099", "\u30cf\u309a\u30d2\u3099",
    "ｶﾞｷﾞﾊﾟ", "İıſǆ ẞß ΑΣ", "<pad>", "<sep>", "a<sep>b", "<sep><sep> <sep>", "<sep> x", "<cls>a", "<user>",
    "<user>name", "x <us", "red box", "red boxes", "the red  box lies", "＜sep＞", "A SMALL RED CIRCLE", "aaaa",
    "new york new york",
]
RUNS = ["a" * n for n in (2, 3, 5, 8, 13, 64, 257)] + ["ab" * 40, "e" * 1000, "- " * 50, "=" * 99, "the " * 60, "漢" * 30]

ALGORITHMS = {"unigram": 220, "bpe": 220}
VARIANTS = {
    "identity": {"normalization_rule_name": "identity"},
    "nmt_nfkc": {"normalization_rule_name": "nmt_nfkc"},
    "nfkc_cf": {"normalization_rule_name": "nfkc_cf"},
    "bytes": {"byte_fallback": True, "vocab_size": 480, "character_coverage": 0.98},
    "bytes_kept": {
        "byte_fallback": True, "vocab_size": 480, "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False, "allow_whitespace_only_pieces": True, "split_digits": True,
    },
    "no_prefix": {"add_dummy_prefix": False},
    "kept": {"remove_extra_whitespaces": False},
    "kept_no_prefix": {"remove_extra_whitespaces": False, "add_dummy_prefix": False},
    "suffix": {"treat_whitespace_as_suffix": True},
    "suffix_kept": {"treat_whitespace_as_suffix": True, "remove_extra_whitespaces": False},
    "phrases": {"split_by_whitespace": False},
    "spaces": {"remove_extra_whitespaces": False, "allow_whitespace_only_pieces": True},
    "user": {"user_defined_symbols": ["<sep>", "<user>", "red box", "aa", "ａ", "é"], "control_symbols": ["<cls>"]},
    "user_bytes": {
        "user_defined_symbols": ["<sep>", "\t", "  ", "漢"], "byte_fallback": True, "vocab_size": 480,
        "normalization_rule_name": "identity", "remove_extra_whitespaces": False,
    },
    "other_ids": {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1},
    "little_coverage": {"character_coverage": 0.98},
}
OTHERS = {
    "word": {"model_type": "word", "vocab_size": 60},
    "word_user": {"model_type": "word", "vocab_size": 60, "user_defined_symbols": ["<sep>", "▁red"]},
    "char": {"model_type": "char", "vocab_size": 60},
    "char_user": {"model_type": "char", "vocab_size": 60, "user_defined_symbols": ["<sep>", "red"]},
}


def corpus() -> list[str]:
    return shapes() + LETTERS * 3 + ["aaaa aaaaaa aaaaaaaa", "new york new york new york"] * 5


def with_ties(model: bytes) -> bytes:
    """Gives all normal pieces one score, so that only the rules for equals decide, and makes some of them unused."""
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    for index, piece in enumerate(proto.pieces):
        if piece.type == piece.NORMAL:
            piece.score = -3.0
            if len(piece.piece) > 1 and index % 5 == 0:
                piece.type = piece.UNUSED
    return proto.SerializeToString()


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "corpus.txt").write_text("\n".join(corpus()))
    lines = SENTENCES + [text for text in ODD if "\n" not in text] + MORE + RUNS
    (folder / "lines.txt").write_bytes("".join(line + "\n" for line in lines).encode())

    models = {
        f"{algorithm}_{name}": {"model_type": algorithm, "vocab_size": size} | options
        for algorithm, size in ALGORITHMS.items()
        for name, options in VARIANTS.items()
    } | OTHERS
    for name, options in models.items():
        sentencepiece.SentencePieceTrainer.train(
            input=str(folder / "corpus.txt"), model_prefix=str(folder / name), hard_vocab_limit=False,
            minloglevel=2, **options,
        )
        model = (folder / f"{name}.model").read_bytes()
        variants = {name: model}
        if name.startswith(("unigram", "bpe")):
            variants[f"{name}_ties"] = with_ties(model)
        for variant, model in variants.items():
            (folder / f"{variant}.model").write_bytes(model)
            processor = sentencepiece.SentencePieceProcessor(model_proto=model)
            ids = "".join(json.dumps(processor.encode(line)) + "\n" for line in lines)
            (folder / f"{variant}.ids").write_text(ids)
        (folder / f"{name}.vocab").unlink()


main()
