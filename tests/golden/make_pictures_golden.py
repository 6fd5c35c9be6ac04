# SPDX-License-Identifier: MIT
"""Golden tiles of pictures from transformers: python3 tests/golden/make_pictures_golden.py

writes tests/golden/pictures_golden.json, which tests/test_picture_tiles.cpp expects of Gaze: sizes
of plans for many pictures, hashes of resized pictures, tiles and normalised values. The pictures
are formulas that the test repeats. Made with transformers 5.24.0 (the image processors that use
Pillow, not torchvision), Pillow 12.3.0 and NumPy 2.4. Pillow 13 and later reduces columns before
rows where that is less work, which rounds differently, so an older one is required.
"""

import hashlib
import json
import pathlib
import random
import types

import numpy as np
import PIL.Image
import torch
import transformers
from transformers.image_processing_utils import get_patch_output_size, select_best_resolution
from transformers.image_utils import ChannelDimension
from transformers.models.idefics3 import image_processing_pil_idefics3 as idefics3
from transformers.models.llava_next.image_processing_pil_llava_next import (
    LlavaNextImageProcessorPil)
from transformers.models.llava_next.modeling_llava_next import unpad_image
from transformers.models.llava_next.processing_llava_next import LlavaNextProcessor

assert int(PIL.__version__.split(".")[0]) < 13, "Pillow < 13"

SIZES = [(100, 80), (640, 480), (480, 640), (1000, 300), (300, 1000), (333, 77), (384, 384),
         (385, 384), (384, 385), (2048, 2048), (2000, 1501), (1, 1), (1, 500), (500, 1), (2, 3),
         (56, 56), (57, 56), (224, 56), (55, 900), (513, 511)]
SLOW_SIZES = [(100, 80), (640, 480), (480, 640), (1000, 300), (333, 77), (384, 384), (385, 384),
              (2048, 2048), (2000, 1501), (1, 1), (300, 1800)]
# Granite Vision's, and LLaVA 1.6's: (height, width) in tiles.
GRANITE = ([(1, k) for k in range(1, 11)] + [(2, k) for k in range(1, 6)] +
           [(3, k) for k in range(1, 4)] + [(4, 1), (4, 2), (5, 1), (5, 2)] +
           [(k, 1) for k in range(6, 11)])
LLAVA = [(1, 2), (2, 1), (2, 2), (3, 1), (1, 3)]
CLIP_MEAN, CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


