#!/usr/bin/env python3
"""Makes tests/golden/filters.json: what datatrove's filters say of texts, with its words and sentences.

usage: filters.py OPEN [COUNT]      (pip install datatrove==0.10.1 spacy)

OPEN is the folder of open data; of its texts the file holds places, the bounds of words and the decisions, never the
texts. COUNT texts of it are taken at most (40), such that each reason of a drop comes up. Our own texts are kept whole.
"""

import json
import pathlib
import sys

import datatrove.pipeline.filters.c4_filters as c4_filters
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter,
)
from datatrove.utils.text import split_into_sentences, split_into_words

FILE = pathlib.Path(__file__).parent / "filters.json"
OWN = [
    "The cat and the dog ran to that house. " * 12,
    "\n".join(f"- the item {i} of that list" for i in range(20)),
    "\n".join(f"One more line of text that trails off number {i}..." for i in range(12)),
    "1 2 3 4 5 6 7 8 9 10 " * 8,
    "#one #two #three and the rest of that " * 9,
    "Copyright notice\n\n" * 9 + "The last words of the page have been said.",
    "\n".join(["Home", "About", "Contact", "News"] * 8) + "\nThis is a sentence that stays.",
    "Lorem ipsum dolor sit amet. The rest of it is a text to be read. It has more. And more! Or not?",
    "int main() { return 0; } is a program that ends well. It runs. It stops. The end. Or not?",
    "Please turn on JavaScript now.\nWe use cookies on this site.\nThis line[1] is kept as it is.\nAnd so on...",
    "A" * 1001 + " is a long word.\nThat one was.\u2028Lines end here too.\x0cAnd here they do.\x85no end\u2029It goes "
    "on for more. And more of it. And the last of it.",
    "«Ça va ?» — “Oui, bien sûr.” 日本語の文です。これも文です。The end of that… and the rest. " * 4,
]
# Each with our settings, and datatrove's arguments that mean the same; the whole rules first, then bounds alone.
OFF_QUALITY = dict(min_doc_words=None, max_doc_words=None, min_avg_word_length=None, max_avg_word_length=None,
                   max_symbol_word_ratio=None, max_bullet_lines_ratio=None, max_ellipsis_lines_ratio=None,
                   max_non_alpha_words_ratio=None, min_stop_words=None)
OFF_REPETITION = dict(dup_line_frac=None, dup_para_frac=None, dup_line_char_frac=None, dup_para_char_frac=None,
                      top_n_grams=(), dup_n_grams=())
OFF_C4 = dict(min_num_sentences=-1, filter_no_terminal_punct=True, filter_lorem_ipsum=False, filter_curly_bracket=False)


def alone(make, off):
    return lambda **arguments: make(**{**off, **arguments})


quality, repetition, c4 = (alone(GopherQualityFilter, OFF_QUALITY), alone(GopherRepetitionFilter, OFF_REPETITION),
                           alone(C4QualityFilter, OFF_C4))
# Name of the finding that is looked at alone (none: the first of all), our settings, and the filter.
CASES = [
    ("gopher_quality", None, {}, GopherQualityFilter()),
    ("gopher_repetition", None, {}, GopherRepetitionFilter()),
    ("fineweb", None, {}, FineWebQualityFilter()),
    ("c4", None, {}, C4QualityFilter()),
    ("gopher_quality", "gopher_words_min", {"words_min": 400}, quality(min_doc_words=400)),
    ("gopher_quality", "gopher_words_max", {"words_max": 600}, quality(max_doc_words=600)),
    ("gopher_quality", "gopher_mean_chars", {"mean_chars_min": 4.8}, quality(min_avg_word_length=4.8, max_avg_word_length=10)),
    ("gopher_quality", "gopher_mean_chars", {"mean_chars_max": 5.0}, quality(min_avg_word_length=3, max_avg_word_length=5.0)),
    ("gopher_quality", "gopher_hashes", {"mark_ratio_max": 0.0005}, quality(max_symbol_word_ratio=0.0005)),
    ("gopher_quality", "gopher_bullet_lines", {"bullet_lines_max": 0.01}, quality(max_bullet_lines_ratio=0.01)),
    ("gopher_quality", "gopher_ellipsis_lines", {"ellipsis_lines_max": 0.01}, quality(max_ellipsis_lines_ratio=0.01)),
    ("gopher_quality", "gopher_letters", {"letters_min": 0.84}, quality(max_non_alpha_words_ratio=0.84)),
    ("gopher_quality", "gopher_stop_words", {"stop_words_min": 8}, quality(min_stop_words=8)),
    ("gopher_repetition", "gopher_paragraphs", {"paragraphs_max": 0.01}, repetition(dup_para_frac=0.01)),
    ("gopher_repetition", "gopher_paragraph_chars", {"paragraph_chars_max": 0.004}, repetition(dup_para_char_frac=0.004)),
    ("gopher_repetition", "gopher_lines", {"lines_max": 0.02}, repetition(dup_line_frac=0.02)),
    ("gopher_repetition", "gopher_line_chars", {"line_chars_max": 0.005}, repetition(dup_line_char_frac=0.005)),
] + [
    ("gopher_repetition", f"gopher_top_{n}_gram", {"top_max": [most] * 3}, repetition(top_n_grams=((n, most),)))
    for n, most in [(2, 0.02), (3, 0.013), (4, 0.012)]
] + [
    ("gopher_repetition", f"gopher_repeated_{n}_grams", {"repeated_max": [most] * 6}, repetition(dup_n_grams=((n, most),)))
    for n, most in [(5, 0.02), (6, 0.015), (7, 0.012), (8, 0.01), (9, 0.009), (10, 0.008)]
] + [
    ("fineweb", "fineweb_ended_lines", {"ended_lines_min": 0.6}, FineWebQualityFilter(line_punct_thr=0.6)),
    ("fineweb", "fineweb_short_lines", {"short_lines_max": 0.2}, FineWebQualityFilter(line_punct_thr=0, short_line_thr=0.2, char_duplicates_ratio=9, new_line_ratio=9)),
    ("fineweb", "fineweb_repeated_chars", {"repeated_chars_max": 0.002}, FineWebQualityFilter(line_punct_thr=0, short_line_thr=9, char_duplicates_ratio=0.002, new_line_ratio=9)),
    ("fineweb", "fineweb_line_ends", {"line_ends_max": 0.03}, FineWebQualityFilter(line_punct_thr=0, short_line_thr=9, char_duplicates_ratio=9, new_line_ratio=0.03)),
    ("c4", "c4_sentences", {"sentences_min": 20}, c4(min_num_sentences=20)),
    ("c4", "c4_sentences", {"sentences_min": 20, "needs_end": False}, c4(min_num_sentences=20, filter_no_terminal_punct=False)),
]
REASONS = {
    "gopher_short_doc": "gopher_words_min", "gopher_long_doc": "gopher_words_max",
    "gopher_below_avg_threshold": "gopher_mean_chars", "gopher_above_avg_threshold": "gopher_mean_chars",
    "gopher_too_many_hashes": "gopher_hashes", "gopher_too_many_ellipsis": "gopher_ellipses",
    "gopher_too_many_bullets": "gopher_bullet_lines", "gopher_too_many_end_ellipsis": "gopher_ellipsis_lines",
    "gopher_below_alpha_threshold": "gopher_letters", "gopher_enough_stop_words": "gopher_stop_words",
    "dup_para_frac": "gopher_paragraphs", "dup_para_char_frac": "gopher_paragraph_chars",
    "dup_line_frac": "gopher_lines", "dup_line_char_frac": "gopher_line_chars",
    **{f"top_{n}_gram": f"gopher_top_{n}_gram" for n in (2, 3, 4)},
    **{f"duplicated_{n}_n_grams": f"gopher_repeated_{n}_grams" for n in range(5, 11)},
    "line_punct_ratio": "fineweb_ended_lines", "short_line_ratio": "fineweb_short_lines",
    "char_dup_ratio": "fineweb_repeated_chars", "list_ratio": "fineweb_line_ends",
    "lorem_ipsum": "c4_lorem_ipsum", "curly_bracket": "c4_bracket", "too_few_sentences": "c4_sentences",
}


