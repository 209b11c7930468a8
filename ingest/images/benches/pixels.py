#!/usr/bin/env python3
"""Decoding and resizing beside Pillow and OpenCV.

usage: pixels.py PROGRAM FOLDER [PHOTO]

PROGRAM is the example of that name: `cargo build --release -p images --example pixels` (with and without
`--features libjpeg-turbo`). Every image of FOLDER that Pillow opens is saved without loss as Pillow decodes it, and
resized by both, shorter side 224: with `pil_exact` no byte may differ. Then all files as they are: which only one of
both decodes. With PHOTO, a JPEG of at least 4000 pixels, milliseconds for smaller ones made of it. Needs Pillow,
numpy and opencv-python-headless.
"""
import hashlib, json, os, subprocess, sys, tempfile, time, warnings

import cv2
import numpy
from PIL import Image

SIDE = 224
RUNS = 9
WIDTHS = [480, 800, 1200, 1800, 4000]
warnings.simplefilter("ignore")


def ask(program, requests):
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    out = subprocess.run([program], input=lines.encode(), stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def short_side_to(side, width, height):
    return (side, max(1, height * side // width)) if width <= height else (max(1, width * side // height), side)


def pillow(path):
    image = Image.open(path)
    image.draft("RGB", (SIDE, SIDE))
    image = image.convert("RGB")
    return image.resize(short_side_to(SIDE, *image.size), Image.BICUBIC)


def pillow_whole(path):
    image = Image.open(path).convert("RGB")
    return image.resize(short_side_to(SIDE, *image.size), Image.BICUBIC)


def opencv(path):
    image = cv2.imread(path, cv2.IMREAD_COLOR)
    size = short_side_to(SIDE, image.shape[1], image.shape[0])
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def median_ms(run):
    times = []
    for _ in range(RUNS):
        begun = time.process_time()
        run()
        times.append(time.process_time() - begun)
    return sorted(times)[RUNS // 2] * 1e3


def compare(program, folder):
    exact, ours_only, theirs_only, both, neither = [], [], [], 0, 0
    with tempfile.TemporaryDirectory() as work:
        requests, expected = [], []
        names = sorted(name for name in os.listdir(folder) if os.path.isfile(f"{folder}/{name}"))
        for name in names:
            try:
                image = Image.open(f"{folder}/{name}")
                if image.size[0] * image.size[1] > 1 << 26:
                    raise ValueError("too large")
                image = Image.fromarray(numpy.array(image.convert("RGB")))  # without what says one colour is transparent
            except Exception:
                continue
            path = f"{work}/{len(requests)}.png"
            image.save(path)
            size = short_side_to(SIDE, *image.size)
            if size[0] * size[1] > 1 << 24:
                continue
            expected.append((name, hashlib.sha256(image.resize(size, Image.BICUBIC).tobytes()).hexdigest()))
            requests.append(dict(path=path, side=SIDE, preprocess="pil_exact"))
        answers = ask(program, requests)
        exact = [name for (name, digest), row in zip(expected, answers) if row.get("sha256") != digest]
        print(f"{len(expected)} images decoded by Pillow and resized by both: {len(exact)} differ", *exact)
    answers = ask(program, [dict(path=f"{folder}/{name}", side=SIDE, preprocess="pil_exact") for name in names])
    for name, row in zip(names, answers):
        try:
            pillow_whole(f"{folder}/{name}")
            theirs = True
        except Exception:
            theirs = False
        ours = "error" not in row
        both, neither = both + (ours and theirs), neither + (not ours and not theirs)
        if ours != theirs:
            (ours_only if ours else theirs_only).append((name, row.get("error", "")))
    print(f"{len(names)} files: {both} decoded by both, {neither} by neither")
    print("by kosmos alone:", *(name for name, _ in ours_only))
    print("by Pillow alone:")
    for name, error in theirs_only:
        print(f"  {name}: {error}")


def measure(program, photo):
    print("| photo | kosmos fast | kosmos pil_exact | Pillow | Pillow draft | OpenCV area |\n|---|---|---|---|---|---|")
    original = Image.open(photo).convert("RGB")
    with tempfile.TemporaryDirectory() as work:
        for width in WIDTHS:
            for progressive in (False, True) if width == 1200 else (False,):
                path = f"{work}/{width}.jpg"
                height = original.size[1] * width // original.size[0]
                original.resize((width, height), Image.LANCZOS).save(path, quality=90, progressive=progressive)
                ours = []
                for how in ("fast", "pil_exact"):
                    rows = ask(program, [dict(path=path, side=SIDE, preprocess=how)] * RUNS)
                    ours.append(sorted(row["seconds"] for row in rows)[RUNS // 2] * 1e3)
                theirs = [median_ms(lambda f=f: f(path)) for f in (pillow_whole, pillow, opencv)]
                name = f"{width}x{height}, {os.path.getsize(path) // 1000} kB" + (", progressive" if progressive else "")
                print(f"| {name} | {' | '.join(f'{ms:.2f}' for ms in ours + theirs)} |", flush=True)


def main():
    cv2.setNumThreads(1)
    program, folder = sys.argv[1:3]
    compare(program, folder)
    if len(sys.argv) > 3:
        measure(program, sys.argv[3])


if __name__ == "__main__":
    main()
