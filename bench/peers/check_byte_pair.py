#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Gaze's byte-level BPE against the `tokenizers` package: the same tokenizer.json, the same texts.

Compares token ids (with special tokens recognised, and of text from outside, in which they are
not) and decoded text (with special tokens, and without) of the golden texts, random strings and the
documents, and the CPU time of both on one thread, the least of three rounds. The package's fastest
call is used, a batch without offsets. Also needs bench_tokenizer (./run bench).

    pip install tokenizers
    python3 bench/peers/check_byte_pair.py tokenizer.json [--build build/release]
                                           [--strings 100000] [--text FILE ...]
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
import tokenizers  # noqa: E402  reads the environment

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ("ids", "plain ids", "decoded", "decoded without special tokens")


def random_strings(count, contents, seed):
    """Strings of words, added tokens, and characters of pools that meet at every kind of seam.

    Surrogates are no text, and U+11DE0 to U+11DE9 and U+16FF4 to U+16FF6 are digits only from
    Unicode 17 on: the package's Digits has them, its regular expressions and Gaze do not.
    """
    draw = random.Random(seed)
    pools = ["ab 'sltdmrev", " \n\t\r\u00a0\u2003\u3000x", "ab\u00e9\u65e51\u00b2\u2163 \u0663_-.'",
             "".join(map(chr, range(0, 0x250))), "".join(map(chr, range(0x300, 0x3000))),
             "".join(map(chr, range(0x3000, 0xD800))), "".join(map(chr, range(0xE000, 0x10000))),
             "".join(map(chr, range(0x10000, 0x20000))),
             "\U0001f469\u200d\U0001f52c\U0001f680\ufe0f"]
    newer = {*range(0x11DE0, 0x11DEA), *range(0x16FF4, 0x16FF7)}
    pools = ["".join(c for c in pool if ord(c) not in newer) for pool in pools]
    words = ["the", " the", " mass", "don't", "I'll", "12", "3.14", " \n", "\n\n", "  ", "(", "://",
             " caf\u00e9", "\u041f\u0440\u0438\u0432\u0435\u0442", "\u65e5\u672c\u8a9e", "aaaa",
             *contents]

    def part():
        if draw.random() < 0.4:
            return draw.choice(words)
        pool = draw.choice(pools)
        return "".join(draw.choices(pool, k=draw.randint(1, 6)))

    return ["".join(part() for _ in range(draw.randint(1, 10))) for _ in range(count)]


def ours(program, path, texts):
    """Gaze's results of all texts, row by row, and the seconds taken."""
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    run = subprocess.run([program, "--serve", path], input=lines, stdout=subprocess.PIPE,
                         text=True, encoding="utf-8")
    if run.returncode != 0:
        sys.exit("check_byte_pair: bench_tokenizer failed")
    rows = [json.loads(line) for line in run.stdout.split("\n")[:-1]]
    return rows[:-1], rows[-1][1:]


def timed(operation):
    """The operation's result, and the least CPU seconds of three rounds."""
    seconds = float("inf")
    for _ in range(3):
        start = time.process_time()
        result = operation()
        seconds = min(seconds, time.process_time() - start)
    return result, seconds


def theirs(tokenizer, texts):
    """The package's results of all texts, row by row, and the seconds taken."""
    columns, seconds = [], []
    for plain in (False, True):
        tokenizer.encode_special_tokens = plain
        encodings, took = timed(
            lambda: tokenizer.encode_batch_fast(texts, add_special_tokens=False))
        columns.append([encoding.ids for encoding in encodings])
        seconds.append(took)
    for skip in (False, True):
        decoded, took = timed(lambda: tokenizer.decode_batch(columns[0], skip_special_tokens=skip))
        columns.append(decoded)
        seconds.append(took)
    return [list(row) for row in zip(*columns)], seconds


def compare(title, program, path, tokenizer, texts):
    """Prints what differs and the speeds; returns the number of texts that differ."""
    mine, my_seconds = ours(program, path, texts)
    other, other_seconds = theirs(tokenizer, texts)
    differ = [i for i in range(len(texts)) if mine[i] != other[i]]
    for i in differ[:5]:
        for name, a, b in zip(RESULTS, mine[i], other[i]):
            if a != b:
                print(f"  {texts[i][:200]!a}: {name} {a!a:.300}, not {b!a:.300}")
    size = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{title}: {len(texts)} texts, {size:.2f} MB, {sum(len(row[0]) for row in other)} ids, "
          f"{len(differ)} differ")
    for what, a, b in (("encode", my_seconds[0], other_seconds[0]),
                       ("decode", my_seconds[2], other_seconds[2])):
        if size > 0.1:
            print(f"  {what}: Gaze {size / a:.1f} MB/s, tokenizers {size / b:.1f} MB/s, "
                  f"ratio {b / a:.2f}")
    return len(differ)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tokenizer", help="a tokenizer.json")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--program", help="bench_tokenizer, if not in the build folder")
    parser.add_argument("--strings", type=int, default=100000, help="number of random strings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--text", type=pathlib.Path, nargs="*", default=[], help="also these files")
    options = parser.parse_args()
    program = options.program or str(options.build / "bench/bench_tokenizer")
    tokenizer = tokenizers.Tokenizer.from_file(options.tokenizer)
    print("tokenizers", tokenizers.__version__)

    added = [token.content for token in tokenizer.get_added_tokens_decoder().values()]
    golden = json.loads((ROOT / "tests/golden/byte_pair_golden.json").read_text(encoding="utf-8"))
    documents = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))]
    differ = 0
    for title, texts in (
            ("golden texts", golden["texts"]),
            ("random strings", random_strings(options.strings, added, options.seed)),
            ("lines of docs/", [line for text in documents for line in text.splitlines(True)]),
            ("docs/ as one text", ["".join(documents)]),
            *((path.name, [path.read_text(encoding="utf-8")]) for path in options.text)):
        differ += compare(title, program, options.tokenizer, tokenizer, texts)
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
