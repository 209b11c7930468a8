#!/usr/bin/env python3
"""Main text side by side: F1 and speed of `kosmos extract` and of its peers on the same labelled pages.

usage: main_text.py KOSMOS DATA      (KOSMOS: the binary; DATA: as for ../forest/train.py)

F1 is what train.py computes: over four-word shingles (aeb), over chunks (trafilatura), the mean
over words (readability, wcxb). The forests within KOSMOS were trained on pages such as these: the
figures of pages that they had not seen are those that train.py prints. Speed is bytes of decoded
HTML by CPU time, user and system, of one process with one worker; of Python peers without their
imports, of kosmos with its start, gzip, charset and JSON. Needs trafilatura and resiliparse.
"""
import gzip, json, os, resource, subprocess, sys, time

import resiliparse.extract.html2text as resiliparse
import trafilatura

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "forest"))
import train  # noqa: E402

PEERS = {
    "trafilatura": lambda html: trafilatura.extract(html, include_comments=False),
    "trafilatura fast": lambda html: trafilatura.extract(html, include_comments=False, fast=True),
    "resiliparse": lambda html: resiliparse.extract_plain_text(html, main_content=True, alt_texts=False, links=False, comments=False),
}


def kosmos(program, pages):
    """Returns the texts of pages, and CPU seconds."""
    texts, before = {}, resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [program, "extract", "--json", "--workers", "1"]
    out = subprocess.run(command + [page["path"] for page in pages], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    for line in out.stdout.splitlines():
        row = json.loads(line)
        texts[row["path"]] = row["text"]
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return [texts[page["path"]] for page in pages], seconds


def peer(extract, htmls):
    texts, begun = [], time.process_time()
    for html in htmls:
        try:
            texts.append(extract(html) or "")
        except Exception:
            texts.append("")
    return texts, time.process_time() - begun


def main():
    program, data = sys.argv[1:]
    pages = list(train.load(data))
    htmls = [trafilatura.utils.decode_file(gzip.open(page["path"]).read()) for page in pages]
    size = sum(len(html.encode()) for html in htmls) / 1e6
    names = ["aeb", "trafilatura", "readability", "wcxb"]
    print(f"{len(pages)} pages, {size:.0f} MB\n\n| | {' | '.join(names)} | MB per CPU-second |\n|---|{'---|' * 5}")
    runs = {"kosmos": lambda: kosmos(program, pages)} | {name: (lambda f=f: peer(f, htmls)) for name, f in PEERS.items()}
    for name, run in runs.items():
        texts, seconds = run()
        scores = train.score(pages, texts)
        print(f"| {name} | {' | '.join(f'{scores[key]:.4f}' for key in names)} | {size / seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
