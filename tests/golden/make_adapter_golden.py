#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""LoRA adapters of the tiny checkpoints, as PEFT writes them, with what transformers computes with them.

    make_adapter_golden.py HF OUT        (torch, transformers, peft, safetensors; written with 5.24 and 0.21.2)

HF: tests/golden/hf. For each checkpoint OUT/NAME: adapter_config.json, adapter_model.safetensors, and
golden.safetensors: logits, loss and grad.TENSOR for the inputs of the checkpoint's own
golden.safetensors. B is random, because with PEFT's zeros A would have no gradient.

Granite's logits are divided as in make_vision_golden.py.
"""
import os
import sys

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

hf, out = sys.argv[1:]


def write(name, base, divisor=1.0, **options):
    torch.manual_seed(len(name))
    auto = AutoModelForCausalLM if base.startswith("llama") else AutoModelForImageTextToText
    model = auto.from_pretrained(os.path.join(hf, base), attn_implementation="eager")
    model = get_peft_model(model, LoraConfig(**options)).eval()
    model.peft_config["default"].base_model_name_or_path = base
    adapters = {n.replace(".default", ""): p for n, p in model.named_parameters() if "lora_" in n}
    with torch.no_grad():
        for p in adapters.values():
            p.copy_(torch.randn_like(p) * 0.6 / p.shape[1] ** 0.5)
    folder = os.path.join(out, name)
    model.save_pretrained(folder)
    os.remove(folder + "/README.md")

    inputs = load_file(os.path.join(hf, base, "golden.safetensors"))
    inputs = {k: v for k, v in inputs.items()
              if k in ("input_ids", "attention_mask", "pixel_values", "image_sizes", "labels")}
    labels, mask = inputs.pop("labels"), inputs["attention_mask"]
    logits = model(**inputs).logits / divisor
    logp = torch.log_softmax(logits[:, :-1].double(), -1)
    logp = logp.gather(-1, labels[:, 1:].clamp(min=0)[..., None])[..., 0]
    keep = labels[:, 1:] >= 0
    loss = -(logp * keep).sum() / keep.sum()
    loss.backward()
    tensors = {"logits": logits.detach() * mask[..., None], "loss": loss.detach()}
    tensors |= {"grad." + n: p.grad for n, p in adapters.items()}
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder + "/golden.safetensors",
              metadata={"transformers": transformers.__version__, "peft": peft.__version__})
    print(name, len(adapters), "tensors, loss", loss.item())


write("tied", "llama/tied", r=3, lora_alpha=6, target_modules=["q_proj", "v_proj", "down_proj"])
write("untied", "llama/untied", r=4, lora_alpha=3, target_modules="all-linear", use_rslora=True)
write("idefics3", "idefics3", r=2, lora_alpha=5, target_modules="all-linear")
write("granite", "granite", divisor=8.0, r=2, lora_alpha=2, target_modules="all-linear",
      exclude_modules=r".*\.head\..*")
