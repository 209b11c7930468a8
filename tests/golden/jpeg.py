#!/usr/bin/env python3
"""Writes JPEG files of every kind and the pixels that Pillow makes of them: tests/golden/jpeg.{json,bin,png}.

usage: jpeg.py FOLDER   (needs Pillow and numpy)

The files are small, of an encoder that knows any sampling factors, scans and restart intervals. `jpeg.bin` holds one
behind the other, `jpeg.png` Pillow's pixels one below the other, `jpeg.json` name, offset, bytes and size of each.
Made with Pillow 13.0.0.
"""
import io, json, struct, sys
import numpy
from PIL import Image

ZIGZAG = sorted(range(64), key=lambda i: (i // 8 + i % 8, (i // 8 if (i // 8 + i % 8) % 2 else i % 8)))
BASIS = numpy.array([[(0.5 if k else 0.125 ** 0.5) * numpy.cos((2 * n + 1) * k * numpy.pi / 16) for n in range(8)] for k in range(8)])


def segment(marker, data):
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


class Bits:
    """Bits, the highest of a byte first; what would be a marker is stuffed."""

    def __init__(self):
        self.value, self.count, self.out = 0, 0, bytearray()

    def put(self, value, count):
        for i in reversed(range(count)):
            self.value = self.value << 1 | value >> i & 1
            self.count += 1
            if self.count == 8:
                self.out.append(self.value)
                if self.value == 255: self.out.append(0)
                self.value = self.count = 0

    def flush(self):
        while self.count: self.put(1, 1)


def magnitude(value):
    size = abs(int(value)).bit_length()
    return size, (int(value) if value >= 0 else int(value) + (1 << size) - 1)


class Table:
    """Codes of one length, so that a table is small: its symbols are those that are used."""

    def __init__(self, symbols):
        self.symbols = sorted(symbols) or [0]
        self.length = max(1, len(self.symbols).bit_length())
        self.codes = {symbol: code for code, symbol in enumerate(self.symbols)}

    def segment(self, kind):
        counts = [0] * 16
        counts[self.length - 1] = len(self.symbols)
        return segment(0xC4, bytes([kind, *counts, *self.symbols]))


class Jpeg:
    """Blocks of coefficients of an image. Planes are arrays at full resolution, factors samples across and down."""

    def __init__(self, planes, size, factors, ids=None, quant=12):
        self.size, self.factors = size, factors
        self.ids = ids or list(range(1, len(planes) + 1))
        self.h, self.v = max(f[0] for f in factors), max(f[1] for f in factors)
        w, h = size
        self.mcus = (-(-w // (8 * self.h)), -(-h // (8 * self.v)))
        self.quant = quant
        self.blocks, self.own = [], []
        for plane, (fh, fv) in zip(planes, factors):
            cw, ch = -(-w * fh // self.h), -(-h * fv // self.v)
            full = numpy.array(plane, float)
            # mean over what a sample covers, nearest for odd ratios
            ys = numpy.minimum(((numpy.arange(ch * 4) + .5) * self.v / fv / 4).astype(int), h - 1)
            xs = numpy.minimum(((numpy.arange(cw * 4) + .5) * self.h / fh / 4).astype(int), w - 1)
            small = full[ys][:, xs].reshape(ch, 4, cw, 4).mean((1, 3))
            bw, bh = self.mcus[0] * fh, self.mcus[1] * fv
            padded = numpy.pad(small, ((0, bh * 8 - ch), (0, bw * 8 - cw)), "edge") - 128
            grid = padded.reshape(bh, 8, bw, 8).transpose(0, 2, 1, 3)
            coded = numpy.rint(BASIS @ grid @ BASIS.T / quant).astype(int).reshape(bh, bw, 64)[..., ZIGZAG]
            self.blocks.append(coded)
            self.own.append((-(-ch // 8), -(-cw // 8)))

    def order(self, scan):
        """Yields MCUs: lists of (component, row, column)."""
        if len(scan) == 1:
            rows, columns = self.own[scan[0]]
            for y in range(rows):
                for x in range(columns):
                    yield [(scan[0], y, x)]
            return
        for y in range(self.mcus[1]):
            for x in range(self.mcus[0]):
                yield [(c, y * self.factors[c][1] + j, x * self.factors[c][0] + i) for c in scan
                       for j in range(self.factors[c][1]) for i in range(self.factors[c][0])]

    def row_mcus(self, scan):
        return self.own[scan[0]][1] if len(scan) == 1 else self.mcus[0]

    def symbols(self, scan, kind, restart):
        """Yields (table, symbol, bits, their count), and ("r", number) for restarts; kind is that of a progressive scan."""
        last, n = {}, 0
        for index, mcu in enumerate(self.order(scan)):
            if restart and index and index % restart == 0:
                yield ("r", n % 8, 0, 0)
                n, last = n + 1, {}
            for c, y, x in mcu:
                block = self.blocks[c][y, x]
                start, end, high, low = kind or (0, 63, 0, 0)
                if start == 0:
                    dc = int(block[0]) >> low
                    if high:
                        yield (None, None, dc & 1, 1)
                    else:
                        size, bits = magnitude(dc - last.get(c, 0))
                        last[c] = dc
                        yield (0, size, bits, size)
                if end:
                    run = 0
                    for value in block[max(start, 1):end + 1]:
                        if value == 0:
                            run += 1
                            continue
                        while run > 15:
                            yield (1, 0xF0, 0, 0)
                            run -= 16
                        size, bits = magnitude(value)
                        yield (1, run << 4 | size, bits, size)
                        run = 0
                    if run:
                        yield (1, 0, 0, 0)

    def encode(self, scans, restart=0, progressive=False, adobe=None, sof=None, restart_rows=False, before=b""):
        out = b"\xFF\xD8" + before
        if adobe is not None: out += segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, adobe))
        out += segment(0xDB, bytes([0, *[self.quant] * 64]))
        sof = sof if sof is not None else 0xC2 if progressive else 0xC0
        frame = struct.pack(">BHHB", 8, self.size[1], self.size[0], len(self.ids))
        out += segment(sof, frame + b"".join(bytes([i, h << 4 | v, 0]) for i, (h, v) in zip(self.ids, self.factors)))
        for scan in scans:
            scan, kind = (scan if progressive else (scan, None))
            interval = self.row_mcus(scan) if restart_rows else restart
            if restart or restart_rows: out += segment(0xDD, struct.pack(">H", interval))
            found = list(self.symbols(scan, kind, interval))
            tables = [Table({s for t, s, _, _ in found if t == k and t != "r"}) for k in (0, 1)]
            for k in (0, 1):
                if any(t == k and t != "r" for t, *_ in found) or kind is None: out += tables[k].segment(k << 4)
            start, end, high, low = kind or (0, 63, 0, 0)
            out += segment(0xDA, bytes([len(scan), *[b for c in scan for b in (self.ids[c], 0)], start, end, high << 4 | low]))
            bits = Bits()
            for t, s, value, count in found:
                if t == "r":
                    bits.flush()
                    bits.out += bytes([0xFF, 0xD0 + s])
                    continue
                if t is not None:
                    bits.put(tables[t].codes[s], tables[t].length)
                bits.put(value, count)
            bits.flush()
            out += bytes(bits.out)
        return out + b"\xFF\xD9"


def progressive(components, interleaved=True):
    """Scans of a progressive file: brightness and colour of whole blocks, then details of each component."""
    every = list(range(components))
    dc = [every] if interleaved else [[c] for c in every]
    return ([(s, (0, 0, 0, 1)) for s in dc] + [([c], (1, 5, 0, 0)) for c in every]
            + [(s, (0, 0, 1, 0)) for s in dc] + [([c], (6, 63, 0, 0)) for c in every])


FACTORS = {
    "444": [(1, 1)] * 3, "422": [(2, 1), (1, 1), (1, 1)], "420": [(2, 2), (1, 1), (1, 1)], "440": [(1, 2), (1, 1), (1, 1)],
    "411": [(4, 1), (1, 1), (1, 1)], "410": [(4, 2), (1, 1), (1, 1)], "441": [(1, 4), (1, 1), (1, 1)],
    "3x1": [(3, 1), (1, 1), (1, 1)], "1x3": [(1, 3), (1, 1), (1, 1)], "larger colour": [(1, 1), (2, 2), (2, 2)],
    "wider colour": [(1, 1), (2, 1), (2, 1)], "uneven": [(2, 2), (2, 1), (1, 2)], "red alone": [(1, 1), (1, 1), (2, 1)],
    "422 doubled": [(2, 2), (1, 2), (1, 2)], "4:2": [(4, 1), (2, 1), (2, 1)], "all doubled": [(2, 1)] * 3,
}
FOUR = {"1": [(1, 1)] * 4, "2112": [(2, 2), (1, 1), (1, 1), (2, 2)], "1222": [(1, 1), (2, 2), (2, 2), (1, 1)]}
JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
SIZE = (29, 19)


def picture(width, height, count):
    y, x = numpy.mgrid[0:height, 0:width]
    return [90 + 100 * x / width + 30 * numpy.sin(y / 5), 60 + 130 * y / height + 20 * numpy.cos(x / 4),
            200 - 110 * (x + y) / (width + height), 100 + 80 * numpy.cos((x + 2 * y) / 15)][:count]


def files():
    every = [[0, 1, 2]], [[0], [1], [2]]
    for name, factors in FACTORS.items():
        jpeg = Jpeg(picture(*SIZE, 3), SIZE, factors)
        yield f"{name}, one scan", jpeg.encode(every[0])
        yield f"{name}, scans of one", jpeg.encode(every[1])
        yield f"{name}, progressive", jpeg.encode(progressive(3), progressive=True)
    for name in ("422", "420"):
        jpeg = Jpeg(picture(*SIZE, 3), SIZE, FACTORS[name])
        for scans in ([[0], [1, 2]], [[0, 1], [2]], [[2], [1], [0]]):
            yield f"{name}, scans {scans}", jpeg.encode(scans)
        for interval in (1, 3):
            yield f"{name}, restarts {interval}, one scan", jpeg.encode(every[0], interval)
            yield f"{name}, restarts {interval}, scans of one", jpeg.encode(every[1], interval)
            yield f"{name}, restarts {interval}, progressive", jpeg.encode(progressive(3), interval, True)
        yield f"{name}, restarts of rows, scans of one", jpeg.encode(every[1], restart_rows=True)
        yield f"{name}, progressive, all scans of one", jpeg.encode(progressive(3, False), progressive=True)
        yield f"{name}, extended", jpeg.encode(every[1], sof=0xC1)
        for size in ((7, 5), (16, 16), (17, 1), (6, 17)):
            jpeg = Jpeg(picture(*size, 3), size, FACTORS[name])
            yield f"{name}, {size}, one scan", jpeg.encode(every[0])
            yield f"{name}, {size}, scans of one", jpeg.encode(every[1])
    for factors in ((1, 1), (2, 2), (1, 2), (3, 3)):
        jpeg = Jpeg(picture(*SIZE, 1), SIZE, [factors])
        yield f"grey {factors}", jpeg.encode([[0]])
        yield f"grey {factors}, progressive", jpeg.encode(progressive(1), progressive=True)
    cut = segment(0xEE, b"Adobe\0d")
    for name, ids, adobe, before in (
        ("Adobe 0", None, 0, b""), ("Adobe 1", None, 1, b""), ("Adobe 2", None, 2, b""), ("Adobe 9", None, 9, b""),
        ("ids RGB", [82, 71, 66], None, b""), ("ids 012", [0, 1, 2], None, b""), ("ids RGB, Adobe 1", [82, 71, 66], 1, b""),
        ("ids RGB, JFIF", [82, 71, 66], None, JFIF), ("Adobe 0, JFIF", None, 0, JFIF), ("Adobe cut", None, None, cut),
        ("ids RGB, Adobe cut", [82, 71, 66], None, cut),
    ):
        jpeg = Jpeg(picture(*SIZE, 3), SIZE, FACTORS["420"], ids)
        yield f"{name}, one scan", jpeg.encode(every[0], adobe=adobe, before=before)
        yield f"{name}, scans of one", jpeg.encode(every[1], adobe=adobe, before=before)
    for name, factors in FOUR.items():
        jpeg = Jpeg(picture(*SIZE, 4), SIZE, factors)
        for adobe in (None, 0, 1, 2):
            yield f"four {name}, Adobe {adobe}", jpeg.encode([[0, 1, 2, 3]], adobe=adobe)
        yield f"four {name}, scans of one", jpeg.encode([[0], [1], [2], [3]], adobe=2)
        yield f"four {name}, progressive", jpeg.encode(progressive(4), progressive=True, adobe=0)


def main():
    folder = sys.argv[1]
    data, rows, pixels = b"", [], []
    for name, jpeg in files():
        image = numpy.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))
        height, width, _ = image.shape
        rows.append({"name": name, "offset": len(data), "bytes": len(jpeg), "width": width, "height": height})
        pixels.append(numpy.pad(image, ((0, 0), (0, max(SIZE) - width), (0, 0))))
        data += jpeg
    with open(f"{folder}/jpeg.bin", "wb") as out:
        out.write(data)
    with open(f"{folder}/jpeg.json", "w") as out:
        out.write("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")
    Image.fromarray(numpy.concatenate(pixels)).save(f"{folder}/jpeg.png", optimize=True)


if __name__ == "__main__":
    main()
