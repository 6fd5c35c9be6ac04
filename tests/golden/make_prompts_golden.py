#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the tiny checkpoints that see need to be asked, and the prompts that processors make of it.

    make_prompts_golden.py FOLDER        (tests/golden; transformers 5.24.0, Pillow < 13)

Adds tokenizer.json, preprocessor_config.json and, for idefics3, chat_template.jinja to
FOLDER/hf/idefics3 and FOLDER/hf/granite, and writes FOLDER/prompts_golden.json: for each case the
conversation, the pictures' sizes (their pixels: picture_formulas.hpp), runs [id, count] of
input_ids, the logits of the next token (granite's divided by logits_scaling), and 16 greedy tokens.
"""
import json
import sys

import torch
from make_pictures_golden import smooth
from PIL import Image
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import (Idefics3ForConditionalGeneration, Idefics3Processor,
                          LlavaNextForConditionalGeneration, LlavaNextProcessor, PreTrainedTokenizerFast)
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil

folder = sys.argv[1]
SMOLVLM = ("<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
           "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
           "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
           "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n"
           "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}")
GRANITE = "<|system|>\nA chat.\n<|user|>\n<image>\n{question}\n<|assistant|>\n"


def tokenizer(first, last):
    """96 tokens: `first`, characters, a token of two line feeds, unused ones, `last`."""
    letters = "\n abcdefghijklmnopqrstuvwxyzAUSWI0123456789:.?,<>_-|"
    byte = {"\n": "Ċ", " ": "Ġ"}
    words = [*first, *(byte.get(c, c) for c in letters), "ĊĊ"]
    words += [f"<|unused_{i}|>" for i in range(96 - len(words) - len(last))] + last
    control = [w for w in words if w.startswith("<") and len(w) > 1]
    out = Tokenizer(models.BPE({w: i for i, w in enumerate(words)}, [("Ċ", "Ċ")]))
    out.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    out.decoder = decoders.ByteLevel()
    out.add_special_tokens([AddedToken(w, special=True, normalized=False) for w in control])
    assert out.get_vocab_size() == 96 and out.token_to_id("<image>") == 95
    return out


def picture(size):
    return Image.fromarray(smooth(*size))


def runs(ids):
    out = []
    for i in map(int, ids):
        if out and out[-1][0] == i:
            out[-1][1] += 1
        else:
            out.append([i, 1])
    return out


def cases(processor, template, model, conversations):
    out = []
    for messages, sizes in conversations:
        pictures = [picture(s) for s in sizes]
        if template is None:
            text = processor.apply_chat_template(messages, add_generation_prompt=True)
        else:
            text = template.replace("{question}", messages[0]["content"][-1]["text"])
        inputs = processor(text=text, images=pictures or None, return_tensors="pt")
        ids = inputs["input_ids"]
        inputs.pop("pixel_attention_mask", None)  # all 1
        with torch.no_grad():
            logits = model(**inputs).logits[0, -1] / getattr(model.config.text_config, "logits_scaling", 1.0)
        model.generation_config.eos_token_id = None
        answer = model.generate(**inputs, max_new_tokens=16, do_sample=False)
        out.append({"messages": messages, "sizes": sizes, "ids": runs(ids[0]),
                    "logits": [round(x, 7) for x in logits.tolist()],
                    "answer": answer[0, ids.shape[1]:].tolist()})
        print(sizes, ids.shape[1], "tokens, answer", out[-1]["answer"])
    return out


def message(role, *content):
    return {"role": role, "content": [{"type": "image"} if c is None else {"type": "text", "text": c}
                                      for c in content]}


def write(name, tok, processor, template):
    place = f"{folder}/hf/{name}"
    tok.save(place + "/tokenizer.json")
    processor.save_pretrained(place)
    if template:
        open(place + "/chat_template.jinja", "w").write(template)


ask = "Is it 10 or 2?"
tok = tokenizer(["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
                ["<global-img>", *(f"<row_{r}_col_{c}>" for r in (1, 2, 3) for c in (1, 2, 3)),
                 "<fake_token_around_image>", "<end_of_utterance>", "<image>"])
fast = PreTrainedTokenizerFast(tokenizer_object=tok, bos_token="<|im_start|>", eos_token="<end_of_utterance>",
                               pad_token="<|im_end|>", clean_up_tokenization_spaces=False)
tiles = Idefics3ImageProcessorPil(size={"longest_edge": 96}, max_image_size={"longest_edge": 32},
                                  image_mean=[0.5] * 3, image_std=[0.5] * 3)
smolvlm = Idefics3Processor(tiles, fast, image_seq_len=4, chat_template=SMOLVLM)
model = Idefics3ForConditionalGeneration.from_pretrained(folder + "/hf/idefics3").eval()
golden = {"idefics3": cases(smolvlm, None, model, [
    ([message("user", None, ask)], [(100, 80)]),
    ([message("user", ask, None)], [(30, 90)]),  # tokens of columns beyond those of the vocabulary
    ([message("system", "Be."), message("user", None, "A", None, "b?\n"), message("assistant", "Yes"),
      message("user", ask)], [(64, 64), (200, 31)]),
    ([message("user", ask)], []),
])}
write("idefics3", tok, tiles, SMOLVLM)

tok = tokenizer(["<|endoftext|>"], ["<image>"])
fast = PreTrainedTokenizerFast(tokenizer_object=tok, bos_token="<|endoftext|>", eos_token="<|endoftext|>",
                               pad_token="<|endoftext|>", clean_up_tokenization_spaces=False)
model = LlavaNextForConditionalGeneration.from_pretrained(folder + "/hf/granite").eval()
size = {"height": 25, "width": 25}
tiles = LlavaNextImageProcessorPil(size=size, crop_size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3,
                                   image_grid_pinpoints=model.config.image_grid_pinpoints)
granite = LlavaNextProcessor(tiles, fast, patch_size=8, vision_feature_select_strategy="full",
                             image_token="<image>")
golden["granite"] = cases(granite, GRANITE, model, [
    ([message("user", None, ask)], [size]) for size in ((100, 70), (50, 90), (64, 20), (25, 25))])
golden["granite_template"] = GRANITE
write("granite", tok, tiles, None)
json.dump(golden, open(folder + "/prompts_golden.json", "w"), indent=0)
