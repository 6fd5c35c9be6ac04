# SPDX-License-Identifier: MIT
"""Small inputs to start fuzzing from: python3 tests/fuzz/seeds.py FOLDER

writes pictures of every kind, for which it needs Pillow, with the files of
tests/golden/image_golden.json, and small tokenizer.json files, each with a text.
"""

import json
import pathlib
import random
import sys

import PIL.Image


def write_tokenizers(folder: pathlib.Path) -> None:
    """A small tokenizer.json in four variants, each with a text."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": True, "use_regex": True}
    digits = {"type": "Digits", "individual_digits": True}
    off = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    vocab = ["a", "b", "c", "\u0120", "\u00e9", "ab", "abc", "<x>"]
    file = {
        "version": "1.0", "normalizer": None, "decoder": byte_level,
        "added_tokens": [{**off, "id": 7, "content": "<x>", "special": True, "lstrip": True},
                         {**off, "id": 8, "content": "<y", "normalized": True, "rstrip": True},
                         {**off, "id": 9, "content": "<yy", "single_word": True}],
        "model": {"type": "BPE", "vocab": {token: i for i, token in enumerate(vocab)}}}
    for step in (byte_level, {"type": "Sequence", "pretokenizers": [digits, byte_level]}):
        for merges in (["a b", "ab c"], [["a", "b"], ["ab", "c"]]):
            file["pre_tokenizer"], file["model"]["merges"] = step, merges
            file["model"]["ignore_merges"] = merges[0] == "a b"
            name = f"byte_pair_{step['type']}_{type(merges[0]).__name__}"
            text = "abc <x> <y abcab <yy \u00e91 's  \U0001f680"
            (folder / name).write_bytes(f"{json.dumps(file)}\0{text}".encode())


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write_tokenizers(folder)
    golden = pathlib.Path(__file__).parents[1] / "golden" / "image_golden.json"
    for kind in ("png", "jpeg"):
        for i, one in enumerate(json.loads(golden.read_text(encoding="utf-8"))[kind]):
            (folder / f"golden{i}.{kind}").write_bytes(bytes.fromhex(one["file"]))
    draw = random.Random(1)
    for width, height in ((1, 1), (9, 17), (24, 16), (33, 40)):
        values = bytes(draw.randrange(256) for _ in range(width * height * 3))
        noise = PIL.Image.frombytes("RGB", (width, height), values)
        for mode in ("RGB", "L", "CMYK"):
            image = noise.convert(mode)
            for name, options in {
                "plain": {}, "progressive": {"progressive": True}, "optimized": {"optimize": True},
                "restarts": {"restart_marker_blocks": 1}, "422": {"subsampling": 1},
                "420": {"subsampling": 2, "progressive": True, "restart_marker_blocks": 2},
            }.items():
                image.save(folder / f"{width}x{height}{mode}{name}.jpg", quality=40, **options)
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
            image = noise.convert("L").convert(mode) if mode == "I;16" else noise.convert(mode)
            for level in (0, 9):
                image.save(folder / f"{width}x{height}{mode[:4]}{level}.png", compress_level=level)
        noise.quantize(3).save(folder / f"{width}x{height}P3.png", transparency=1)


if __name__ == "__main__":
    main()
