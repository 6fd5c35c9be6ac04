#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prompt and logits of a checkpoint that sees in transformers and in Gaze, for one picture.

    pip install torch transformers safetensors "pillow<13"
    check_vision.py FOLDER PICTURE [--split] [--gaze build/release/gaze]

FOLDER: a checkpoint of SmolVLM's family, say of make_vision_model.py. Prints the relative error of
the logits in float32 over all tokens, and the number of tokens; without --split the picture is one
tile.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText, Idefics3Processor, PreTrainedTokenizerFast
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("picture")
parser.add_argument("--split", action="store_true")
parser.add_argument("--gaze", default=pathlib.Path(__file__).resolve().parents[2] / "build/release/gaze")
a = parser.parse_args()

settings = json.loads((a.folder / "preprocessor_config.json").read_text())
settings |= {"do_image_splitting": a.split}
settings.pop("image_processor_type")
tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(a.folder / "tokenizer.json"), pad_token="<|im_end|>",
                                    bos_token="<|im_start|>", eos_token="<end_of_utterance>")
config = json.loads((a.folder / "config.json").read_text())
vision = config["vision_config"]
tokens = (vision["image_size"] // vision["patch_size"] // config["scale_factor"]) ** 2
processor = Idefics3Processor(Idefics3ImageProcessorPil(**settings), tokenizer, image_seq_len=tokens,
                              chat_template=(a.folder / "chat_template.jinja").read_text())
question = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is shown?"}]}]
inputs = processor(text=processor.apply_chat_template(question, add_generation_prompt=True),
                   images=[Image.open(a.picture).convert("RGB")], return_tensors="pt")
model = AutoModelForImageTextToText.from_pretrained(a.folder, dtype=torch.float32).eval()
with torch.inference_mode():
    logits = model(**inputs).logits
with tempfile.TemporaryDirectory() as place:
    save_file({k: inputs[k].contiguous() for k in ("input_ids", "attention_mask", "pixel_values")},
              place + "/in.safetensors")
    subprocess.run([a.gaze, "logits", "--model", a.folder, "--inputs", place + "/in.safetensors",
                    "--out", place + "/out.safetensors"], check=True)
    ours = load_file(place + "/out.safetensors")["logits"]
print(f"{inputs['input_ids'].shape[1]} tokens, {inputs['pixel_values'].shape[1]} tiles, relative error of the "
      f"logits {((ours - logits).norm() / logits.norm()).item():.2e}, same best token at "
      f"{(ours.argmax(-1) == logits.argmax(-1)).float().mean().item():.4f} of the places")