def decide(step, text):
    """Returns our name of the reason, or nothing for a text that is kept, and what is left of the text."""
    document = Document(text=text, id="")
    said = step.filter(document)
    return (None if said is True else REASONS[said[1]]), document.text


def spans(text):
    """Returns the words as how many characters are skipped, then taken, by turns."""
    bounds, at = [], 0
    for word in split_into_words(text, "en"):
        begin = text.index(word, at)
        bounds += [begin - at, len(word)]
        at = begin + len(word)
    return " ".join(map(str, bounds))


class Counting:
    """Stands between C4's filter and its sentence splitter and keeps how many sentences each line had."""

    def __init__(self):
        self.counts = []
        c4_filters.split_into_sentences = self

    def __call__(self, line, language):
        found = split_into_sentences(line, language)
        self.counts.append(len(found))
        return found


def judged(text, counting):
    decisions, sentences, c4_chars = [], [], None
    for rule, finding, _, step in CASES:
        counting.counts = []
        reason, left = decide(step, text)
        decisions.append(reason if finding is None else reason == finding)
        if rule == "c4":
            sentences.append(counting.counts)
            if finding is None and reason is None:
                c4_chars = len(left)
    return {"spans": spans(text), "sentences": sentences, "decisions": decisions, "c4_chars": c4_chars}


def open_texts(folder):
    truth = json.loads((folder / "html/wcxb/ground-truth.json").read_text())
    for key in sorted(truth):
        if truth[key].get("text"):
            yield {"file": "html/wcxb/ground-truth.json", "at": f"/{key}/text"}, truth[key]["text"]
    truth = json.loads((folder / "html/aeb/ground-truth.json").read_text())
    for key in sorted(truth):
        yield {"file": "html/aeb/ground-truth.json", "at": f"/{key}/articleBody"}, truth[key]["articleBody"]


def main():
    folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40
    counting = Counting()
    cases = [{"text": text, **judged(text, counting)} for text in OWN]
    times = {}
    taken = 0
    for place, text in open_texts(folder):
        if taken >= count:
            break
        if not text.strip() or len(text) > 20_000 and count <= 40:
            continue
        case = {**place, **judged(text, counting)}
        # Of what has come up often already, no more: the file stays small and every decision is in it.
        news = [(i, str(d)) for i, d in enumerate(case["decisions"])]
        if count <= 40 and all(times.get(key, 0) >= 6 for key in news):
            continue
        for key in news:
            times[key] = times.get(key, 0) + 1
        taken += 1
        cases.append(case)
    settings = [{"rule": rule, "finding": finding, "settings": ours} for rule, finding, ours, _ in CASES]
    FILE.write_text(json.dumps({"settings": settings, "cases": cases}, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(len(cases), "texts;", sum(len(c) for c in map(str, cases)), "characters")
    for i, (rule, finding, _, _) in enumerate(CASES):
        if finding:
            print(finding, sum(case["decisions"][i] for case in cases))


if __name__ == "__main__":
    main()
