#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Golden ids and texts of byte-level BPE tokenisers from Hugging Face's `tokenizers`.

    pip install tokenizers
    python3 tests/golden/make_byte_pair_golden.py

writes tests/golden/byte_pair_golden.json: a tokenizer.json with a small vocabulary trained on the
text below, and texts; for each variant, which changes some values of that file, the ids of the
texts, and the ids of the same as text from outside (`plain`, null where they are the same); and id
sequences, most of them random, with the text that the unchanged tokeniser makes of them, with
special tokens and without. Made with tokenizers 0.23.3.
"""
import copy
import json
import pathlib
import random

import tokenizers
from tokenizers import AddedToken, decoders, models, pre_tokenizers, trainers

TRAINING = """\
A block of mass 12 kg slides down a plane that is inclined at 30 degrees. What is its acceleration?
The net force is the sum of all forces: F = m * a, so a = F / m = 60 N / 12 kg = 5 m/s^2.
A ray of light enters a glass prism (n = 1.52) and is refracted; the angle doesn't exceed 41.8°.
Two charges of 3 μC and -5 μC are 0.2 m apart. The force between them is attractive: k q1 q2 / r².
She'll find that we've neglected friction, I'm sure; they're right, he'd say, and it's what I'd do.
The wave's frequency is 440 Hz, its speed 343 m/s: λ = v/f ≈ 0.78 m.  Then T = 1/f = 2.27 ms.
    for i in range(10):
        total += values[i]
\tindented with a tab
Масса тела равна двум килограммам. Сила равна массе, умноженной на ускорение.
Le café est à côté de la gare; l'énergie cinétique vaut ½ m v². Ångström, naïve, Größe.
質量は二キログラムです。力は質量と加速度の積です。質量と力。
What is the magnitude of the electric field at the centre of the ring? A: 0 B: 12 C: 35 D: 100
| x_1 | x_2 | sum |
The answer is A. The answer is B. The answer is C. The answer is D. <answer> B </answer>
"""

TEXTS = [
    "", " ", "  ", "   ", "a", " a", "  a", "a  b", "a   b", "a \n b", "a\n\nb", "\n", "\n\n",
    " \n \n x", "\t\tx", "x \t y ", "x\r\ny\rz", "x\x0by\x0cz\x85w\u2028v\u2029u", "a\u00a0b",
    "a \u00a0b", "\u00a0 b", "a\u2003\u2003b", "\u3000x\u3000", "\u1680\u202f\u205fx",
    "\u200b\u200bx", "\ufeffbom", "\x00\x01\x7f", "\x00", "a\x00b",
    "The mass of the block is 12 kg.", "What is the answer?  The answer is B.\n",
    "don't I'll we've he's they're I'm I'd 'S 'LL can'T '' 's 'st 'r 'rex", "'", "x'", "' s", "''s",
    "12345", "3.14159e-10", " 12 34", "a1b2 3c", "v = 12.5 m/s^2", "x\u00b2+y\u00b3=\u00bd",
    "\u2163 \u2463 \u0663\u0664 \uff13",
    "\u0967\u0968\u0969 \u56db\u4e94 \u216b \u00bc \u3007 \U00010140", "\u0664\u0661 1\u0662",
    "1 \u00b2 2", "1\u00a02", "1\n2", "1  2", "12  ", "  12", "F=ma; a = F/m = 10 N / 2 kg",
    "na\u00efve caf\u00e9 \u00c5ngstr\u00f6m \u03a9 \u00b0C \u03bcm",
    "e\u0301 a\u0308\u0323x \u0301", "\u65e5\u672c\u8a9e\u30c6\u30b9\u30c8",
    "\u8cea\u91cf\u306f\u4e8c", "\u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0643", "\u0939\u093f\u0928\u094d\u0926\u0940",
    "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22", "\U0001f469\u200d\U0001f52c\U0001f680",
    "\U0001d6fc+\U0001d6fd", "\U0001f1e9\U0001f1ea \u2764\ufe0f", "___foo__bar", "$\\frac{1}{2}$",
    "http://x.y/z?q=1&r=2", "#### A", "  indented\n    code()\n", "...!!!???",
    "\u00abquoted\u00bb \u201ccurly\u201d \u2018single\u2019", "a" * 50, "ab" * 40, "  " * 30,
    "\u0378\U0001fffe\uffff\u0000", "\u1c89\ua7cb\U00010d40\U00016d40", "\u24b6\u24d0\U0001f130",
    "<|im_start|>user\nhi<|im_end|>\n", "a<|im_end|>b", "<|im_end|><|im_end|>", "<|im_end",
    "<|IM_END|>", "x <mask> y", "x  \n<mask>\n y", "<mask> <mask>", "x <tool>  \n y",
    "<tool> <mask> z", "<tool>  <tool>", "a unit here",
    "units unit unit_ unit1 unit\u0301 (unit)unit", "unit", "\u00e9unit unit\u00b2 \u24b6unit",
    "<row_1_col_1><row_1_col_10><row_1_col_1", "pre<image><image>post", "\u00e9t\u00e9 caf\u00e9",
    "\u30ad\u30ed\u30b0\u30e9\u30e0 \u30ad\u30ed", "end|>x<|im_end|>", "<tool> \t \u00a0x",
    "<tool>\u3000", "<|endoftext|>", " <|endoftext|> ", "<answer> B </answer>", "\u0120the \u010a",
    "<tool>  @@  <mask>", "[ctrl] the [ctrl", "\u0100 \x00", "answers <answer>answer</answer>",
]

FLAGS = {"normalized": False}
ADDED = [
    AddedToken("<|im_start|>", special=True, **FLAGS),
    AddedToken("<|im_end|>", special=True, **FLAGS),
    AddedToken("<image>", special=True, **FLAGS),
    AddedToken("<mask>", special=True, lstrip=True, **FLAGS),
    AddedToken("<tool>", rstrip=True, **FLAGS),
    AddedToken("@@", lstrip=True, rstrip=True, **FLAGS),
    AddedToken("unit", single_word=True, **FLAGS),
    AddedToken("<row_1_col_1", **FLAGS),
    AddedToken("<row_1_col_1>", special=True, **FLAGS),
    AddedToken("<row_1_col_10>", special=True, **FLAGS),
    AddedToken("end|>", **FLAGS),             # hidden by <|im_end|>, even where that does not count
    AddedToken("\t", **FLAGS),                # inside the white space that <tool> takes
    AddedToken("\u00e9", **FLAGS),            # a character of the byte alphabet: decoded as byte E9
    AddedToken("\u0100", **FLAGS),            # the same of byte 00, which the model does not have
    AddedToken("\u30ad\u30ed", normalized=True),
    AddedToken("[ctrl]", normalized=True, special=True),
    AddedToken("answer", normalized=True),    # also a token of the model
    AddedToken("<answer>", normalized=True),
]


def base_file():
    """The tokenizer.json that the variants change."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=600, min_frequency=1, show_progress=False,
                                  special_tokens=["<|endoftext|>"])
    tokenizer.train_from_iterator([TRAINING], trainer)
    tokenizer.add_tokens(ADDED)
    return json.loads(tokenizer.to_str())


