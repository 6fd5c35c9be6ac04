#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Gaze's GRPO against TRL's own code: same inputs, values and gradients.

Runs TRL's advantage code, importance-sampling code and loss functions in float64 on random
inputs with random settings, and writes the results in the format of tests/data/grpo_cases.json
for Gaze's test grpo_cases, which requires 1e-9 in float64 and 5e-6 in float32.

    pip install trl
    python3 bench/peers/trl_compare.py --test build/tests/grpo_cases
"""
import argparse
import inspect
import json
import math
import os
import random
import subprocess
import tempfile
import textwrap
from collections import defaultdict
from types import SimpleNamespace

import torch
import trl
from trl.experimental.gmpo import GMPOTrainer
from trl.trainer import grpo_trainer, rloo_trainer

GRPOTrainer = grpo_trainer.GRPOTrainer
RLOOTrainer = rloo_trainer.RLOOTrainer
NONE = float("nan")  # TRL's None among rewards


def part_of(function, first, last):
    """The lines of a TRL method from the one with `first` up to, excluding, that with `last`."""
    lines = inspect.getsource(function).splitlines()
    begin = next(i for i, line in enumerate(lines) if first in line)
    end = next(i for i, line in enumerate(lines) if i > begin and last in line)
    return textwrap.dedent("\n".join(lines[begin:end]))


ADVANTAGES = part_of(GRPOTrainer._generate_and_score_completions, "unscorable_mask =",
                     "# Slice to keep only the local part")
RLOO_ADVANTAGES = part_of(RLOOTrainer._generate_and_score_completions, "unscorable_mask =",
                          "is_std_zero =")
CORRECTION = part_of(GRPOTrainer._generate_and_score_completions,
                     "per_token_logps_diff = (old_per_token_logps",
                     "# Compute the per-token log probabilities for the reference model")


class Accelerator:
    """One process."""
    num_processes = 1
    sync_gradients = True

    def gather(self, x):
        return x

    gather_for_metrics = gather

    def reduce(self, x, reduction="sum"):
        return x

    def pad_across_processes(self, x, dim=0, pad_index=0):
        return x


def trainer(kind, options, logps, entropies):
    """The attributes of TRL's trainer that its methods use."""
    o = SimpleNamespace(**options)
    self = SimpleNamespace(
        accelerator=Accelerator(), model=SimpleNamespace(training=True), beta=o.beta,
        epsilon_low=o.epsilon, epsilon_high=o.epsilon_high, loss_type=o.loss_type,
        importance_sampling_level=o.importance_sampling_level,
        top_entropy_quantile=o.top_entropy_quantile,
        off_policy_mask_threshold=o.off_policy_mask_threshold,
        current_gradient_accumulation_steps=o.grad_accum_steps,
        max_completion_length=o.max_completion_length, use_vllm=o.is_mode is not None,
        vllm_importance_sampling_correction=o.is_mode is not None,
        vllm_importance_sampling_mode=o.is_mode,
        vllm_importance_sampling_clip_min=o.is_clip_min,
        vllm_importance_sampling_clip_max=o.is_clip_max, aux_loss_enabled=False,
        _entropy_bonus_enabled=o.entropy_coef != 0, entropy_coef=o.entropy_coef,
        use_adaptive_entropy=False, _metrics=defaultdict(lambda: defaultdict(list)),
        _get_per_token_logps_and_entropies=lambda *a, **k: (logps, entropies, None),
        args=SimpleNamespace(
            use_bias_correction_kl=o.use_bias_correction_kl, delta=o.delta,
            sapo_temperature_pos=o.sapo_temperature_pos,
            sapo_temperature_neg=o.sapo_temperature_neg, vespo_k_pos=o.vespo_k_pos,
            vespo_lambda_pos=o.vespo_lambda_pos, vespo_k_neg=o.vespo_k_neg,
            vespo_lambda_neg=o.vespo_lambda_neg, steps_per_generation=o.grad_accum_steps))
    for name in ("get_high_entropy_mask", "get_off_policy_mask", "get_gamma_weights"):
        method = inspect.getattr_static(kind, name, None)
        if isinstance(method, staticmethod):
            setattr(self, name, method.__func__)
        elif method is not None:
            setattr(self, name, method.__get__(self))
    return self


