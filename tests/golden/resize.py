#!/usr/bin/env python3
"""Writes resize.json: SHA-256 of what Pillow's bicubic resize makes of noise, by size.

usage: resize.py > resize.json      (needs Pillow and numpy)

The noise is that of ingest/images/src/bicubic.rs, which is held against these digests. Made with Pillow 13.0.0.
"""
import hashlib, json
import numpy
from PIL import Image

SIZES = [
    ((300, 200), (256, 170)), ((300, 200), (64, 64)), ((200, 300), (224, 336)), ((640, 480), (224, 168)),
    ((101, 67), (33, 21)), ((101, 67), (202, 134)), ((17, 31), (224, 224)), ((1, 1), (8, 8)), ((2, 500), (1, 256)),
    ((500, 2), (256, 1)), ((224, 224), (224, 100)), ((224, 224), (100, 224)), ((333, 251), (332, 250)),
    ((64, 64), (63, 65)), ((7, 5), (1, 1)), ((1000, 30), (256, 8)), ((90, 90), (89, 89)), ((400, 300), (341, 256)),
    ((512, 512), (256, 256)), ((512, 384), (128, 96)), ((97, 103), (224, 238)), ((3, 3), (2, 2)), ((800, 533), (336, 224)),
]


def noise(width, height):
    state, values = 1, []
    for _ in range(width * height * 3):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append(state >> 24)
    return Image.fromarray(numpy.array(values, dtype=numpy.uint8).reshape(height, width, 3))


cases = []
for size, to in SIZES:
    resized = noise(*size).resize(to, Image.BICUBIC)
    cases.append({"from": size, "to": to, "sha256": hashlib.sha256(resized.tobytes()).hexdigest()})
print(json.dumps(cases, indent=0))
