#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes curve_golden.json: the losses of 50 training steps of the `tiny` model in PyTorch.

Weights and data come from a counted hash (SplitMix64) that tests/test_curve.cpp has too, so the
file holds nothing but the losses. Everything is float32.

    python3 tests/golden/make_curve_golden.py tests/golden/curve_golden.json
"""
import json
import pathlib
import sys

import numpy
import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench" / "peers"))
import torch_model  # noqa: E402

VOCABULARY, IMAGE_TOKEN, STEPS, EXAMPLES, BATCH = 97, 5, 50, 8, 2
RATE, CLIP, DECAY, BETAS, EPS = 1e-3, 1.0, 0.01, (0.9, 0.98), 1e-8
CONFIG = {
    "vit.image": 64, "vit.patch": 8, "vit.width": 96, "vit.layers": 4, "vit.heads": 3,
    "vit.mlp": 384, "vit.eps": 1e-5, "shuffle": 2, "width": 128, "layers": 6, "heads": 4,
    "kv_heads": 2, "head_size": 32, "mlp": 344, "rope_theta": 10000, "eps": 1e-5,
}


def words(name, count):
    """`count` 64-bit numbers for a name."""
    key = 1469598103934665603
    for c in name.encode():
        key = (key ^ c) * 1099511628211 % 2**64
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(key) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return z ^ (z >> numpy.uint64(31))


def weight(name, shape):
    """Uniform: matrices within 1/sqrt(columns), biases within 0.05, norms within 0.1 of 1."""
    u = (words(name, int(numpy.prod(shape))) >> numpy.uint64(40)).astype(numpy.float64) / 2**23 - 1
    if len(shape) == 2:
        u = u / numpy.sqrt(numpy.float64(shape[1]))
    elif name.endswith(".weight"):
        u = 1 + 0.1 * u
    else:
        u = 0.05 * u
    return torch.from_numpy(u.astype(numpy.float32).reshape(shape))


def weights():
    c, out = CONFIG, {}

    def linear(name, inputs, outputs, bias=True):
        out[name + ".weight"] = (outputs, inputs)
        if bias:
            out[name + ".bias"] = (outputs,)

    def layer_norm(name):
        out[name + ".weight"] = out[name + ".bias"] = (c["vit.width"],)

    v, w = c["vit.width"], c["width"]
    linear("vit.embed", 3 * c["vit.patch"] ** 2, v)
    out["vit.position"] = ((c["vit.image"] // c["vit.patch"]) ** 2, v)
    layer_norm("vit.norm")
    for i in range(c["vit.layers"]):
        layer_norm(f"vit.{i}.norm1")
        linear(f"vit.{i}.qkv", v, 3 * v)
        linear(f"vit.{i}.out", v, v)
        layer_norm(f"vit.{i}.norm2")
        linear(f"vit.{i}.up", v, c["vit.mlp"])
        linear(f"vit.{i}.down", c["vit.mlp"], v)
    linear("projector.up", v * c["shuffle"] ** 2, w)
    linear("projector.down", w, w)
    out["decoder.embedding"] = (VOCABULARY, w)
    out["decoder.norm.weight"] = (w,)
    for i in range(c["layers"]):
        name = f"decoder.{i}"
        out[name + ".norm1.weight"] = out[name + ".norm2.weight"] = (w,)
        linear(name + ".qkv", w, (c["heads"] + 2 * c["kv_heads"]) * c["head_size"], False)
        linear(name + ".out", c["heads"] * c["head_size"], w, False)
        linear(name + ".gate_up", w, 2 * c["mlp"], False)
        linear(name + ".down", c["mlp"], w, False)
    return {name: weight(name, shape) for name, shape in out.items()}


def example(i):
    """A prompt of two words, the image and five words; a completion of six; the image's bytes."""
    text = torch.from_numpy((10 + words(f"text {i}", 13) % numpy.uint64(VOCABULARY - 10)).astype(numpy.int64))
    tokens = (CONFIG["vit.image"] // CONFIG["vit.patch"] // CONFIG["shuffle"]) ** 2
    prompt = torch.cat([text[:2], torch.full((tokens,), IMAGE_TOKEN), text[2:7]])
    side = CONFIG["vit.image"]
    pixels = (words(f"image {i}", 3 * side * side) % numpy.uint64(256)).astype(numpy.uint8)
    return prompt, text[7:], torch.from_numpy(pixels).view(side, side, 3)


def main():
    model = torch_model.Model(weights(), CONFIG)
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": DECAY},
                                   {"params": vectors, "weight_decay": 0.0}], lr=RATE, betas=BETAS, eps=EPS)
    losses = []
    for step in range(STEPS):
        batch = [example((step * BATCH + i) % EXAMPLES) for i in range(BATCH)]
        prompts, completions, images = zip(*batch)
        tokens = int((prompts[0] == IMAGE_TOKEN).sum())
        pack = torch_model.Pack(prompts, [[c] for c in completions], IMAGE_TOKEN, tokens)
        loss = -model.logprobs(pack.ids, pack.position, pack.mask, torch.stack(images),
                               pack.image_place, pack.rows, pack.targets).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        losses.append(float(f"{loss.item():.9g}"))
    source = f"made by make_curve_golden.py with PyTorch {torch.__version__}"
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        json.dump({"source": source, "losses": losses}, out, indent=1)
        out.write("\n")
    print(f"loss {losses[0]:.4f} to {losses[-1]:.4f}")


if __name__ == "__main__":
    main()