DEFAULTS = dict(beta=0.0, epsilon=0.2, epsilon_high=0.2, loss_type="dapo",
                importance_sampling_level="token", top_entropy_quantile=1.0,
                off_policy_mask_threshold=None, grad_accum_steps=1, max_completion_length=16,
                is_mode=None, is_clip_min=None, is_clip_max=3.0, entropy_coef=0.0,
                use_bias_correction_kl=False, delta=None, sapo_temperature_pos=1.0,
                sapo_temperature_neg=1.05, vespo_k_pos=2.0, vespo_lambda_pos=3.0,
                vespo_k_neg=3.0, vespo_lambda_neg=2.0)


def rewards_of(rng, groups, size, functions):
    """Rewards, some missing, some groups constant."""
    rows = []
    for g in range(groups):
        flat = rng.random() < 0.2
        base = [rng.choice([0, 0.25, 0.5, 1]) for _ in range(functions)]
        for _ in range(size):
            row = [b if flat else rng.choice([0, 0.25, 0.5, 1, round(rng.random(), 3)])
                   for b in base]
            rows.append([NONE if rng.random() < 0.08 else r for r in row])
    return rows


def listed(x):
    """Numbers of a tensor; null for NaN."""
    return [listed(v) if isinstance(v, list) else None if isinstance(v, float) and math.isnan(v)
            else v for v in (x.tolist() if torch.is_tensor(x) else x)]


def finite(x):
    return None if math.isnan(x) else x


def advantage_case(rng, name, scale, objectives, groups=3, size=4):
    functions = rng.choice([1, 2, 3])
    rows = rewards_of(rng, groups, size, functions)
    weights = [rng.choice([1.0, 0.5, 2.0]) for _ in range(functions)]
    table = torch.tensor(rows, dtype=torch.float64)
    space = dict(torch=torch, nanstd=grpo_trainer.nanstd, rewards_per_func=table,
                 num_generations=size, device="cpu", mode="train",
                 self=SimpleNamespace(multi_objective_aggregation=objectives, scale_rewards=scale,
                                      reward_weights=torch.tensor(weights, dtype=torch.float64),
                                      reward_funcs=[None] * functions))
    exec(ADVANTAGES, space)
    summed = (table * torch.tensor(weights)).nansum(1)
    summed[space["unscorable_mask"]] = NONE
    return dict(name=name, semantics="trl",
                inputs=dict(rewards_per_func=listed(rows), reward_weights=weights,
                            num_generations=size, scale_rewards=scale,
                            multi_objective_aggregation=objectives),
                outputs=dict(advantages=listed(space["advantages"]), rewards=listed(summed),
                             reward_mean=finite(torch.nanmean(summed).item()),
                             reward_std=finite(grpo_trainer.nanstd(summed).item()),
                             frac_reward_zero_std=space["is_std_zero"].double().mean().item()))


def tokens_of(rng, b, t):
    lengths = [rng.randint(1, t) for _ in range(b)]
    mask = torch.tensor([[1.0 if i < n else 0.0 for i in range(t)] for n in lengths],
                        dtype=torch.float64)
    draw = lambda low, high: torch.tensor(
        [[round(rng.uniform(low, high), 4) for _ in range(t)] for _ in range(b)],
        dtype=torch.float64)
    new = draw(-2.5, -0.05)
    return dict(mask=mask, new=new, old=new + draw(-0.6, 0.6), ref=new + draw(-0.7, 0.7),
                sampling=new + draw(-0.8, 0.8),
                # TRL computes the quantile in float32, so use numbers exact in float32.
                entropy=torch.round(draw(0, 3) * 4096) / 4096,
                advantages=[round(rng.uniform(-1.5, 1.5), 4) for _ in range(b)])


