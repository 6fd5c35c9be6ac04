#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What transformers answers with SmolLM2-135M-Instruct: 64 greedy tokens of 20 questions.

    make_smollm2_golden.py MODEL > smollm2_golden.json      (written with transformers 5.24.0)

MODEL: the folder of bench/peers/make_smollm2.py in float32. For each question: prompt, the ids of
the chat; tokens, at most 64 greedy ones; gap, per token the distance of its logit to the second
best; top, the five best logits of the first token, as [id, logit].
"""
import hashlib
import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

QUESTIONS = [
    "What is the capital of France?", "Write one sentence about gravity.",
    "A block of 5 kg is pushed with 10 N. What is its acceleration?", "List three colours.",
    "Explain why the sky is blue in one paragraph.", 'Translate "good morning" into Spanish.',
    "What is 17 times 23?", "Write a haiku about the sea.", "Who wrote Romeo and Juliet?",
    "Name the planets of the solar system.", "How do I boil an egg?",
    "Give me a Python function that reverses a string.", "What is the opposite of hot?",
    "Summarise the story of Cinderella.", "Why do leaves change colour in autumn?",
    "Convert 100 degrees Celsius to Fahrenheit.", "Was ist die Hauptstadt von Deutschland?",
    'What does the word "ephemeral" mean?', "Is 97 a prime number?",
    "Tell me a joke about computers."]

folder = sys.argv[1]
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
cases = []
for question in QUESTIONS:
    ids = tokenizer.apply_chat_template([{"role": "user", "content": question}],
                                        add_generation_prompt=True, return_tensors="pt",
                                        return_dict=True)["input_ids"]
    done = model.generate(ids, max_new_tokens=64, do_sample=False, output_logits=True,
                          return_dict_in_generate=True)
    logits = torch.stack(done.logits)[:, 0]
    best = logits.topk(2).values
    first = logits[0].topk(5)
    cases.append({
        "question": question, "prompt": ids[0].tolist(),
        "tokens": done.sequences[0, ids.shape[1]:].tolist(),
        "gap": [float(f"{x:.2e}") for x in best[:, 0] - best[:, 1]],
        "top": [[i, round(x, 5)] for i, x in zip(first.indices.tolist(), first.values.tolist())]})
    print(question, file=sys.stderr, flush=True)
with open(f"{folder}/model.safetensors", "rb") as file:
    digest = hashlib.sha256(file.read()).hexdigest()
lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
print(f'{{"weights_sha256": "{digest}",\n"cases": [\n{lines}]}}')
