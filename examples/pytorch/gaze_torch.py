# SPDX-License-Identifier: MIT
"""A model trained by Gaze as a PyTorch module with the same logits.

    model = gaze_torch.load("out/arms/accuracy/seed0")
    logits = model(ids, pixels)    # [B, T] and bytes [B, S, S, 3], or None -> [B, T, V]

load() reads model.safetensors, whose metadata describe the model, and tokenizer.json. The
parameters have the names of the file. Letters: B batch, T tokens, C width, H heads, D head size,
P patches, S side of a picture. Needs torch (2.5 or newer) and safetensors.
"""
import json
import pathlib

import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import nn


class Blocks(nn.Module):
    """A module with blocks named 0, 1, ..."""

    def add_blocks(self, count, make):
        self.count = count
        for i in range(count):
            self.add_module(str(i), make())

    def run_blocks(self, h):
        for i in range(self.count):
            h = getattr(self, str(i))(h)
        return h


class VitBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        width = c["width"]
        self.heads = c["heads"]
        self.norm1 = nn.LayerNorm(width, c["eps"])
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, c["eps"])
        self.up = nn.Linear(width, c["mlp"])
        self.down = nn.Linear(c["mlp"], width)

    def forward(self, h):
        b, p, width = h.shape
        qkv = self.qkv(self.norm1(h)).view(b, p, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each [B, H, P, D]
        y = F.scaled_dot_product_attention(q, k, v)
        h = h + self.out(y.transpose(1, 2).reshape(b, p, width))
        return h + self.down(F.gelu(self.up(self.norm2(h)), approximate="tanh"))


class Vit(Blocks):
    def __init__(self, c, shuffle):
        super().__init__()
        self.patch, self.shuffle = c["patch"], shuffle
        self.embed = nn.Linear(3 * c["patch"] ** 2, c["width"])
        self.position = nn.Parameter(torch.empty((c["image"] // c["patch"]) ** 2, c["width"]))
        self.norm = nn.LayerNorm(c["width"], c["eps"])
        self.add_blocks(c["layers"], lambda: VitBlock(c))

    def patches(self, pixels):
        """Bytes [B, S, S, 3] as [B, P, 3 patch^2]. The patches of an image token are adjacent."""
        b, side = pixels.shape[:2]
        s, p = self.shuffle, self.patch
        n = side // (s * p)
        x = (pixels.float() / 127.5 - 1).view(b, n, s, p, n, s, p, 3)
        return x.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(b, n * n * s * s, 3 * p * p)

    def forward(self, pixels):
        h = self.embed(self.patches(pixels)) + self.position
        return self.norm(self.run_blocks(h))


class Projector(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.joined = c["vit"]["width"] * c["shuffle"] ** 2
        self.up = nn.Linear(self.joined, c["decoder"]["width"])
        self.down = nn.Linear(c["decoder"]["width"], c["decoder"]["width"])

    def forward(self, features):
        """Features [B, P, C] as image tokens [B, P / shuffle^2, C of the decoder]."""
        joined = features.reshape(features.shape[0], -1, self.joined)
        return self.down(F.gelu(self.up(joined), approximate="tanh"))


class DecoderBlock(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        width, seen = c["width"], c["heads"] * c["head_size"]
        self.norm1 = nn.RMSNorm(width, c["eps"])
        self.qkv = nn.Linear(width, seen + 2 * c["kv_heads"] * c["head_size"], bias=False)
        self.out = nn.Linear(seen, width, bias=False)
        self.norm2 = nn.RMSNorm(width, c["eps"])
        self.gate_up = nn.Linear(width, 2 * c["mlp"], bias=False)
        self.down = nn.Linear(c["mlp"], width, bias=False)

    def rotary(self, x):
        """Turns the pairs (x[i], x[i + D/2]) of [B, H, T, D] by t theta^(-2i/D)."""
        half = x.shape[-1] // 2
        turns = self.c["rope_theta"] ** (-torch.arange(half, dtype=torch.float64) / half)
        angle = torch.arange(x.shape[2], dtype=torch.float64)[:, None] * turns
        cos, sin = angle.cos().to(x), angle.sin().to(x)
        a, b = x.chunk(2, -1)
        return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)

    def attention(self, x):
        b, t, _ = x.shape
        c, turned = self.c, self.c["heads"] + self.c["kv_heads"]
        qkv = self.qkv(x).view(b, t, -1, c["head_size"]).transpose(1, 2)
        qk, v = self.rotary(qkv[:, :turned]), qkv[:, turned:]
        q, k = qk[:, :c["heads"]], qk[:, c["heads"]:]
        scale = c["attention_multiplier"] or c["head_size"] ** -0.5
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale, enable_gqa=True)
        return self.out(y.transpose(1, 2).reshape(b, t, -1))

    def forward(self, h):
        r = self.c["residual_multiplier"]
        h = h + r * self.attention(self.norm1(h))
        gate, up = self.gate_up(self.norm2(h)).chunk(2, -1)
        return h + r * self.down(F.silu(gate) * up)


class Decoder(Blocks):
    def __init__(self, c, vocabulary):
        super().__init__()
        self.c = c
        self.embedding = nn.Parameter(torch.empty(vocabulary, c["width"]))
        self.norm = nn.RMSNorm(c["width"], c["eps"])
        self.add_blocks(c["layers"], lambda: DecoderBlock(c))
        if not c["tied"]:
            self.head = nn.Parameter(torch.empty(vocabulary, c["width"]))

    def embed(self, ids):
        scale = self.c["embedding_multiplier"] or self.c["width"] ** 0.5
        return F.embedding(ids, self.embedding) * scale

    def forward(self, h):
        h = self.norm(self.run_blocks(h)) / self.c["logits_divisor"]
        return F.linear(h, self.embedding if self.c["tied"] else self.head)


class Model(nn.Module):
    def __init__(self, description, image_token):
        super().__init__()
        self.description, self.image_token = description, image_token
        self.decoder = Decoder(description["decoder"], description["vocabulary"])
        if description["kind"] == "vlm":
            self.vit = Vit(description["vit"], description["shuffle"])
            self.projector = Projector(description)

    def forward(self, ids, pixels=None):
        """Logits [B, T, V] of tokens [B, T], padded on the right if at all. With pixels, the image
        tokens of a row stand for its picture; a row without them has none."""
        h = self.decoder.embed(ids)
        if pixels is not None:
            places = ids == self.image_token
            images = self.projector(self.vit(pixels[places.any(1)]))
            h = h.masked_scatter(places[..., None], images)
        return self.decoder(h)


def load(folder):
    """The model of a folder, in float32. tokenizer.json may be in a folder above."""
    folder = pathlib.Path(folder).resolve()
    with safe_open(folder / "model.safetensors", "pt") as file:
        text = (file.metadata() or {}).get("gaze.model")
        if text is None:
            raise ValueError(f"{folder}: model.safetensors does not describe its model; an older "
                             "file of Gaze does after a run that starts from it (--start)")
        description = json.loads(text)
        weights = {name: file.get_tensor(name).float() for name in file.keys()}
    if description["version"] != 1:
        raise ValueError(f"{folder}: version {description['version']} of the metadata is not known")
    image_token = None
    if description["kind"] == "vlm":
        above = (f / "tokenizer.json" for f in (folder, *folder.parents))
        words = json.loads(next(f for f in above if f.exists()).read_text())["model"]["vocab"]
        image_token = words["<|image|>"]
    model = Model(description, image_token)
    model.load_state_dict(weights)  # refuses missing and unknown names, and other shapes
    return model.eval()
