#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Logits of a published checkpoint with LoRA adapters in transformers with PEFT and in Gaze.

    pip install torch transformers peft safetensors
    check_peft.py CHECKPOINT ADAPTER [--new RANK] [--inputs FILE] [--gaze build/release/gaze]

ADAPTER: a folder that Gaze or PEFT wrote; with --new, PEFT writes random adapters of all linear
modules there first. FILE: safetensors with input_ids and, if wanted, attention_mask, pixel_values
and image_sizes; default: random tokens. Prints relative errors of the logits, float32.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("checkpoint", type=pathlib.Path)
parser.add_argument("adapter", type=pathlib.Path)
parser.add_argument("--new", type=int, metavar="RANK")
parser.add_argument("--inputs", type=pathlib.Path)
parser.add_argument("--gaze", default=pathlib.Path(__file__).resolve().parents[2] / "build/release/gaze")
a = parser.parse_args()
torch.manual_seed(1)

config = json.loads((a.checkpoint / "config.json").read_text())
auto = AutoModelForCausalLM if config["model_type"] == "llama" else AutoModelForImageTextToText


def base():
    return auto.from_pretrained(a.checkpoint, dtype=torch.float32, attn_implementation="eager").eval()


if a.new:  # of Granite's tower, Gaze leaves out the head, which has no effect
    model = get_peft_model(base(), LoraConfig(r=a.new, lora_alpha=2 * a.new, target_modules="all-linear",
                                              exclude_modules=r".*\.head\..*"))
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_B" in name:
                p.copy_(torch.randn_like(p) * 0.3 / a.new ** 0.5)
    model.save_pretrained(a.adapter)

if a.inputs:
    inputs = load_file(a.inputs)
    inputs = {k: inputs[k] for k in ("input_ids", "attention_mask", "pixel_values", "image_sizes") if k in inputs}
else:
    words = config.get("text_config", config)["vocab_size"]
    inputs = {"input_ids": torch.randint(0, words // 2, (2, 40))}
mask = inputs.get("attention_mask", torch.ones_like(inputs["input_ids"]))[..., None]
# Transformers 4.52 and later leave this division out in LLaVA-NeXT.
divisor = config["text_config"].get("logits_scaling", 1.0) if config["model_type"] == "llava_next" else 1.0


def logits_of(model):
    with torch.inference_mode():
        return model(**inputs).logits / divisor * mask


def error(ours, theirs):
    return f"{((ours - theirs).norm() / theirs.norm()).item():.2e}"


plain = logits_of(base())
adapted = logits_of(PeftModel.from_pretrained(base(), a.adapter))
with tempfile.TemporaryDirectory() as place:
    save_file({k: v.contiguous() for k, v in inputs.items()}, place + "/in.safetensors")
    ours = []
    for options in ([], ["--merge-adapter"]):
        subprocess.run([a.gaze, "logits", "--model", a.checkpoint, "--adapter", a.adapter, "--inputs",
                        place + "/in.safetensors", "--out", place + "/out.safetensors", *options], check=True)
        ours.append(load_file(place + "/out.safetensors")["logits"])
print(f"{int(mask.sum())} tokens; the adapters change the logits by {error(adapted, plain)}; relative error "
      f"{error(ours[0], adapted)}, merged {error(ours[1], adapted)}")
