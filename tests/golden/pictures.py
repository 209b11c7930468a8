#!/usr/bin/env python3
"""Golden pixels of TIFF and ICO as Pillow decodes them: pictures.bin and pictures.json.

usage: pictures.py

Tiles of LZW that reach over the edge of the image, planes of such tiles, and icons whose masks or heights are not what
they should be. Of each case pictures.json has the name, the bytes of the file, width and height; pictures.bin holds the
files, each followed by its pixels in RGB8 on white. Needs Pillow, numpy, tifffile and imagecodecs.
"""
import io, json, pathlib, struct

import numpy
import tifffile
from PIL import Image

HERE = pathlib.Path(__file__).parent
RANDOM = numpy.random.default_rng(7)


def tiff(image, **options):
    file = io.BytesIO()
    photometric = "rgb" if 3 in (image.shape[-1], image.shape[0]) else "minisblack"
    tifffile.imwrite(file, image, photometric=photometric, metadata=None, software=None, **options)
    return file.getvalue()


def tiffs():
    width, height = 21, 19
    y, x = numpy.mgrid[0:height, 0:width]
    slope = numpy.stack([x * 12, y * 13, (x + y) * 6], -1).astype("u1")
    noise = RANDOM.integers(0, 256, (height, width, 3)).astype("u1")
    deep = (noise[..., 0].astype("u2") << 8 | noise[..., 1]).astype("f4")
    tile = (16, 16)
    for name, image in [("slope", slope), ("noise", noise), ("grey", noise[..., 0])]:
        for predictor in [None, True]:
            yield f"lzw {name} {predictor}", tiff(image, tile=tile, compression="lzw", predictor=predictor)
    yield "lzw big endian", tiff(slope, tile=tile, compression="lzw", byteorder=">")
    yield "lzw floats", tiff(deep / 300, tile=tile, compression="lzw")
    planes = slope.transpose(2, 0, 1)
    for compression, predictor in [(None, None), ("lzw", True), ("deflate", True), ("packbits", None)]:
        options = {"compression": compression, "predictor": predictor, "planarconfig": "separate"}
        yield f"planes {compression}", tiff(planes, tile=tile, **options)
    yield "planes big endian", tiff(planes, tile=tile, planarconfig="separate", byteorder=">")


def icon(width, height, bits, rows, palette=b"", mask=b"", stored=None, entry_bits=None, cut=0):
    stored = 2 * height if stored is None else stored
    header = struct.pack("<IiiHHIIiiII", 40, width, stored, 1, bits, 0, 0, 0, 0, len(palette) // 4, 0)
    image = header + palette + rows + mask
    image = image[: len(image) - cut]
    entry_bits = bits if entry_bits is None else entry_bits
    entry = struct.pack("<BBBBHHII", width, height, 0, 0, 1, entry_bits, len(image), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + image


def icons():
    width, height = 5, 4
    noise = lambda count: RANDOM.integers(0, 256, count).astype("u1").tobytes()
    mask, rows, alphas = noise(4 * height), noise(16 * height), noise(4 * width * height)
    yield "icon", icon(width, height, 24, rows, mask=mask)
    yield "icon without a mask", icon(width, height, 24, rows)
    yield "icon with a cut mask", icon(width, height, 24, rows, mask=mask, cut=7)
    yield "icon of half the height", icon(width, height, 24, rows, mask=mask, stored=height)
    yield "icon with alpha and a mask", icon(width, height, 32, alphas, mask=mask)
    yield "icon with alpha and a cut mask", icon(width, height, 32, alphas, mask=mask, cut=9)
    yield "icon with alpha, half the height", icon(width, height, 32, alphas, stored=height)
    yield "icon with alpha that its entry does not tell", icon(width, height, 32, alphas, mask=mask, entry_bits=0)
    yield "icon of 16 colours", icon(width, height, 4, noise(4 * height), palette=noise(64), mask=mask)
    yield "icon of 2 colours", icon(width, height, 1, noise(4 * height), palette=noise(8), mask=mask)
    yield "icon from the first row on", icon(width, height, 24, rows, mask=mask, stored=-2 * height)


def pixels(file):
    image = Image.open(io.BytesIO(file))
    image.load()
    if image.mode == "F":
        image = Image.fromarray(numpy.asarray(image).clip(0, 255).astype("u1"))
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image).convert("RGB")


cases, data = [], b""
for name, file in [*tiffs(), *icons()]:
    shown = pixels(file)
    cases.append({"name": name, "bytes": len(file), "width": shown.width, "height": shown.height})
    data += file + shown.tobytes()
(HERE / "pictures.bin").write_bytes(data)
(HERE / "pictures.json").write_text(json.dumps(cases, indent=1) + "\n")
print(len(cases), "cases,", len(data), "bytes")