def smooth(w: int, h: int) -> np.ndarray:
    """Gradients with small steps."""
    y, x = np.mgrid[0:h, 0:w].astype(np.int64)
    r = (x * 255 // max(w - 1, 1)) ^ ((x * y) & 31)
    g = (y * 255 // max(h - 1, 1) + ((x // 7 + y // 5) % 2) * 40) % 256
    b = (x * 13 + y * 7 + (x * x + y * y) // 97) % 256
    return np.stack([r, g, b], -1).astype(np.uint8)


def noise(w: int, h: int) -> np.ndarray:
    """Half of the values 0 or 255, which expose rounding and overshoot."""
    i = np.arange(w * h * 3, dtype=np.uint32) * np.uint32(2654435761)
    i = (i ^ (i >> np.uint32(15))) * np.uint32(2246822519)
    i ^= i >> np.uint32(13)
    kind = (i >> np.uint32(8)) % 4
    values = np.where(kind == 0, 0, np.where(kind == 1, 255, i % 256))
    return values.astype(np.uint8).reshape(h, w, 3)


PICTURES = {"smooth": smooth, "noise": noise}


def digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def idefics(edge: int, side: int, split: bool = True, cls=idefics3.Idefics3ImageProcessorPil,
            **options):
    return cls(size={"longest_edge": edge}, max_image_size={"longest_edge": side},
               do_image_splitting=split, **options)


def llava(side: int, grids: list, **options) -> LlavaNextImageProcessorPil:
    square = {"height": side, "width": side}
    return LlavaNextImageProcessorPil(
        size=square, crop_size=square,
        image_grid_pinpoints=[[h * side, w * side] for h, w in grids], **options)


def empty(w: int, h: int) -> np.ndarray:
    """A picture that takes no memory."""
    return np.broadcast_to(np.zeros((1, 1, 1), np.uint8), (3, h, w))


class SizesOnly(idefics3.Idefics3ImageProcessorPil):
    """Records the sizes that a picture is resized to."""

    def resize(self, image, size, **_):
        h, w = (idefics3.get_resize_output_image_size(image, size.longest_edge)
                if size.longest_edge else (size.height, size.width))
        self.seen.append([w, h])
        return empty(w, h)


def split_sizes(edge: int, side: int, sizes: list) -> dict:
    processor, rows = idefics(edge, side, cls=SizesOnly), []
    for w, h in sizes:
        processor.seen = []
        image = processor.resize(empty(w, h), processor.size)
        image = processor.resize_for_vision_encoder(image, side)
        _, down, across = processor.split_images(image, {"longest_edge": side})
        rows.append([w, h, *processor.seen[0], *processor.seen[1], down, across])
    return {"edge": edge, "side": side, "sizes": rows}


def anyres_sizes(side: int, grids: list, per_side: int, sizes: list) -> dict:
    """Of each picture: the canvas, its own size there, its place, kept features, tokens."""
    processor, rows = llava(side, grids), []
    prompt = types.SimpleNamespace(image_processor=processor, patch_size=side // per_side,
                                   num_additional_image_tokens=0)
    prompt._get_unpadded_features = types.MethodType(LlavaNextProcessor._get_unpadded_features,
                                                     prompt)
    for w, h in sizes:
        best = select_best_resolution((h, w), processor.image_grid_pinpoints)
        new = get_patch_output_size(empty(w, h), best, ChannelDimension.FIRST)
        (top, _), (left, _) = processor._get_padding_size(new, best)
        down, across = best[0] // side * per_side, best[1] // side * per_side
        index = torch.arange(down * across).view(1, down, across)
        kept = unpad_image(index, (h, w))
        first = int(kept.flatten()[0]) if kept.numel() else -1
        tokens = LlavaNextProcessor._get_number_of_features(prompt, h, w, side, side)
        assert tokens == per_side**2 + kept.shape[1] * (kept.shape[2] + 1)
        rows.append([w, h, best[1], best[0], new[1], new[0], left, top, first, kept.shape[1],
                     kept.shape[2], tokens])
    return {"side": side, "per_side": per_side, "grids": grids, "sizes": rows}


def tiles_of(processor, picture: np.ndarray) -> np.ndarray:
    """[tiles, H, W, 3] bytes."""
    image = PIL.Image.fromarray(picture)
    out = np.asarray(processor(image, do_rescale=False, do_normalize=False,
                               return_tensors="np")["pixel_values"])
    return out.reshape(-1, *out.shape[-3:]).astype(np.uint8).transpose(0, 2, 3, 1)


def tiles(make, sizes: list) -> list:
    out = []
    for kind, picture in PICTURES.items():
        for w, h in sizes:
            found = tiles_of(make, picture(w, h))
            out.append([kind, w, h, [digest(t) for t in found],
                        found[:, 0, 0].tobytes().hex()])
    return out


def resized() -> list:
    out = []
    for kind in PICTURES:
        for (w, h) in [(13, 9), (64, 48), (200, 3), (3, 200), (301, 299)]:
            image = PIL.Image.fromarray(PICTURES[kind](w, h))
            for size in [(5, 4), (29, 17), (13, 9), (1, 1), (100, 7), (7, 100), (64, 150)]:
                pixels = np.asarray(image.resize(size, PIL.Image.Resampling.LANCZOS))
                out.append([kind, w, h, *size, digest(pixels), pixels.reshape(-1)[:6].tolist()])
    return out


def values() -> list:
    """Hashes of normalised float32 values [3, H, W] of the first tile."""
    out = []
    for mean, std, scale in [([0.5] * 3, [0.5] * 3, 1 / 255), (CLIP_MEAN, CLIP_STD, 1 / 255),
                             ([0.1, 0.2, 0.3], [0.9, 0.7, 1.3], 1 / 127.5), ([0] * 3, [1] * 3, 1)]:
        processor = llava(128, LLAVA, image_mean=mean, image_std=std, rescale_factor=scale)
        pixels = processor(PIL.Image.fromarray(noise(128, 128)),
                           return_tensors="np")["pixel_values"][0][0]
        assert pixels.dtype == np.float32 and pixels.shape == (3, 128, 128)
        out.append({"mean": mean, "std": std, "rescale": scale, "values": digest(pixels)})
    return out


def main() -> None:
    draw = random.Random(5)
    side = lambda: int(2 ** draw.uniform(0, 12.5))  # noqa: E731
    many = SIZES + [(1, 10000), (10000, 1), (3, 9000), (9000, 5)]
    many += [(side(), side()) for _ in range(150)]
    few = many[:24] + many[-40:]
    granite, smol = llava(384, GRANITE), idefics(2048, 512)
    golden = {
        "made_with": [f"transformers {transformers.__version__}", f"Pillow {PIL.__version__}",
                      f"NumPy {np.__version__}"],
        "resized": resized(),
        "split_sizes": [split_sizes(2048, 512, many), split_sizes(1536, 384, few),
                        split_sizes(1456, 364, few), split_sizes(5000, 512, few),
                        split_sizes(333, 56, few), split_sizes(56, 56, few)],
        "anyres_sizes": [anyres_sizes(384, GRANITE, 27, many), anyres_sizes(336, LLAVA, 24, few),
                         anyres_sizes(56, GRANITE, 4, few)],
        "tiles": [
            {"edge": 224, "side": 56, "split": True, "pictures": tiles(idefics(224, 56), SIZES)},
            {"edge": 333, "side": 32, "split": True,
             "pictures": tiles(idefics(333, 32), SIZES[:6])},
            {"edge": 56, "side": 56, "split": True, "pictures": tiles(idefics(56, 56), SIZES[:6])},
            {"edge": 224, "side": 56, "split": False,
             "pictures": tiles(idefics(224, 56, False), SIZES)},
            {"side": 56, "grids": GRANITE, "pictures": tiles(llava(56, GRANITE), SIZES)},
            {"side": 33, "grids": LLAVA, "pictures": tiles(llava(33, LLAVA), SIZES)},
        ],
        "slow_tiles": [
            {"edge": 2048, "side": 512, "split": True, "pictures": tiles(smol, SLOW_SIZES)},
            {"side": 384, "grids": GRANITE, "pictures": tiles(granite, SLOW_SIZES)},
        ],
        "values": values(),
    }
    # One picture a line.
    text = json.dumps(golden).replace("[[", "[\n[").replace("], [", "],\n[")
    text = text.replace(' {"', '\n{"')
    out = pathlib.Path(__file__).parent / "pictures_golden.json"
    out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
