#!/usr/bin/env python3
"""Makes tests/golden/mojibake.json: texts decoded wrongly in many ways, and what ftfy makes of them.

usage: mojibake.py      (pip install ftfy==6.3.1)

The texts are our own. What ftfy does not give back as it was is left out, as is right text that it damages; right text
that it keeps stays in, decoded or not.
"""

import json
import pathlib

import ftfy

FILE = pathlib.Path(__file__).parent / "mojibake.json"
TEXTS = [
    "L’été à Évian : « déjà vu », ça coûte 5 €.", "Die Straße über Köln – „größer“ als München.",
    "El niño comió piñas… ¿también mañana?", "A irmã não viu a maçã amanhã.", "Perché la città è così.",
    "Șarpele și țapul mănâncă în pădure.", "Żółw źle śpi, więc łódź płynie.", "Příliš žluťoučký kůň úpěl.",
    "Árvíztűrő tükörfúrógép.", "Güneşli günde ışık ağaçta.", "Vi måste gå på ön.", "Vi må gå på øya nå.",
    "Tämä on hyvä päivä.", "Það er gott að búa í húsinu.", "Gražūs ąžuolai prie ežerų.", "Šodien ļoti skaista diena.",
    "Η καλή μέρα αρχίζει νωρίς.", "Съешь ещё этих мягких булок.", "Їжак з’їв ґудзик.", "שלום לכל העולם",
    "مرحبا بالعالم كله", "नमस्ते दुनिया", "สวัสดีชาวโลก", "Xin chào thế giới", "日本語の文です。", "这座旧桥建在河边。",
    "한국어 문장입니다", "Don’t panic — it’s “fine”…", "★ five stars ♥ 😀", "25 °C ± 2, 10 µm², ½ £3",
]
ENCODINGS = ["latin-1", "sloppy-windows-1252", "sloppy-windows-1250", "sloppy-windows-1251", "sloppy-windows-1253",
             "sloppy-windows-1254", "sloppy-windows-1257", "iso-8859-2", "macroman", "cp437"]


def decoded(text, encoding, layers):
    for _ in range(layers):
        text = text.encode("utf-8").decode(encoding)
    return text


def wrong(text):
    yield text
    for encoding in ENCODINGS:
        for layers in (1, 2, 3) if "1252" in encoding or encoding == "latin-1" else (1,):
            try:
                yield decoded(text, encoding, layers)
            except UnicodeDecodeError:
                pass
    once = decoded(text, "sloppy-windows-1252", 1)
    # No-break spaces made plain; right text in the same line.
    yield once.replace("\N{NO-BREAK SPACE}", " ")
    yield once + " “right” é"


def main():
    cases, seen = [], set()
    for right in TEXTS:
        for text in (right, right.upper()):
            for given in wrong(text):
                fixed = ftfy.fix_encoding(given)
                expected = text + " “right” é" if given.endswith("“right” é") else text
                if fixed == expected and given not in seen:
                    seen.add(given)
                    cases.append({"text": given, "fixed": fixed})
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    FILE.write_text(f"[\n{lines}\n]\n")
    print(len(cases), "texts")


if __name__ == "__main__":
    main()