def run_loss(kind, options, x, mask, extra):
    logps = x["new"].clone().requires_grad_(True)
    self = trainer(kind, options, logps, x["entropy"])
    b = len(x["advantages"])
    inputs = dict(prompt_ids=torch.zeros(b, 1), prompt_mask=torch.ones(b, 1),
                  completion_ids=torch.zeros_like(mask), completion_mask=mask,
                  advantages=torch.tensor(x["advantages"], dtype=torch.float64),
                  num_items_in_batch=torch.tensor(float(extra.get("num_items_in_batch", 0))))
    if extra.get("old", True):
        inputs["old_per_token_logps"] = x["old"]
    inputs["ref_per_token_logps"] = x["ref"]
    weights = None
    if options["is_mode"]:
        space = dict(torch=torch, math=math, self=self, mask=mask, old_per_token_logps=x["old"],
                     sampling_per_token_logps=x["sampling"])
        exec(CORRECTION, space)
        weights = space["vllm_importance_sampling_ratio"]
        inputs["importance_sampling_ratio"] = weights
        inputs["sampling_per_token_logps"] = x["sampling"]
    if kind is RLOOTrainer:
        inputs["old_logps"] = (x["old"] * mask).sum(1)
    loss = kind._compute_loss(self, None, inputs)
    loss.backward()
    return loss.item(), logps.grad, self._metrics["train"], weights


def loss_case(rng, name, loss_type):
    # At width 1, TRL's logging mistakes per-token for per-sequence values and omits the mask.
    b, t = rng.choice([3, 4, 6]), rng.choice([2, 5, 8])
    x = tokens_of(rng, b, t)
    o = dict(DEFAULTS, loss_type=loss_type)
    if loss_type not in ("vespo",):
        o["importance_sampling_level"] = rng.choice(["token", "token", "sequence"])
    o["epsilon"] = rng.choice([0.1, 0.2])
    o["epsilon_high"] = rng.choice([1.1, 2.0]) if loss_type == "cispo" else rng.choice([0.2, 0.28])
    if rng.random() < 0.4:
        o["beta"] = rng.choice([0.04, 0.3])
        o["use_bias_correction_kl"] = loss_type != "vespo" and rng.random() < 0.5
    if rng.random() < 0.2:
        o["delta"] = 1.5
    if rng.random() < 0.25:
        # No token at the quantile, where TRL's float32 position would decide.
        o["top_entropy_quantile"] = rng.choice([0.31, 0.61])
    if rng.random() < 0.25:
        o["off_policy_mask_threshold"] = 0.05
    if rng.random() < 0.3:
        modes = ["token_truncate", "token_mask", "sequence_truncate", "sequence_mask"]
        o["is_mode"] = rng.choice(modes)
        o["is_clip_min"], o["is_clip_max"] = rng.choice([None, 0.8]), rng.choice([1.2, 3.0])
    if rng.random() < 0.25:
        o["entropy_coef"] = 0.01
    if rng.random() < 0.3:
        o["sapo_temperature_pos"], o["vespo_k_pos"], o["vespo_lambda_neg"] = 1.3, 1.5, 2.5
    o["grad_accum_steps"] = rng.choice([1, 1, 2])
    truncated = [rng.random() < 0.2 for _ in range(b)] if rng.random() < 0.3 else None
    mask = x["mask"].clone()
    if truncated:
        for i, cut in enumerate(truncated):
            mask[i] *= 0 if cut else 1
    items = mask.sum().item() * o["grad_accum_steps"] + 3
    on_policy = o["is_mode"] is None and rng.random() < 0.2
    loss, gradient, metrics, weights = run_loss(
        GRPOTrainer, o, x, mask, dict(num_items_in_batch=items, old=not on_policy))
    inputs = {k: v for k, v in o.items() if v is not None}
    inputs.update(new_logps=x["new"].tolist(), completion_mask=x["mask"].tolist(),
                  ref_logps=x["ref"].tolist(), advantages=x["advantages"],
                  entropies=x["entropy"].tolist(), num_items_in_batch=items)
    if not on_policy:
        inputs["old_logps"] = x["old"].tolist()
    if truncated:
        inputs.update(mask_truncated_completions=True, truncated=truncated)
    outputs = dict(loss=loss, dloss_dlogp=gradient.tolist(), effective_mask=mask.tolist())
    if weights is not None:
        inputs["sampling_logps"] = x["sampling"].tolist()
        outputs["importance_sampling_ratio"] = weights.tolist()
    if o["beta"]:
        outputs["kl_mean"] = metrics["kl"][0]
    if loss_type in ("grpo", "bnpo", "dr_grpo", "dapo", "luspo"):
        shares = {k: metrics["clip_ratio/" + k][0]
                  for k in ("low_mean", "high_mean", "region_mean", "low_min", "high_max")}
        outputs["clip_ratio"] = {k: v for k, v in shares.items() if math.isfinite(v)}
    if loss_type == "cispo":
        outputs["cispo_clip_ratio"] = metrics["cispo_clip_ratio"][0]
    return dict(name=name, semantics="trl", inputs=inputs, outputs=outputs)


