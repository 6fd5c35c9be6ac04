#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tiny random checkpoints of the family `llama`, as transformers writes them, with what it computes.

    make_llama_golden.py OUT        (torch, transformers, safetensors; written with 5.24.0 and 4.57)

OUT/tied, OUT/untied: config.json, model.safetensors (float32), golden.safetensors: input_ids,
attention_mask, labels (padded on the right), logits, loss (mean over labels >= 0, shifted by one),
logp [B, T-1] (0 without a label), grad.NAME. OUT/untied is in shards, OUT/bf16 is tied in bfloat16
with logits alone. The config.json of OUT/tied has the keys of transformers 4.
"""
import json
import os
import sys

import torch
import transformers
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

out = sys.argv[1]


def model_of(tied, heads, kv_heads, head_dim, seed):
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=96, hidden_size=32, intermediate_size=44, num_hidden_layers=2,
        num_attention_heads=heads, num_key_value_heads=kv_heads, head_dim=head_dim, rms_norm_eps=1e-5,
        max_position_embeddings=512, tie_word_embeddings=tied, bos_token_id=1, eos_token_id=2,
        pad_token_id=2, rope_parameters={"rope_type": "default", "rope_theta": 100000.0})
    model = LlamaForCausalLM(config).float().eval()
    with torch.no_grad():  # the defaults start norms at 1, which would hide mistakes
        for p in model.parameters():
            p.copy_(torch.randn_like(p) * (0.8 / p.shape[-1] ** 0.5 if p.ndim > 1 else 0.1)
                    + (p.ndim == 1))
    return model


def inputs():
    g = torch.Generator().manual_seed(1)
    ids = torch.randint(3, 96, (3, 19), generator=g)
    mask = torch.ones_like(ids)
    for row, length in enumerate((19, 11, 2)):
        ids[row, length:] = 2
        mask[row, length:] = 0
    labels = torch.where(mask == 1, ids, torch.tensor(-100))
    labels[0, :5] = -100
    return ids, mask, labels


def golden(model, gradients):
    ids, mask, labels = inputs()
    logits = model(input_ids=ids, attention_mask=mask).logits
    logp = torch.log_softmax(logits[:, :-1].double(), -1)
    logp = logp.gather(-1, labels[:, 1:].clamp(min=0)[..., None])[..., 0]
    keep = labels[:, 1:] >= 0
    loss = -(logp * keep).sum() / keep.sum()
    tensors = {"input_ids": ids, "attention_mask": mask, "labels": labels,
               "logits": logits.detach().float() * mask[..., None], "loss": loss.detach(),
               "logp": (logp * keep).detach()}
    if gradients:
        loss.backward()
        tensors |= {"grad." + n: p.grad for n, p in model.named_parameters()}
    return {k: v.contiguous() for k, v in tensors.items()}


def write(model, name, gradients=True, **options):
    folder = os.path.join(out, name)
    model.save_pretrained(folder, **options)
    save_file(golden(model, gradients), folder + "/golden.safetensors",
              metadata={"transformers": transformers.__version__, "torch": torch.__version__})


tied = model_of(True, 4, 2, 8, 7)
write(tied, "tied")
write(model_of(False, 4, 1, 12, 8), "untied", max_shard_size="16KB")
write(model_of(True, 2, 2, 16, 9).bfloat16(), "bf16", gradients=False)
path = out + "/tied/config.json"
config = json.load(open(path))
rope = config.pop("rope_parameters")
config["rope_theta"] = rope["rope_theta"]
config["torch_dtype"] = config.pop("dtype")
config["transformers_version"] = "4.49.0"
json.dump(config, open(path, "w"), indent=2)
