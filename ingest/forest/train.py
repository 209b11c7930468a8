#!/usr/bin/env python3
"""Trains the forests of ingest::html that tell a page's content from its clutter.

usage: train.py DATA OUT [--blocks PROGRAM] [--scores-only]

DATA holds labelled pages in four folders, as their authors publish them:

  aeb          article-extraction-benchmark (Zyte): articles with their text
  trafilatura  the pages of trafilatura's own evaluation: chunks that must and must not be found
  readability  the test pages of Mozilla's readability.js: articles with their markup
  wcxb         pages of seven kinds (article, collection, documentation, forum, listing, product,
               service) with their text

A block is labelled by aligning its words with the true text's. Pages of which only chunks are
known take the other labels from what trafilatura finds there.

Three forests are written to OUT. `article` is trained on articles alone, `any` on all pages;
`genre` tells whether a page is an article, from page features and what the first two say in folds
that did not hold the page. Features come from the Rust code (`--blocks`, the example of that
name: `cargo build --release -p ingest --example blocks`). Scores printed are of pages that no
forest had seen. Needs lightgbm, numpy and trafilatura.
"""
import argparse, collections, difflib, gzip, json, os, re, struct, subprocess
from html.parser import HTMLParser

import lightgbm
import numpy as np
import trafilatura

WORD = re.compile(r"\w+", re.UNICODE)
FOLDS = 5
# As in content.rs and genre.rs.
ARTICLE_MIN, ANY_MIN, LAST_MIN, GENRE_MIN = 0.55, (0.3, 0.5), 0.5, 0.4
COMMON = dict(max_bin=63, min_data_in_leaf=40, min_sum_hessian_in_leaf=0, feature_fraction=0.4, bagging_fraction=0.7,
              bagging_freq=1, lambda_l2=5.0, verbosity=-1, num_threads=2, deterministic=True, force_row_wise=True, seed=1)
BLOCKS = dict(COMMON, objective="cross_entropy")
FORESTS = {
    "article": (dict(BLOCKS, num_leaves=8, learning_rate=0.1), 150),
    "any": (dict(BLOCKS, num_leaves=12, learning_rate=0.08), 150),
    "genre": (dict(COMMON, objective="binary", num_leaves=6, learning_rate=0.05, min_data_in_leaf=8, lambda_l2=3.0), 60),
}
# A word of a long block weighs less than one of a short block.
WORDS_POWER = 0.85
# Weight of a page of which only chunks are known, and words that a known chunk counts as.
CHUNKED_PAGE_WEIGHT, CHUNK_WORDS = 0.6, 20


def words(text):
    return WORD.findall(text.lower())


class Text(HTMLParser):
    """The text of expected markup."""

    def __init__(self):
        super().__init__()
        self.parts, self.skipped = [], 0

    def handle_starttag(self, tag, _):
        self.parts.append(" ")
        self.skipped += tag in ("script", "style")

    def handle_endtag(self, tag):
        self.parts.append(" ")
        self.skipped -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.skipped:
            self.parts.append(data)


def load(data):
    """Yields pages: set, path, url, kind, and the true text or chunks (wanted, unwanted)."""
    for name in ("aeb", "wcxb"):
        truth = json.load(open(f"{data}/{name}/ground-truth.json"))
        for key, row in sorted(truth.items()):
            path = f"{data}/{name}/html/{key}.html.gz"
            if os.path.exists(path):
                text = row.get("articleBody", row.get("text", ""))
                yield dict(set=name, path=path, url=row.get("url") or "", kind=row.get("page_type", "article"), truth=text)
    for url, row in sorted(json.load(open(f"{data}/trafilatura/evaldata.json")).items()):
        path = f"{data}/trafilatura/html/{row['file']}.gz"
        if os.path.exists(path):
            yield dict(set="trafilatura", path=path, url=url, kind="article", wanted=row["with"], unwanted=row["without"])
    for key in sorted(os.listdir(f"{data}/readability")):
        folder = f"{data}/readability/{key}"
        parser = Text()
        parser.feed(gzip.open(f"{folder}/expected.html.gz", "rt").read())
        yield dict(set="readability", path=f"{folder}/source.html.gz", url="http://fakehost/test/page.html",
                   kind="article", truth="".join(parser.parts))


