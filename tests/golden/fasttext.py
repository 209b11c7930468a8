"""Makes the golden fastText models and predictions under tests/golden/fasttext/.

    python -m venv v && v/bin/pip install fasttext-wheel==0.9.2 'numpy<2'
    v/bin/python tests/golden/fasttext.py

The models are trained on Article 1 of the Universal Declaration of Human Rights, typed here, and
on random samples of its words. One thread and fasttext's own fixed seed: a run gives the same bytes.
"""

import json
import pathlib
import random
import sys
import tempfile

# This script's folder comes first in the path, and the script bears the package's name.
sys.path.pop(0)
import fasttext  # noqa: E402

OUT = pathlib.Path(__file__).parent / "fasttext"
TEXTS_PER_LANGUAGE = 6
PREDICTIONS = 3

ARTICLE = {
    "en": "All human beings are born free and equal in dignity and rights. They are endowed with reason and "
    "conscience and should act towards one another in a spirit of brotherhood.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen "
    "begabt und sollen einander im Geiste der Brüderlichkeit begegnen.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et "
    "de conscience et doivent agir les uns envers les autres dans un esprit de fraternité.",
    "es": "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón y "
    "conciencia, deben comportarse fraternalmente los unos con los otros.",
    "it": "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti. Essi sono dotati di ragione e di "
    "coscienza e devono agire gli uni verso gli altri in spirito di fratellanza.",
    "pt": "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de razão e de "
    "consciência, devem agir uns para com os outros em espírito de fraternidade.",
    "nl": "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren. Zij zijn begiftigd met verstand en "
    "geweten, en behoren zich jegens elkander in een geest van broederschap te gedragen.",
    "ru": "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью "
    "и должны поступать в отношении друг друга в духе братства.",
    "el": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι προικισμένοι "
    "με λογική και συνείδηση, και οφείλουν να συμπεριφέρονται μεταξύ τους με πνεύμα αδελφοσύνης.",
    "ar": "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق. وقد وهبوا عقلا وضميرا وعليهم أن يعامل بعضهم بعضا "
    "بروح الإخاء.",
    "he": "כל בני האדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון, לפיכך חובה עליהם "
    "לנהוג איש ברעהו ברוח של אחווה.",
    "hi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि "
    "और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए।",
    "ja": "すべての人間は、 生まれながらにして自由であり、 かつ、 尊厳と権利とについて平等である。 人間は、 "
    "理性と良心とを授けられており、 互いに同胞の精神をもって行動しなければならない。",
    "zh": "人人生而自由， 在尊严和权利上一律平等。 他们赋有理性和良心， 并应以兄弟关系的精神相对待。",
    "ko": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 "
    "부여받았으며 서로 형제애의 정신으로 행동하여야 한다.",
    "th": "มนุษย์ทั้งหลายเกิดมามีอิสระ และเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม "
    "และควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ",
}
# What a tokeniser could trip over: nothing, the end-of-sentence token, a label, separators, a NUL.
ODD = [
    "",
    " ",
    "</s>",
    "free and </s> equal",
    "__label__de free",
    "__label__unknown free",
    "a\tb\u000bc\u000cd\re\u0000f",
    "x",
    "é",
    "\u00a0free\u2003equal",
    "😀 free 😀",
    "12 + 30 = 42",
    "supercalifragilisticexpialidocious" * 4,
]


def sample(words, rng):
    return " ".join(rng.choice(words) for _ in range(rng.randint(1, 9)))


def languages(rng):
    """Lines of 16 labels, of uneven number, so that a Huffman tree is uneven too."""
    for index, (code, text) in enumerate(ARTICLE.items()):
        yield f"__label__{code} {text}"
        for _ in range(20 + 4 * index):
            yield f"__label__{code} {sample(text.split(), rng)}"


def many(rng):
    """Lines of 272 labels: an output matrix is quantised only from 256 rows on."""
    for code, text in ARTICLE.items():
        for part in range(17):
            for _ in range(2 + part % 5):
                yield f"__label__{code}_{part} part{part} {sample(text.split(), rng)} part{part}"


def texts(rng):
    found = list(ODD)
    for text in ARTICLE.values():
        found += [sample(text.split(), rng) for _ in range(TEXTS_PER_LANGUAGE - 2)]
        found.append("".join(rng.sample(text, 30)))
        found.append(text.upper())
    return found


def rounded(found):
    """Predictions as lists of labels and probabilities."""
    return [[[label, round(float(p), 7)] for label, p in zip(*prediction)] for prediction in found]


def main():
    rng = random.Random(20)
    OUT.mkdir(exist_ok=True)
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "languages").write_text("\n".join(languages(rng)) + "\n")
    (folder / "many").write_text("\n".join(many(rng)) + "\n")
    asked = texts(rng)
    # minn 2 and an odd dimension: n-grams of one character and a last subquantiser of one number.
    shape = dict(dim=7, bucket=1200, minn=1, maxn=3, wordNgrams=2, minCount=2, epoch=25, lr=0.5, thread=1, verbose=0)
    expected = {"texts": asked, "models": {}}

    def keep(name, model):
        model.save_model(str(OUT / name))
        model = fasttext.load_model(str(OUT / name))
        found = [model.predict(text, k=PREDICTIONS) for text in asked]
        expected["models"][name] = rounded(found)

    def train(data, **settings):
        return fasttext.train_supervised(str(folder / data), **{**shape, **settings})

    for loss in ["softmax", "hs", "ova", "ns"]:
        keep(f"{loss}.bin", train("languages", loss=loss))
        plain = train("languages", loss=loss)
        plain.quantize()
        keep(f"{loss}.ftz", plain)
        pruned = train("languages", loss=loss)
        pruned.quantize(cutoff=700, qnorm=True)
        keep(f"{loss}-pruned.ftz", pruned)
        quantised = train("many", loss=loss, bucket=400)
        quantised.quantize(cutoff=400, qnorm=True, qout=True)
        keep(f"{loss}-qout.ftz", quantised)
    keep("words.bin", train("languages", loss="softmax", minn=0, maxn=0, wordNgrams=1))
    trained = OUT / "trained.bin"
    if trained.exists():
        # Made by our own trainer (an ignored test of `filter`): fastText must read it alike.
        model = fasttext.load_model(str(trained))
        found = [model.predict(text, k=PREDICTIONS) for text in asked]
        expected["models"][trained.name] = rounded(found)
    (OUT / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
