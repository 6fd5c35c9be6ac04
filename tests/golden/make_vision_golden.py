#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tiny random checkpoints that see, as transformers writes them, with what it computes.

    make_vision_golden.py OUT        (torch, transformers, safetensors; written with 5.24.0)

OUT/idefics3, OUT/granite: config.json, model.safetensors (float32; granite in shards) and
golden.safetensors: input_ids, attention_mask, pixel_values, labels (padded on the right), for
granite image_sizes; logits, loss (mean over labels >= 0, shifted by one), logp [B, T-1] (0 without a
label), grad.NAME.

Granite's logits are divided by logits_scaling, as transformers did before 4.52; later versions of
LlavaNextForConditionalGeneration leave the division out.
"""
import json
import os
import sys

import torch
import transformers
from safetensors.torch import save_file
from transformers import (GraniteConfig, Idefics3Config, Idefics3ForConditionalGeneration, LlamaConfig,
                          LlavaNextConfig, LlavaNextForConditionalGeneration, SiglipVisionConfig)
from transformers.models.idefics3.configuration_idefics3 import Idefics3VisionConfig
from transformers.models.llava_next.modeling_llava_next import image_size_to_num_patches

out = sys.argv[1]
IMAGE = 95  # the image token


def randomise(model):
    with torch.no_grad():  # the defaults start norms at 1 and biases at 0, which would hide mistakes
        for p in model.parameters():
            if p.ndim == 1:
                p.add_(torch.randn_like(p) * 0.1)
            else:
                p.copy_(torch.randn_like(p) * 0.7 / p[0].numel() ** 0.5)
    model.set_attn_implementation("eager")
    return model.float().eval()


def idefics3():
    torch.manual_seed(11)
    text = LlamaConfig(
        vocab_size=96, hidden_size=32, intermediate_size=44, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, rms_norm_eps=1e-5, max_position_embeddings=512,
        tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, pad_token_id=2,
        rope_parameters={"rope_type": "default", "rope_theta": 100000.0})
    vision = Idefics3VisionConfig(hidden_size=24, intermediate_size=36, num_hidden_layers=2,
                                  num_attention_heads=2, image_size=32, patch_size=4)
    config = Idefics3Config(text_config=text.to_dict(), vision_config=vision.to_dict(), image_token_id=IMAGE,
                            scale_factor=4, tie_word_embeddings=False, pad_token_id=2)
    return randomise(Idefics3ForConditionalGeneration(config))


def granite():
    torch.manual_seed(12)
    text = GraniteConfig(
        vocab_size=96, hidden_size=32, intermediate_size=44, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, rms_norm_eps=1e-5, max_position_embeddings=512, tie_word_embeddings=True,
        embedding_multiplier=12.0, attention_multiplier=0.0625, residual_multiplier=0.22,
        logits_scaling=8.0, bos_token_id=0, eos_token_id=0, pad_token_id=0,
        rope_parameters={"rope_type": "default", "rope_theta": 300000.0})
    vision = SiglipVisionConfig(  # 25 is not a multiple of 8, as 384 is not of 14
        hidden_size=24, intermediate_size=36, num_hidden_layers=4, num_attention_heads=2, image_size=25,
        patch_size=8, hidden_act="gelu_pytorch_tanh")
    config = LlavaNextConfig(
        text_config=text, vision_config=vision, image_token_index=IMAGE, projector_hidden_act="gelu",
        vision_feature_select_strategy="full", vision_feature_layer=[-4, -2, -1],
        image_grid_pinpoints=[[25 * h, 25 * w] for h, w in ((1, 1), (1, 2), (2, 1), (2, 2), (1, 3))],
        tie_word_embeddings=True)
    return randomise(LlavaNextForConditionalGeneration(config))


def padded(rows, fill):
    ids = torch.full((len(rows), max(map(len, rows))), fill)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, :len(row)] = row
        mask[i, :len(row)] = 1
    return ids, mask


def tiles_of(counts, side, g):
    pixels = torch.zeros(len(counts), max(counts), 3, side, side)
    for i, n in enumerate(counts):
        pixels[i, :n] = torch.rand(n, 3, side, side, generator=g) * 2 - 1
    return pixels


def idefics3_inputs(model):
    g = torch.Generator().manual_seed(1)
    tiles = [3, 1]
    text = lambda n: torch.randint(3, IMAGE, (n,), generator=g)
    rows = [torch.cat([text(5)] + [part for _ in range(n) for part in (text(1), torch.full((4,), IMAGE))]
                      + [text(7)]) for n in tiles]
    ids, mask = padded(rows, 2)
    return {"input_ids": ids, "attention_mask": mask, "pixel_values": tiles_of(tiles, 32, g)}


def granite_inputs(model):
    g = torch.Generator().manual_seed(2)
    sizes = [(70, 100), (90, 50), (20, 64)]  # (height, width)
    tiles = [image_size_to_num_patches(list(s), model.config.image_grid_pinpoints, 25) for s in sizes]
    pixels, image_sizes = tiles_of(tiles, 25, g), torch.tensor(sizes)
    with torch.no_grad():
        features = model.get_image_features(pixels, image_sizes).pooler_output
    text = lambda n: torch.randint(1, IMAGE, (n,), generator=g)
    rows = [torch.cat([text(6), torch.full((len(f),), IMAGE), text(5)]) for f in features]
    ids, mask = padded(rows, 0)
    return {"input_ids": ids, "attention_mask": mask, "pixel_values": pixels, "image_sizes": image_sizes}


def in_file(name):
    """A parameter's name in the files of LLaVA-NeXT, which differs from that in memory."""
    for memory, file in (("model.language_model.", "language_model.model."), ("model.vision_tower.", "vision_tower."),
                         ("model.multi_modal_projector.", "multi_modal_projector."),
                         ("model.image_newline", "image_newline")):
        if name.startswith(memory):
            return file + name[len(memory):]
    return name


def write(name, model, inputs, divisor=1.0, **options):
    folder = os.path.join(out, name)
    model.save_pretrained(folder, **options)
    mask, labels = inputs["attention_mask"], inputs["input_ids"].clone()
    labels[(mask == 0) | (labels == IMAGE)] = -100
    labels[0, 3] = 7  # any token may be a label
    logits = model(**inputs).logits / divisor
    logp = torch.log_softmax(logits[:, :-1].double(), -1)
    logp = logp.gather(-1, labels[:, 1:].clamp(min=0)[..., None])[..., 0]
    keep = labels[:, 1:] >= 0
    loss = -(logp * keep).sum() / keep.sum()
    loss.backward()
    tensors = inputs | {"labels": labels, "logits": logits.detach() * mask[..., None], "loss": loss.detach(),
                        "logp": (logp * keep).detach()}
    tensors |= {"grad." + in_file(n): p.grad for n, p in model.named_parameters() if p.grad is not None}
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder + "/golden.safetensors",
              metadata={"transformers": transformers.__version__, "torch": torch.__version__})
    print(name, "loss", loss.item(), "without a gradient:",
          [n for n, p in model.named_parameters() if p.grad is None])


model = idefics3()
write("idefics3", model, idefics3_inputs(model))
model = granite()
write("granite", model, granite_inputs(model), divisor=8.0, max_shard_size="40KB")
