#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tiny random models in Gaze's own files, with the logits that examples/pytorch gives them.

    make_torch_golden.py OUT        (torch 2.5 or newer, safetensors; written with torch 2.15)

OUT/vlm: a ViT and a decoder with its own head and no default multiplier; OUT/language: a tied
decoder with the defaults. Each has model.safetensors, with Gaze's metadata, and golden.safetensors:
input_ids, pixels and logits. OUT/vlm also has tokenizer.json, the first tokens of
tokenizer_golden.json.
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here.parents[1] / "examples/pytorch"))
import gaze_torch  # noqa: E402
from check_logits import inputs_of  # noqa: E402

VOCABULARY = 384  # control tokens, tags, bytes, ASCII and options

VLM = {
    "version": 1, "kind": "vlm", "precision": "float32", "vocabulary": VOCABULARY, "shuffle": 2,
    "vit": {"image": 16, "patch": 4, "width": 20, "layers": 2, "heads": 5, "mlp": 28, "eps": 3e-6},
    "decoder": {"width": 24, "layers": 2, "heads": 6, "kv_heads": 3, "head_size": 4, "mlp": 36,
                "rope_theta": 500.0, "eps": 2e-5, "embedding_multiplier": 1.5,
                "attention_multiplier": 0.7, "residual_multiplier": 0.6, "logits_divisor": 3.0,
                "tied": False},
    "prompt": "<|user|>{image} {question}<|assistant|>"}

LANGUAGE = {
    "version": 1, "kind": "language", "precision": "float32", "vocabulary": 40,
    "decoder": {"width": 16, "layers": 2, "heads": 2, "kv_heads": 1, "head_size": 8, "mlp": 20,
                "rope_theta": 10000.0, "eps": 1e-5, "embedding_multiplier": 0.0,
                "attention_multiplier": 0.0, "residual_multiplier": 1.0, "logits_divisor": 1.0,
                "tied": True},
    "prompt": ""}


def save_tokenizer(path):
    tokenizer = json.loads((here / "tokenizer_golden.json").read_text())["tokenizer"]
    words = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {word: i for word, i in words.items() if i < VOCABULARY}
    path.write_text(json.dumps(tokenizer) + "\n")


def save_model(folder, description):
    torch.manual_seed(2)
    weights = {}
    for name, p in gaze_torch.Model(description, None).state_dict().items():
        norm = "norm" in name and name.endswith("weight")  # 1 would hide mistakes
        scale = 0.8 / p.shape[-1] ** 0.5 if p.ndim > 1 else 0.2
        weights[name] = torch.randn_like(p) * scale + norm
    save_file(weights, folder / "model.safetensors", {"gaze.model": json.dumps(description)})


def main():
    for description in (VLM, LANGUAGE):
        folder = pathlib.Path(sys.argv[1]) / description["kind"]
        folder.mkdir(parents=True, exist_ok=True)
        if description["kind"] == "vlm":
            save_tokenizer(folder / "tokenizer.json")
        save_model(folder, description)
        model = gaze_torch.load(folder)
        inputs = inputs_of(model, rows=3, words=10)
        with torch.no_grad():
            logits = model(inputs["input_ids"], inputs.get("pixels"))
        save_file({**inputs, "logits": logits}, folder / "golden.safetensors")
        print(folder, sum(w.numel() for w in model.state_dict().values()), list(logits.shape),
              f"{logits.std().item():.2f}")


if __name__ == "__main__":
    main()