def variants(base):
    """Name and changes of each variant: a JSON pointer and the new value there."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                  "use_regex": True}
    spaced, whole = dict(byte_level, add_prefix_space=True), dict(byte_level, use_regex=False)

    def sequence(individual, step):
        return {"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": individual}, step]}

    half = base["model"]["merges"][::2]  # leaves many tokens that no merges make
    return [
        ("digits apart", {}),
        ("digits in runs", {"/pre_tokenizer": sequence(False, byte_level)}),
        ("no step for digits", {"/pre_tokenizer": byte_level}),
        ("prefix space", {"/pre_tokenizer": spaced}),
        ("digits apart, prefix space", {"/pre_tokenizer": sequence(True, spaced)}),
        ("no regular expression", {"/pre_tokenizer": whole}),
        ("half of the merges", {"/model/merges": half}),
        ("whole words first", {"/model/merges": half, "/model/ignore_merges": True}),
    ]


def changed(base, changes):
    file = copy.deepcopy(base)
    for pointer, value in changes.items():
        *path, last = pointer.split("/")[1:]
        place = file
        for key in path:
            place = place[key]
        place[last] = value
    return tokenizers.Tokenizer.from_str(json.dumps(file))


def random_texts(count):
    """Texts of fragments that meet at every kind of seam."""
    draw = random.Random(11)
    parts = [" ", " ", "  ", "\n", "\t", "\u00a0", "\u2003", "a", "the", " the", "mass", "'s",
             "'ll", "'", "1", "23", "\u00b2", "\u0663", "\u00e9", "e\u0301", "\u65e5", "\u8cea\u91cf",
             "\u043c\u0430\u0441\u0441\u0430", "\U0001f600", ".", "-_", "=", "<", "\x00", "\x1b",
             *(token.content for token in ADDED)]
    return ["".join(draw.choices(parts, k=draw.randint(1, 10))) for _ in range(count)]


def random_sequences(count, size):
    draw = random.Random(12)
    return [[draw.randrange(size) if draw.random() < 0.5 else draw.randrange(1, 200)
             for _ in range(draw.randint(1, 12))] for _ in range(count)]


def ids_of(tokenizer, texts, plain):
    tokenizer.encode_special_tokens = plain
    return [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]


def main():
    base = base_file()
    texts = TEXTS + random_texts(120)
    rows = []
    for name, changes in variants(base):
        tokenizer = changed(base, changes)
        ids, plain = (ids_of(tokenizer, texts, flag) for flag in (False, True))
        plain = [b if a != b else None for a, b in zip(ids, plain)]
        rows.append({"name": name, "changes": changes, "ids": ids, "plain": plain})
    tokenizer = changed(base, {})
    sequences = [{"ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False),
                  "skipped": tokenizer.decode(ids, skip_special_tokens=True)}
                 for ids in rows[0]["ids"] + random_sequences(200, tokenizer.get_vocab_size())]
    golden = {"tokenizers": tokenizers.__version__, "tokenizer": base, "texts": texts,
              "variants": rows, "sequences": sequences}

    def compact(value):
        return json.dumps(value, separators=(",", ":"))

    def lines(value):
        if not isinstance(value, list):
            return compact(value)
        return "[\n" + ",\n".join(compact(one) for one in value) + "]"

    members = ",\n".join(f"{compact(key)}: {lines(value)}" for key, value in golden.items())
    path = pathlib.Path(__file__).parent / "byte_pair_golden.json"
    path.write_text("{" + members + "}\n", encoding="utf-8")
    print(f"{len(texts)} texts, {len(rows)} variants, {len(sequences)} sequences, "
          f"{path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
