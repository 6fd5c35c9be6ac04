# SPDX-License-Identifier: MIT
"""Golden pixels from Pillow: python3 tests/golden/make_image_golden.py

writes tests/golden/image_golden.json, which tests/test_image.cpp expects of Gaze: resized images
(equal bit for bit), PNG files of several kinds (equal) and JPEG files (close: decoders may differ
in rounding). Pixels and files are hexadecimal. Made with Pillow 13.0.0. Pillow 13 reduces columns
before rows where that is less work, which rounds differently; all before it began with rows. The
two passes are asked for one by one here, so that every version gives the older, usual result.
"""

import io
import json
import pathlib
import random

import PIL.Image

SIZES = [(5, 4), (29, 17), (13, 4), (6, 9), (13, 9), (1, 1), (40, 3), (3, 40)]
FILTERS = {"bilinear": PIL.Image.Resampling.BILINEAR, "bicubic": PIL.Image.Resampling.BICUBIC}


def noise(width: int, height: int) -> PIL.Image.Image:
    """Noise with hard edges, which expose rounding and overshoot."""
    draw = random.Random(3)
    values = [draw.choice([0, 255, draw.randrange(256)]) for _ in range(width * height * 3)]
    return PIL.Image.frombytes("RGB", (width, height), bytes(values))


def smooth(width: int, height: int) -> PIL.Image.Image:
    """A gentle gradient, which survives JPEG."""
    values = [v for y in range(height) for x in range(width) for v in (4 * x + 20, 5 * y + 30, 90)]
    return PIL.Image.frombytes("RGB", (width, height), bytes(values))


def packed(image: PIL.Image.Image, **options) -> dict:
    file = io.BytesIO()
    image.save(file, **options)
    rgb = PIL.Image.open(io.BytesIO(file.getvalue())).convert("RGB")
    return {"file": file.getvalue().hex(), "width": rgb.width, "height": rgb.height,
            "rgb": rgb.tobytes().hex()}


def main() -> None:
    source = noise(13, 9)
    resized = [
        {"filter": name, "width": w, "height": h,
         "rgb": source.resize((w, source.height), method).resize((w, h), method).tobytes().hex()}
        for name, method in FILTERS.items() for w, h in SIZES
    ]
    alpha = source.copy()
    alpha.putalpha(source.convert("L"))
    palette = source.quantize(7)
    pngs = [packed(image, format="PNG")
            for image in (source, alpha, source.convert("L"), source.convert("LA"), palette,
                          source.convert("1"))]
    pngs.append(packed(palette, format="PNG", transparency=2))
    jpegs = [packed(smooth(40, 24), format="JPEG", quality=95, subsampling=0),
             packed(smooth(40, 24), format="JPEG", quality=90, subsampling=2),
             packed(smooth(40, 24), format="JPEG", quality=95, progressive=True),
             packed(smooth(40, 24).convert("L"), format="JPEG", quality=95)]
    # 4:2:2 of an even and an odd width, where the last columns' colours come from their neighbours.
    jpegs += [packed(source.resize((width, 9)), format="JPEG", quality=95, subsampling=1)
              for width in (12, 13)]
    golden = {"width": 13, "height": 9, "rgb": source.tobytes().hex(), "resized": resized,
              "png": pngs, "jpeg": jpegs}
    out = pathlib.Path(__file__).parent / "image_golden.json"
    out.write_text(json.dumps(golden, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
