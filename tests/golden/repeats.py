#!/usr/bin/env python3
"""Makes tests/golden/repeats.json: texts, and what datatrove's sentence deduplication leaves of them.

usage: repeats.py      (pip install datatrove[processing]==0.10.1 spacy)

By lines (one of them is a passage) and by sentences (three are). The texts are our own: sentences of a few words
each, drawn from a list so that many occur again, in any case and with other digits and marks.
"""

import json
import pathlib
import random
import tempfile

from datatrove.data import Document
from datatrove.pipeline.dedup.sentence_dedup import (
    SentDedupConfig,
    SentenceDedupFilter,
    SentenceDedupSignature,
    SentenceFindDedups,
)

FILE = pathlib.Path(__file__).parent / "repeats.json"
NOUNS = ["river", "boat", "garden", "letter", "mountain", "teacher", "window", "market"]
VERBS = ["follows", "remembers", "paints", "leaves", "finds"]


def texts():
    draw = random.Random(7)
    for _ in range(40):
        lines = []
        for _ in range(draw.randint(1, 4)):
            # A run of sentences in a fixed order, so that spans of three occur again, then one of its own.
            begin = draw.randrange(12)
            sentences = [
                f"The {NOUNS[n % 8]} {VERBS[n % 5]} the {NOUNS[n * 3 % 7]} on day {draw.randint(1, 9)}."
                for n in range(begin, begin + draw.randint(1, 4))
            ]
            sentences.append(f"It was {''.join(draw.choices('abcdefgh', k=9))} again.")
            if draw.random() < 0.5:
                sentences.pop()
            line = " ".join(sentences)
            lines.append(line.upper() if draw.random() < 0.2 else line)
        yield "\n".join(lines)


def left(texts, config):
    documents = [Document(text=text, id=str(index)) for index, text in enumerate(texts)]
    with tempfile.TemporaryDirectory() as folder:
        SentenceDedupSignature(f"{folder}/keys", config=config).run(iter(documents))
        SentenceFindDedups(f"{folder}/keys", f"{folder}/found", config=config).run()
        step = SentenceDedupFilter(f"{folder}/found", config=config)
        kept = {document.id: document.text for document in step.run(iter(documents))}
    return [kept.get(str(index), "") for index in range(len(texts))]


def main():
    given = list(texts())
    free = {"min_doc_words": 0, "min_num_sentences": 0}
    lines = SentDedupConfig(n_sentences=1, split_sentences=False, **free)
    sentences = SentDedupConfig(n_sentences=3, **free)
    golden = {"texts": given, "lines": left(given, lines), "sentences": left(given, sentences)}
    FILE.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
