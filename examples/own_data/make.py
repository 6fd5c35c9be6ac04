#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes mine.jsonl and pictures/ beside this file: ten rows about coloured squares.

Uses the standard library only. The rows show both forms, both ways to give a picture, and two
questions about one picture."""

import base64
import json
import pathlib
import struct
import zlib

HERE = pathlib.Path(__file__).resolve().parent
SIDE = 64
COLOURS = {"red": (200, 30, 30), "green": (30, 150, 30), "blue": (30, 60, 200)}
PICTURES = [(1, "red"), (2, "green"), (3, "blue"), (4, "red"), (2, "blue"), (3, "green")]
INLINE = 5  # the picture with this number is in the rows, not in a file


def png(rgb):
    """An 8-bit RGB PNG of SIDE x SIDE pixels."""
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + rgb[3 * SIDE * y:3 * SIDE * (y + 1)] for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) +
            chunk(b"IEND", b""))


def draw(count, colour):
    """`count` squares of 20 pixels on white, from the upper left."""
    rgb = bytearray(b"\xff" * (3 * SIDE * SIDE))
    for i in range(count):
        left, top = 8 + 28 * (i % 2), 8 + 28 * (i // 2)
        for y in range(top, top + 20):
            at = 3 * (SIDE * y + left)
            rgb[at:at + 60] = bytes(COLOURS[colour]) * 20
    return png(bytes(rgb))


def main():
    (HERE / "pictures").mkdir(exist_ok=True)
    rows = []
    for number, (count, colour) in enumerate(PICTURES, 1):
        data = draw(count, colour)
        if number == INLINE:
            picture = {"image_base64": base64.b64encode(data).decode()}
        else:
            (HERE / "pictures" / f"{number}.png").write_bytes(data)
            picture = {"image": f"pictures/{number}.png"}
        rows.append({"id": f"count-{number}", **picture,
                     "question": "How many squares are there ?", "answer": str(count),
                     "response": f"<think> {count} {colour} . so {count} </think> "
                                 f"<answer> {count} </answer>"})
        if number > 4:
            continue
        letter = "ABC"[list(COLOURS).index(colour)]
        rows.append({"id": f"colour-{number}", **picture,
                     "question": "Which colour are the squares ?", "options": list(COLOURS),
                     "answer": letter,
                     "response": f"<think> {count} {colour} . so {colour} : {letter} </think> "
                                 f"<answer> {letter} </answer>"})
    with open(HERE / "mine.jsonl", "w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
