#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The logits of gaze_torch.py against those of the program `gaze`, for random tokens and pictures.

    python3 examples/pytorch/check_logits.py out/arms/sft/seed0 [--gaze build/release/gaze]

Prints the largest difference as a share of the largest logit; above --most it is an error. A model
of precision bf16 is compared in float32.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file, save_file

import gaze_torch


def inputs_of(model, rows=6, words=40):
    """Random tokens; every second row of a model with a ViT begins with a picture."""
    random = torch.Generator().manual_seed(1)
    d = model.description
    length = words
    if d["kind"] == "vlm":
        side = d["vit"]["image"]
        tokens = (side // d["vit"]["patch"] // d["shuffle"]) ** 2
        length += tokens
    ids = torch.randint(0, d["vocabulary"], (rows, length), generator=random)
    if d["kind"] != "vlm":
        return {"input_ids": ids}
    ids[ids == model.image_token] = 0
    ids[::2, 2:2 + tokens] = model.image_token
    pixels = torch.randint(0, 256, (rows, side, side, 3), generator=random, dtype=torch.uint8)
    return {"input_ids": ids, "pixels": pixels}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("model", help="folder of a trained model")
    parser.add_argument("--gaze", default="build/release/gaze", help="the program")
    parser.add_argument("--most", type=float, default=1e-5, help="largest difference allowed")
    asked = parser.parse_args()
    model = gaze_torch.load(asked.model)
    inputs = inputs_of(model)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        save_file(inputs, folder / "inputs.safetensors")
        subprocess.run([asked.gaze, "logits", "--model", asked.model, "--precision", "float32",
                        "--inputs", folder / "inputs.safetensors",
                        "--out", folder / "logits.safetensors"], check=True)
        theirs = load_file(folder / "logits.safetensors")["logits"]
    with torch.no_grad():
        ours = model(inputs["input_ids"], inputs.get("pixels"))
    difference = ((ours - theirs).abs().max() / theirs.abs().max()).item()
    count = sum(p.numel() for p in model.parameters())
    print(f"{count} parameters, logits {list(ours.shape)}, largest difference {difference:.1e}")
    sys.exit(difference > asked.most)


if __name__ == "__main__":
    main()
