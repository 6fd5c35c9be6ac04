# SPDX-License-Identifier: MIT
"""Golden ids from Hugging Face's `tokenizers` for the tokenizer.json that Gaze writes.

    ./test_tokenizer "[.golden]"       writes tokenizer.json into the current folder
    python3 tests/golden/make_tokenizer_golden.py tokenizer.json

writes tests/golden/tokenizer_golden.json: the tokenizer, and texts with their ids, which
tests/test_tokenizer.cpp then expects of Gaze. `plain_ids` are those of text from outside, in which
control tokens are not recognised. Made with tokenizers 0.23.3; any from 0.20 on should do.
"""

import json
import pathlib
import random
import sys

import tokenizers

TEXTS = [
    "",
    " ",
    "  two  spaces   three ",
    "mass",
    " mass",
    "The mass of the block is 12 kg.",
    "<think> a = 5 . </think> <answer> B </answer>",
    "<think>a = 5</think>\n<answer>B</answer>",
    "  <think>  </think>",
    "<|user|><|image|>What is the speed?\nA: 5 m/s\nB: 12 m/s\nC: 350 m/s\nD: 1234 m/s<|end|>",
    "<|assistant|> <think> F = m * a = 2 kg * 3 m/s^2 . </think> <answer> A </answer><|end|>",
    "A: B:C: DA: E: a: A:5 A :",
    "0 1 199 200 999 1000 007 3.14159 -5 +5 5e-3 1,000,000",
    "kg*m/s^2 kg*m^2/s^-2 s^- s^x m// m/ /m m*/s radius/height and/or abc/abcd abcd/abc m^2^3",
    "5m/s^2 2x x2 v0 v_0 don't \"quoted\" (J/(kg*K))",
    "acceleration accelerations",
    "Answer with the letter of the right option. Then stop.",
    "xAnswer with the letter of the right option.",
    "Answer with the letter of the right option",
    "\u00b0C \u03a9 \u00b5m m/s\u00b2 3\u00d710\u2078 N\u00b7m \u2212 \u0394x",
    "\u2013 \u2014 \u201cq\u201d\u00a0x",
    "\u4e2d\u6587\u6d4b\u8bd5 \u65e5\u672c\u8a9e \U0001f680 e\u0301 \u2581 \u2581mass \ufeff",
    "<0x41> <0x0A><0xFF> <think <|end| |end|> <|pad|><|pad|> <|END|>",
    "tab\there\r\nline\n\n  indented\n \n\x00\x01\x7f",
    "<|end|>ignored <|image|> please</think> <|user|>",
]


def random_texts(count: int) -> list[str]:
    """Texts of fragments that meet at every kind of seam."""
    draw = random.Random(7)
    parts = [" ", " ", "  ", "\n", "A", "B:", "D:", "E:", "m", "kg", "s^2", "s^-1", "^", "-", "/",
             "*", "mass", "the", "accel", "12", "7", "1000", ".", ",", "=", "(", "<", ">", "|",
             "<think>", "</think>", " <answer>", "</answer>", "<|end|>", "\u00b2", "\u00b7",
             "\u03a9", "\u00e9", "\u4e2d", "\u00a0", "\u2013", "\u206f", "\u2070", "\U0001f680",
             "<0x41>", "Answer", "Answer with the letter of the right option."]
    return ["".join(draw.choices(parts, k=draw.randint(1, 12))) for _ in range(count)]


def main() -> None:
    source = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    tokenizer = tokenizers.Tokenizer.from_str(source)
    cases = []
    for text in TEXTS + random_texts(120):
        tokenizer.encode_special_tokens = False
        ids = tokenizer.encode(text).ids
        assert tokenizer.decode(ids, skip_special_tokens=False) == text, text
        tokenizer.encode_special_tokens = True
        plain_ids = tokenizer.encode(text).ids
        assert tokenizer.decode(plain_ids, skip_special_tokens=False) == text, text
        cases.append({"text": text, "ids": ids, "plain_ids": plain_ids})
    vocabulary = json.loads(source)["model"]["vocab"]
    assert vocabulary == tokenizer.get_vocab()
    lines = ",\n  ".join(json.dumps(case) for case in cases)
    out = pathlib.Path(__file__).parent / "tokenizer_golden.json"
    document = json.dumps(json.loads(source))
    out.write_text(f'{{"tokenizer": {document},\n "cases": [\n  {lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