def gmpo_case(rng, name):
    x = tokens_of(rng, 4, rng.choice([3, 7]))
    o = dict(DEFAULTS, epsilon=0.3, epsilon_high=0.4, beta=rng.choice([0.0, 0.1]))
    loss, gradient, _, _ = run_loss(GMPOTrainer, o, x, x["mask"], {})
    return dict(name=name, semantics="small",
                inputs=dict(variant="gmpo", epsilon=0.3, epsilon_high=0.4, kl_coeff=o["beta"],
                            advantages=x["advantages"], new_logps=x["new"].tolist(),
                            old_logps=x["old"].tolist(), ref_logps=x["ref"].tolist(),
                            completion_mask=x["mask"].tolist()),
                outputs=dict(loss=loss, dloss_dlogp=gradient.tolist()))


def rloo_case(rng, name, groups=2, size=3):
    x = tokens_of(rng, groups * size, rng.choice([2, 5]))
    rows = rewards_of(rng, groups, size, 1)
    o = dict(DEFAULTS, beta=rng.choice([0.0, 0.05]))
    normalise = rng.random() < 0.5
    space = dict(torch=torch, nanstd=rloo_trainer.nanstd, gather=lambda v: v, device="cpu",
                 rewards_per_func=torch.tensor(rows, dtype=torch.float64), num_generations=size,
                 old_per_token_logps=x["old"], ref_per_token_logps=x["ref"], mode="train",
                 completion_mask=x["mask"],
                 self=SimpleNamespace(reward_weights=torch.ones(1, dtype=torch.float64),
                                      reward_clip_range=None, beta=o["beta"],
                                      normalize_advantages=normalise))
    exec(RLOO_ADVANTAGES, space)
    x["advantages"] = space["advantages"].tolist()
    loss, gradient, _, _ = run_loss(RLOOTrainer, o, x, x["mask"], {})
    outputs = dict(loss=loss, dloss_dlogp=gradient.tolist(),
                   advantages=listed(space["advantages"]), rewards_after_kl=listed(space["rewards"]))
    if o["beta"]:
        outputs["kl_sum_per_sequence"] = listed(space["kl"])
    return dict(name=name, semantics="trl_rloo",
                inputs=dict(rewards_per_func=listed(rows), num_generations=size, beta=o["beta"],
                            normalize_advantages=normalise, new_logps=x["new"].tolist(),
                            old_logps=x["old"].tolist(), ref_logps=x["ref"].tolist(),
                            completion_mask=x["mask"].tolist()), outputs=outputs)


def cases(rng, each):
    out = []
    for i in range(each):
        for scale in ("group", "batch", "none"):
            out.append(advantage_case(rng, f"advantage_{scale}_{i}", scale, "sum_then_normalize"))
        out.append(advantage_case(rng, f"advantage_gdpo_{i}", "group", "normalize_then_sum"))
        for loss in ("grpo", "bnpo", "dr_grpo", "dapo", "cispo", "sapo", "luspo", "vespo"):
            out.append(loss_case(rng, f"{loss}_{i}", loss))
        out.append(gmpo_case(rng, f"gmpo_{i}"))
        out.append(rloo_case(rng, f"rloo_{i}"))
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--test", required=True, help="Gaze's test program grpo_cases")
    p.add_argument("--each", type=int, default=30, help="random cases of each kind")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--out", help="file to write the cases to")
    a = p.parse_args()
    torch.set_default_dtype(torch.float64)
    known = cases(random.Random(a.seed), a.each)
    path = a.out or os.path.join(tempfile.mkdtemp(), "trl_cases.json")
    with open(path, "w") as f:
        json.dump(dict(cases=known), f)
    done = subprocess.run([os.path.abspath(a.test)], env=dict(os.environ, GAZE_GRPO_CASES=path))
    print(f"trl {trl.__version__}, torch {torch.__version__}: {len(known)} cases by TRL's code, "
          f"{'all agree' if done.returncode == 0 else 'NOT all agree'}")
    return done.returncode


if __name__ == "__main__":
    raise SystemExit(main())
