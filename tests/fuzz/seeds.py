# SPDX-License-Identifier: MIT
"""Writes the binary inputs of tests/fuzz/corpus: python3 tests/fuzz/seeds.py (needs Pillow)."""

import json
import pathlib
import random
import struct

import PIL.Image

CORPUS = pathlib.Path(__file__).parent / "corpus"


def put(target: str, name: str, data: bytes) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def pictures() -> None:
    """PNG and JPEG of every kind, 9 x 5 pixels each."""
    draw = random.Random(1)
    noise = PIL.Image.frombytes("RGB", (9, 5), bytes(draw.randrange(256) for _ in range(135)))
    folder = CORPUS / "image"
    folder.mkdir(parents=True, exist_ok=True)
    for name, mode, options in (
        ("baseline", "RGB", {}), ("grey", "L", {"optimize": True}),
        ("progressive", "RGB", {"progressive": True, "subsampling": 2}),
        ("restarts", "RGB", {"subsampling": 1, "restart_marker_blocks": 1}),
        ("cmyk", "CMYK", {"progressive": True, "optimize": True}),
    ):
        noise.convert(mode).save(folder / f"{name}.jpg", quality=10, **options)
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        noise.convert(mode).save(folder / f"{mode.lower()}.png", compress_level=9)
    noise.convert("L").convert("I;16").save(folder / "i16.png", compress_level=0)
    noise.quantize(3).save(folder / "p3.png", transparency=1)


def safetensors(tensors: dict, metadata: dict | None = None) -> bytes:
    """A file with these (type, shape, data)."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (dtype, shape, values) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + data


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def weights() -> None:
    a = {"a": ("F32", [2, 3], floats(*range(6))), "ids": ("I64", [2], struct.pack("<2q", -7, 9))}
    b = {"b": ("BF16", [4], bytes(8)), "c": ("F16", [], bytes(2)), "d": ("U8", [0, 3], b"")}
    put("safetensors", "two", safetensors(a, {"format": "pt"}))
    put("safetensors", "types", safetensors(b))
    put("safetensors", "none", safetensors({}, {"x": "y"}))
    files = {**dict.fromkeys(a, "a.safetensors"), **dict.fromkeys(b, "b.safetensors")}
    index = {"metadata": {"total_size": 1}, "weight_map": files}
    put("weight_folder", "two",
        b"\n---\n".join((json.dumps(index).encode(), safetensors(a), safetensors(b))))
    one = {"weight_map": dict.fromkeys(a, "a.safetensors")}
    put("weight_folder", "one", b"\n---\n".join((json.dumps(one).encode(), safetensors(a))))


def training_state() -> None:
    """The model's two parameters, and a state: its packs, their moments, the steps."""
    tensors = {"w": ("F32", [2, 3], floats(*range(6))), "v": ("F32", [4], floats(*range(4)))}
    put("training_state", "weights", safetensors(tensors))
    padded = 16  # numbers of a pack
    state = {pack + moment: ("F32", [padded], floats(*range(padded)))
             for pack in ("first", "second.undecayed") for moment in ("", ".first", ".second")}
    put("training_state", "state", safetensors(state, {"optimiser_steps": "3"}))


def crc32c(data: bytes) -> int:
    """Masked as in TFRecord files."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", crc32c(length)) + data + struct.pack("<I", crc32c(data))


def events() -> None:
    version = record(b"\x09" + struct.pack("<d", 1.0) + b"\x1a\x0dbrain.Event:2")
    value = b"\x0a\x04loss\x15" + struct.pack("<f", 0.5)
    summary = b"\x0a" + bytes([len(value)]) + value
    time_and_step = b"\x09" + struct.pack("<d", 2.0) + b"\x10\x01"
    event = record(time_and_step + b"\x2a" + bytes([len(summary)]) + summary)
    put("events", "version", version)
    put("events", "two", version + event + event)
    put("events", "cut", version + event[:-3])


if __name__ == "__main__":
    pictures()
    weights()
    training_state()
    events()
