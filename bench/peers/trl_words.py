#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""GRPO with LoRA on word problems in TRL, beside a run of Gaze's study `words`.

    gaze ablate --study words --model CHECKPOINT --only start accuracy --out RUN
    pip install torch trl peft datasets matplotlib
    trl_words.py CHECKPOINT RUN --steps 20 --out trl.json --plot reward.svg

Reads problems and settings from RUN and trains the condition `accuracy` in TRL for as many steps, with
the same learning rates as the whole run. Writes reward and seconds of each step and the peak memory,
prints them beside Gaze's, and draws the rewards of both.
"""
import argparse
import json
import pathlib
import re
import resource
import statistics
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("checkpoint", type=pathlib.Path)
parser.add_argument("run", type=pathlib.Path)
parser.add_argument("--steps", type=int, default=20)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--out", type=pathlib.Path, required=True)
parser.add_argument("--plot", type=pathlib.Path)
a = parser.parse_args()

settings = json.loads((a.run / "config.json").read_text())
grpo, lora, prompt = settings["grpo"], settings["lora"], settings["checkpoint"]["prompt"]
optimiser = {name.split(".")[1]: value for name, value in grpo.items() if name.startswith("optimiser.")}
problems = [json.loads(line) for line in open(a.run / "data" / "words_train.jsonl")]
RESPONSE = re.compile(r"\s*<think>(.*?)</think>\s*<answer>(.*?)</answer>\s*", re.S)


def parts(text):
    """Think and answer of a well-formed response, else None."""
    found = RESPONSE.fullmatch(text)
    if not found or any(text.count(tag) != 1 for tag in ("<think>", "</think>", "<answer>", "</answer>")):
        return None
    return [part.strip() for part in found.groups()] if all(part.strip() for part in found.groups()) else None


def accuracy(completions, answer, **_):
    """1 for the right number, with its unit or none."""
    out = []
    for text, right in zip(completions, answer):
        found = parts(text)
        value, _, unit = right.partition(" ")
        out.append(float(bool(found) and re.fullmatch(rf"\+?{value}(\.0*)?\s*({re.escape(unit)})?", found[1])
                         is not None))
    return out


def form(completions, completion_ids, **_):
    """1 for a well-formed response that ended."""
    return [float(parts(text) is not None and len(ids) < settings["max_tokens"])
            for text, ids in zip(completions, completion_ids)]


def train():
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    torch.set_num_threads(a.threads)
    rows = Dataset.from_list([{"prompt": prompt.replace("{question}", p["question"]), "answer": p["answer"]}
                              for p in problems])
    steps = []

    class Clock(TrainerCallback):
        """Times the steps, and stops after --steps of them."""

        def on_step_begin(self, args, state, control, **_):
            self.begin = time.perf_counter()

        def on_step_end(self, args, state, control, **_):
            steps.append({"seconds": time.perf_counter() - self.begin})
            control.should_training_stop = len(steps) >= a.steps

        def on_log(self, args, state, control, logs=None, **_):
            if logs and "reward" in logs:
                steps[-1]["reward"] = logs["reward"]
                print(len(steps), steps[-1], flush=True)

    with tempfile.TemporaryDirectory() as folder:
        config = GRPOConfig(
            output_dir=folder, use_cpu=True, bf16=False, seed=a.seed, report_to="none", save_strategy="no",
            logging_steps=1, gradient_checkpointing=False, max_steps=grpo["steps"],
            per_device_train_batch_size=grpo["group"], gradient_accumulation_steps=grpo["prompts"],
            num_generations=grpo["group"], max_completion_length=settings["max_tokens"],
            temperature=grpo["temperature"],
            beta=grpo["kl"], loss_type="grpo", reward_weights=[1.0, 0.5], learning_rate=grpo["rate"],
            lr_scheduler_type="cosine_with_min_lr", lr_scheduler_kwargs={"min_lr_rate": optimiser["floor"]},
            warmup_steps=min(optimiser["warmup"], grpo["steps"] // 10 + 1), adam_beta1=optimiser["beta1"],
            adam_beta2=optimiser["beta2"], weight_decay=optimiser["weight_decay"],
            max_grad_norm=optimiser["clip"])
        trainer = GRPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(a.checkpoint, dtype=torch.float32),
            processing_class=AutoTokenizer.from_pretrained(a.checkpoint, padding_side="left"),
            reward_funcs=[accuracy, form], args=config, train_dataset=rows, callbacks=[Clock()],
            peft_config=LoraConfig(r=lora["rank"], lora_alpha=lora["alpha"], target_modules="all-linear",
                                   task_type="CAUSAL_LM"))
        trainer.train()
    return {"steps": steps, "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "threads": a.threads}


if not a.out.exists():
    a.out.write_text(json.dumps(train(), indent=1) + "\n")
peer = json.loads(a.out.read_text())
own = {}  # Gaze's steps by seed
for line in open(a.run / "metrics.jsonl"):
    row = json.loads(line)
    if row["condition"] == "accuracy" and row["stage"] == "grpo":
        own.setdefault(row["seed"], []).append(row)
count = len(peer["steps"])
for name, rows, key in [("TRL", peer["steps"], "seconds")] + [
        (f"Gaze, seed {seed}", rows[:count], "step_time") for seed, rows in own.items()]:
    times = [row[key] for row in rows]
    print(f"{name}: mean reward of {count} steps {statistics.mean(row['reward'] for row in rows):.3f}, "
          f"seconds per step {statistics.median(times):.1f} (median)")
print(f"TRL: peak memory {peer['peak_mib']:.0f} MiB, {peer['threads']} threads")

if a.plot:
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    fig, axes = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
    for seed, rows in own.items():
        axes.plot(range(1, len(rows) + 1), [row["reward"] for row in rows], lw=1.4, label=f"Gaze, seed {seed}")
    axes.plot(range(1, count + 1), [row["reward"] for row in peer["steps"]], lw=1.4, color="black", label="TRL")
    axes.set(xlabel="step", ylabel="mean reward (at most 1.5)", ylim=(0, 1.5))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    fig.savefig(a.plot, metadata={"Date": None})
