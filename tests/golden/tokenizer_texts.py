"""Texts that the scripts for tokenizers train on and encode. They are our own."""

import itertools

SENTENCES = [
    "A small red circle lies on a wooden box.",
    "The large blue triangle stands beside two green squares, doesn't it?",
    "Prices rose from $1,234.56 to £2,000 (that is 62 %) in 1998–2003.",
    "See https://example.org/a/b?c=d&e=f#g for the e-mail of j.doe@example.org!",
    "def add(a, b):\treturn a + b  # TODO: overflow",
    "Unbelievably, the antidisestablishmentarians' counter-arguments went unheard.",
    "…and then .......... nothing -------- happened ======== at all ********",
    "Zażółć gęślą jaźń; Größe, façade, naïve, Ærøskøbing, São Tomé.",
    "Съешь же ещё этих мягких французских булок.",
    "Το γρήγορο καφέ αλεπού πηδάει.",
    "速い茶色の狐は怠け者の犬を飛び越える。カタカナとひらがな。",
    "빠른 갈색 여우가 게으른 개를 뛰어넘는다.",
    "الثعلب البني السريع يقفز فوق الكلب الكسول",
    "तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है",
]

ODD = [
    "", " ", "    ", "\t", "\n", "a\tb", "a  b", "  a  b  ", "a ", "\u00a0a\u00a0b", "a\r\nb", "\u2028x\u2029",
    "▁", "▁▁", "▁a", "a▁", " ▁ a ▁ ", "a▁▁b", "\u3000a\u3000b", "\u200ba\u200bb", "\ufeffx", "\u0000", "a\u0000b",
    "\u0001\u0002\u007f\u0085", "e\u0301", "é", "A\u030a", "a\u0300\u0301\u0302", "\u0301", "\u0301a", " \u0301",
    "\u1112\u1161\u11ab", "ｶﾞｷﾞ", "ﬁ ﬂ ½ ™ ① ㎏ ﷺ", "ＡＢＣ　１２３", "İıſǆ", "\u00ad", "\ufffd", "\U0010ffff",
    "😀", "👩‍👩‍👧‍👦 family", "🇩🇪", "<s>", "</s>", "<unk>", "<unk><s>x</s>", "漢", "漢字漢字 漢字", "z漢z",
]


def shapes() -> list[str]:
    """Lines with few words, in all their combinations."""
    sizes, colours = ("small", "large", "tiny"), ("red", "green", "blue", "yellow")
    shapes, places = ("circle", "square", "triangle"), ("on a box", "under the table", "beside two others")
    return [
        f"A {size} {colour} {shape} lies {place}. The {colour} {shape}s are {size}er than that, he said."
        for size, colour, shape, place in itertools.product(sizes, colours, shapes, places)
    ]
