#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Folders with the shapes of SmolVLM-256M-Instruct and Granite Vision 3.3 2B and random weights.

    pip install torch transformers tokenizers "pillow<13"
    make_vision_model.py smolvlm|granite SMOLLM2 OUT [--dtype bfloat16]

SMOLLM2 is the folder of make_smollm2.py, whose tokenizer is extended by the models' own control
tokens. For measurements: what the models say means nothing. Granite takes 6 GB on disk and twice as
much memory.
"""
import argparse
import json
import os

import torch
from tokenizers import AddedToken, Tokenizer
from transformers import (GraniteConfig, Idefics3Config, Idefics3ForConditionalGeneration, LlamaConfig,
                          LlavaNextConfig, LlavaNextForConditionalGeneration, SiglipVisionConfig)
from transformers.models.idefics3.configuration_idefics3 import Idefics3VisionConfig

SMOLVLM = ("<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
           "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
           "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
           "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n"
           "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}")
NORMAL = {"do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.5] * 3,
          "image_std": [0.5] * 3, "do_resize": True, "do_convert_rgb": True}
# (height, width) in tiles of 384
PINPOINTS = ([(1, k) for k in range(1, 11)] + [(2, k) for k in range(1, 6)] + [(3, k) for k in range(1, 4)]
             + [(4, 1), (4, 2), (5, 1), (5, 2)] + [(k, 1) for k in range(6, 11)])


def rope(theta):
    return {"rope_type": "default", "rope_theta": theta}


def smolvlm():
    text = LlamaConfig(vocab_size=49280, hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
                       num_attention_heads=9, num_key_value_heads=3, head_dim=64, rms_norm_eps=1e-5,
                       max_position_embeddings=8192, tie_word_embeddings=False, bos_token_id=1,
                       eos_token_id=49279, pad_token_id=2, rope_parameters=rope(100000.0))
    vision = Idefics3VisionConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12,
                                  num_attention_heads=12, image_size=512, patch_size=16)
    config = Idefics3Config(text_config=text.to_dict(), vision_config=vision.to_dict(), image_token_id=49190,
                            scale_factor=4, tie_word_embeddings=False, pad_token_id=2)
    extra = (["<global-img>"] + [f"<row_{r}_col_{c}>" for r in range(1, 7) for c in range(1, 7)]
             + ["<fake_token_around_image>", "<image>"]
             + [f"<|reserved_special_token_{i}|>" for i in range(88)] + ["<end_of_utterance>"])
    pictures = NORMAL | {"image_processor_type": "Idefics3ImageProcessor", "do_image_splitting": True,
                         "do_pad": True, "resample": 1, "size": {"longest_edge": 2048},
                         "max_image_size": {"longest_edge": 512}}
    return Idefics3ForConditionalGeneration, config, extra, pictures, SMOLVLM


def granite():
    text = GraniteConfig(vocab_size=49156, hidden_size=2048, intermediate_size=8192, num_hidden_layers=40,
                         num_attention_heads=32, num_key_value_heads=8, rms_norm_eps=1e-5,
                         max_position_embeddings=131072, tie_word_embeddings=True,
                         embedding_multiplier=12.0, attention_multiplier=0.015625,
                         residual_multiplier=0.22, logits_scaling=8.0, bos_token_id=0, eos_token_id=0,
                         pad_token_id=0, rope_parameters=rope(300000.0))
    vision = SiglipVisionConfig(hidden_size=1152, intermediate_size=4304, num_hidden_layers=27,
                                num_attention_heads=16, image_size=384, patch_size=14,
                                hidden_act="gelu_pytorch_tanh")
    pinpoints = [[384 * h, 384 * w] for h, w in PINPOINTS]
    config = LlavaNextConfig(text_config=text, vision_config=vision, image_token_index=49155,
                             projector_hidden_act="gelu", vision_feature_select_strategy="full",
                             vision_feature_layer=[-24, -20, -12, -1], image_grid_pinpoints=pinpoints,
                             tie_word_embeddings=True)
    extra = ["<|start_of_role|>", "<|end_of_role|>", "<|tool_call|>", "<image>"]
    size = {"height": 384, "width": 384}
    pictures = NORMAL | {"image_processor_type": "LlavaNextImageProcessor", "do_center_crop": True,
                         "crop_size": size, "size": size, "resample": 3, "image_grid_pinpoints": pinpoints}
    return LlavaNextForConditionalGeneration, config, extra, pictures, None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=("smolvlm", "granite"))
    parser.add_argument("smollm2")
    parser.add_argument("out")
    parser.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float32"))
    a = parser.parse_args()
    family, config, extra, pictures, template = {"smolvlm": smolvlm, "granite": granite}[a.model]()
    torch.manual_seed(1)
    torch.set_default_dtype(getattr(torch, a.dtype))
    family(config).save_pretrained(a.out)
    tokenizer = Tokenizer.from_file(a.smollm2 + "/tokenizer.json")
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in extra])
    tokenizer.save(a.out + "/tokenizer.json")
    with open(os.path.join(a.out, "preprocessor_config.json"), "w") as f:
        json.dump(pictures, f, indent=2)
    if template:
        with open(os.path.join(a.out, "chat_template.jinja"), "w") as f:
            f.write(template)


if __name__ == "__main__":
    main()