def ask(program, pages, judged=None):
    """Returns of each page the blocks' texts and features, and the page's features where judgements are given."""
    lists = lambda i: None if judged is None else [[float(p) for p in js[i]] for js in judged]
    lines = "".join(json.dumps(dict(path=p["path"], url=p["url"], judged=lists(i))) + "\n" for i, p in enumerate(pages))
    rows = [json.loads(line) for line in subprocess.run([program], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout.splitlines()]
    width = max(len(row["features"][0]) for row in rows if row["features"])
    features = [np.array(row["features"], dtype=np.float32).reshape(-1, width) for row in rows]
    return [row["texts"] for row in rows], features, [row["page"] for row in rows]


def label_by_text(truth, texts):
    """Returns by block its share of content, 0 to 1, and its words."""
    truth_words, blocks = words(truth), [words(text) for text in texts]
    flat = [word for block in blocks for word in block]
    hit = np.zeros(len(flat))
    if len(flat) * len(truth_words) < 4e8:
        for begin, _, length in difflib.SequenceMatcher(None, flat, truth_words, autojunk=False).get_matching_blocks():
            hit[begin:begin + length] = 1 if length > 1 else 0.5
    grams = {tuple(truth_words[i:i + 4]) for i in range(len(truth_words) - 3)}
    lines = {tuple(words(line)) for line in truth.splitlines()}
    labels, begin = np.zeros(len(texts)), 0
    for index, block in enumerate(blocks):
        share = hit[begin:begin + len(block)].mean() if block else 0
        begin += len(block)
        if len(block) >= 8:
            inside = np.mean([tuple(block[j:j + 4]) in grams for j in range(len(block) - 3)])
            # The alignment misses what stands elsewhere, and finds common words anywhere.
            share = max(share, inside) if inside > 0.7 else share if inside > 0.15 else min(share, inside)
        elif tuple(block) not in lines and share < 1:
            share *= 0.7
        labels[index] = share
    return labels, np.array([len(block) for block in blocks], dtype=float)


def label_by_chunks(page, texts):
    """As above, from known chunks, and elsewhere from what trafilatura finds."""
    found = trafilatura.extract(gzip.open(page["path"]).read(), include_comments=False, fast=True) or ""
    labels, weights = label_by_text(found, texts)
    squeeze = lambda text: " ".join(text.split())
    wanted, unwanted = [squeeze(c) for c in page["wanted"]], [squeeze(c) for c in page["unwanted"]]
    for index, text in enumerate(map(squeeze, texts)):
        is_wanted = any(c and (c in text or (len(text) > 20 and text in c)) for c in wanted)
        is_unwanted = any(c and c in text and len(text) < 4 * len(c) + 100 for c in unwanted)
        if is_wanted != is_unwanted:
            labels[index], weights[index] = is_wanted, max(weights[index], CHUNK_WORDS)
    return labels, weights


def label(page, texts):
    """Returns by block its label and its weight; every page weighs the same in all."""
    chunked = "truth" not in page
    labels, weights = label_by_chunks(page, texts) if chunked else label_by_text(page["truth"], texts)
    weights = np.power(weights, WORDS_POWER)
    return labels, weights / max(weights.sum(), 1e-9) * (CHUNKED_PAGE_WEIGHT if chunked else 1)


def fit(name, rows, labels, weights=None):
    params, trees = FORESTS[name]
    if weights is not None:
        rows, labels, weights = rows[weights > 0], labels[weights > 0], weights[weights > 0]
        weights = weights / weights.mean()
    return lightgbm.train(params, lightgbm.Dataset(rows, labels, weight=weights), trees)


def fit_blocks(name, ids, features, labelled):
    ids = [i for i in ids if len(features[i])]
    return fit(name, np.concatenate([features[i] for i in ids]), *(np.concatenate([labelled[i][k] for i in ids]) for k in (0, 1)))


def predict(model, rows):
    return model.predict(rows) if len(rows) else np.zeros(0)


def best_balance(judged, weights):
    """As in content.rs."""
    order = np.argsort(-judged, kind="stable")
    right, taken = np.cumsum((judged * weights)[order]), np.cumsum(weights[order])
    return judged[order[np.argmax(2 * right / (taken + (judged * weights).sum()))]]


def choose(texts, article, any_, genre):
    """Returns the text of the blocks that content.rs would choose."""
    if not texts:
        return ""
    weights = np.array([max(1, len(words(text))) for text in texts], dtype=float)
    chosen = article >= ARTICLE_MIN
    if genre <= GENRE_MIN or not chosen.any():
        chosen = any_ >= np.clip(best_balance(any_, weights), *ANY_MIN)
    if not chosen.any():
        chosen = article >= LAST_MIN
    return "\n".join(text for text, is_chosen in zip(texts, chosen) if is_chosen)


def balance(hit, extra, missed):
    return 2 * hit / (2 * hit + extra + missed) if hit else 0.0


def shingles(text):
    tokens = WORD.findall(text)
    return collections.Counter(tuple(tokens[i:i + 4]) for i in range(max(1, len(tokens) - 3)) if tokens[i:i + 4])


def score(pages, found):
    """Shingle F1 (aeb), F1 over chunks (trafilatura), mean F1 over words (wcxb by kind, readability)."""
    scores, precision, recall, chunks, by_words = {}, [], [], np.zeros(3), collections.defaultdict(list)
    for page, text in zip(pages, found):
        if page["set"] == "trafilatura":
            hits, extras = sum(c in text for c in page["wanted"]), sum(c in text for c in page["unwanted"])
            chunks += hits, extras, len(page["wanted"]) - hits
            continue
        count = shingles if page["set"] == "aeb" else lambda text: collections.Counter(words(text))
        truth, own = count(page["truth"]), count(text)
        both, all_own, all_truth = sum((truth & own).values()), sum(own.values()), sum(truth.values())
        if page["set"] == "aeb":
            precision += [both / all_own] if all_own else []
            recall += [both / all_truth] if all_truth else []
        else:
            names = ["wcxb", f"wcxb {page['kind']}"] if page["set"] == "wcxb" else ["readability"]
            for name in names:
                by_words[name].append(balance(both, all_own - both, all_truth - both) if all_own + all_truth else 1.0)
    p, r = np.mean(precision), np.mean(recall)
    scores["aeb"] = 2 * p * r / (p + r)
    scores["trafilatura"] = balance(*chunks)
    scores.update((name, np.mean(values)) for name, values in sorted(by_words.items()))
    return {name: round(float(value), 4) for name, value in scores.items()}


def write(model, path, width):
    """Writes a forest in the format of forest.rs."""
    trees = model.dump_model()["tree_info"]
    out = [struct.pack("<IfI", width, 0.0, len(trees))]
    for tree in trees:
        splits, leaves = [], []

        def walk(node):
            if "leaf_value" in node:
                leaves.append(node["leaf_value"])
                return -len(leaves)
            place = len(splits)
            splits.append(b"")
            # Rounded down, so that what was greater stays greater in single precision.
            least = np.float32(node["threshold"])
            if float(least) > node["threshold"]:
                least = np.nextafter(least, np.float32(-np.inf))
            ways = [walk(node["left_child"]), walk(node["right_child"])]
            splits[place] = struct.pack("<Hfhh", node["split_feature"], least, *ways)
            return place

        walk(tree["tree_structure"])
        out += [struct.pack("<I", len(splits)), *splits, np.array(leaves, dtype="<f4").tobytes()]
    open(path, "wb").write(b"".join(out))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--blocks", default="target/release/examples/blocks")
    parser.add_argument("--scores-only", action="store_true")
    args = parser.parse_args()
    pages = list(load(args.data))
    texts, features, _ = ask(args.blocks, pages)
    labelled = [label(page, text) for page, text in zip(pages, texts)]
    is_article = np.array([page["set"] != "wcxb" or page["kind"] == "article" for page in pages])
    everything = np.arange(len(pages))
    fold = np.random.RandomState(1).permutation(len(pages)) % FOLDS
    judged = {"article": [None] * len(pages), "any": [None] * len(pages)}
    for number in range(FOLDS):
        for name in judged:
            ids = everything[(fold != number) & (is_article | (name == "any"))]
            model = fit_blocks(name, ids, features, labelled)
            for i in everything[fold == number]:
                judged[name][i] = predict(model, features[i])
    page_features = np.array(ask(args.blocks, pages, list(judged.values()))[2], dtype=np.float32)
    genre = np.zeros(len(pages))
    for number in range(FOLDS):
        model = fit("genre", page_features[fold != number], is_article[fold != number].astype(float))
        genre[fold == number] = model.predict(page_features[fold == number])
    print("genre right on", round(float(((genre > GENRE_MIN) == is_article).mean()), 4), "of pages")
    print(json.dumps(score(pages, [choose(*row) for row in zip(texts, judged["article"], judged["any"], genre)])))
    if args.scores_only:
        return
    for name in judged:
        ids = everything[is_article | (name == "any")]
        write(fit_blocks(name, ids, features, labelled), f"{args.out}/{name}.forest", features[0].shape[1])
    write(fit("genre", page_features, is_article.astype(float)), f"{args.out}/genre.forest", page_features.shape[1])


if __name__ == "__main__":
    main()
