#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same work in Gaze and in PyTorch: supervised step, decoding, GRPO step, attention, memory.

    ./run bench --peers                    builds, runs all benchmarks and then this
    python3 bench/peers/compare.py [--build build/release] [--rounds 10] [--threads 1,2]
                                   [--preset tiny] [--parts steps,attention,memory]
                                   [--precision bf16]
    python3 bench/peers/compare.py --device cuda --parts steps   both on a GPU (bench_model_cuda)

Needs PyTorch 2 (CPU) and numpy; torch.compile also needs a C++ compiler. Timing starts only after
loss, all gradients and the cached decoding agree with Gaze's to 1e-4 (the policy loss relative to
the mean size of its terms, which nearly cancel at ratios of 1). Then runs of the two alternate on
the same data; medians are printed. The best of PyTorch's forms counts (eager, compiled, prompts
shared in the policy update or repeated). With bf16 Gaze rounds the operands of weight products
(on a GPU of attention too) and PyTorch runs under autocast; they round in different places, so
they need to agree only to 5e-2. Attention is compared in float32.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import torch

from torch_model import Model, Pack, group_advantages, policy_loss, read_safetensors

TOLERANCE = {"float32": 1e-4, "bf16": 5e-2}


class Gaze:
    """bench_model --serve: runs one piece of work at a time and returns its seconds."""

    def __init__(self, program, model):
        self.process = subprocess.Popen([program, "--serve", *model], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def seconds(self, work, threads):
        self.process.stdin.write(f"{work} {threads}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"compare: bench_model ended during {work}")
        return float(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Case:
    """The output of bench_model --export, and the same work in PyTorch."""

    def __init__(self, folder, precision):
        self.folder = folder
        self.precision = precision
        weights, config = self.read("weights")
        self.inputs, _ = self.read("inputs")
        self.weights = weights
        self.model = Model({name: value.clone() for name, value in weights.items()}, config)
        self.config = self.model.c
        self.isa = config["isa"]
        c = self.config
        self.image_tokens = (c["vit.image"] // c["vit.patch"] // c["shuffle"]) ** 2
        self.prompts = self.sequences("prompts")
        self.images = self.inputs["images"]
        self.group, self.longest = c["group"], c["longest"]
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=c["learning_rate"],
                                           betas=(0.9, 0.98), weight_decay=0.01, fused=True)
        self.supervised_pack = self.pack(self.prompts, [[s] for s in self.sequences("completions")])
        self.logprobs = {"eager": self.model.logprobs}

    def read(self, name):
        """Tensors of a file, on the device under test, and its metadata."""
        tensors, metadata = read_safetensors(self.folder / f"{name}.safetensors")
        return {key: t.to(torch.get_default_device()) for key, t in tensors.items()}, metadata

    @torch.no_grad()
    def restore_weights(self):
        for name, value in self.weights.items():
            self.model.weight(name).copy_(value)

    def sequences(self, name):
        return self.inputs[name].long().split(self.inputs[name + ".lengths"].tolist())

    def pack(self, prompts, completions):
        return Pack(prompts, completions, self.config["image_token"], self.image_tokens)

    def autocast(self):
        """Rounds weights once, so it must end before they change or gradients are needed."""
        return torch.autocast(torch.get_default_device().type, torch.bfloat16,
                              enabled=self.precision == "bf16")

    def run_logprobs(self, pack, images, form):
        with self.autocast():
            return self.logprobs[form](pack.ids, pack.position, pack.mask, images,
                                       pack.image_place, pack.rows, pack.targets)

    def supervised_loss(self, form):
        return -self.run_logprobs(self.supervised_pack, self.images, form).mean()

    def generate(self, prompts, end, choices):
        """Completions of the first prompts; a pack of prompts alone predicts their next token."""
        chosen = self.prompts[:prompts]
        pack = self.pack(chosen, [[torch.zeros(1, dtype=torch.long)] for _ in chosen])
        with self.autocast():
            return self.model.generate(chosen, pack, self.images[:prompts], self.group,
                                       self.longest, end, choices)

    def policy_gradients(self, completions, old, form, share_prompts):
        """Gradients of the policy loss; completions and old log p group by group. Returns the loss
        and the mean size of its terms, which nearly cancel at ratios of about 1."""
        prompts = self.prompts[:self.config["grpo_prompts"]]
        groups = [completions[i:i + self.group] for i in range(0, len(completions), self.group)]
        advantages = group_advantages(self.inputs["rewards"], self.group)
        per_token = advantages.repeat_interleave(torch.tensor([len(c) for c in completions]))
        images = self.images[:len(prompts)]
        if share_prompts:
            pack = self.pack(prompts, groups)
        else:
            pack = self.pack([p for p in prompts for _ in range(self.group)],
                             [[c] for c in completions])
            images = images.repeat_interleave(self.group, 0)
        loss = policy_loss(self.run_logprobs(pack, images, form), old, per_token)
        loss.backward()
        return loss.item(), per_token.abs().mean().item()

    # ---- the timed work ------------------------------------------------------------------------

    def update(self):
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0, foreach=True)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)

    def supervised_step(self, form):
        self.supervised_loss(form).backward()
        self.update()

    def decode(self, sequences):
        self.generate(sequences // self.group, -1, self.inputs["uniforms"])

    def grpo_step(self, form, share_prompts):
        tokens, logp, lengths = self.generate(self.config["grpo_prompts"],
                                              self.config["end_token"], self.inputs["uniforms"])
        completions = [t[:n] for t, n in zip(tokens, lengths)]
        old = torch.cat([p[:n] for p, n in zip(logp, lengths)])
        self.policy_gradients(completions, old, form, share_prompts)
        self.update()


# ---- agreement ---------------------------------------------------------------------------------

def check(case, what, worst, where=""):
    limit = TOLERANCE[case.precision]
    print(f"  {what:46s} {worst:.1e}  {where}")
    if not worst <= limit:
        sys.exit(f"compare: {what} differs by {worst:.1e}, more than {limit:g}: nothing timed")


def relative(a, b):
    """Euclidean distance of two tensors over the length of the second."""
    a, b = a.double().flatten(), b.double().flatten()
    return ((a - b).norm() / b.norm().clamp_min(1e-12)).item()


def check_gradients(case, what, loss, form="", scale=None):
    ours, _ = case.read(what)
    theirs = ours["loss"].item()
    check(case, f"{what}{form}: loss", abs(loss - theirs) / (scale or abs(theirs)))
    names = [name for name in ours if name.startswith("gradient.")]
    assert len(names) == len(list(case.model.parameters()))
    errors = {n: relative(case.model.weight(n[len("gradient."):]).grad, ours[n]) for n in names}
    worst = max(errors, key=errors.get)
    check(case, f"{what}{form}: worst of {len(names)} gradients", errors[worst], worst)
    case.optimiser.zero_grad(set_to_none=True)


def check_agreement(case):
    print("Agreement with Gaze (relative Euclidean distance):")
    loss = case.supervised_loss("eager")
    loss.backward()
    check_gradients(case, "supervised", loss.item())
    completions, old = case.sequences("rollout.tokens"), case.inputs["rollout.logp"]
    for share, form in ((True, "shared"), (False, "repeated")):
        loss, scale = case.policy_gradients(completions, old, "eager", share)
        check_gradients(case, "grpo", loss, f", prompts {form}", scale)
    prompts = case.config["grpo_prompts"]
    forced = case.inputs["decode.tokens"].long().view(-1, case.longest)
    _, logp, _ = case.generate(prompts, -1, forced)
    check(case, "decoding: log p of our tokens", relative(logp, case.inputs["decode.logp"]))
    tokens, _, lengths = case.generate(prompts, case.config["end_token"], case.inputs["uniforms"])
    same = sum(torch.equal(t[:n], c) for t, n, c in zip(tokens, lengths, completions))
    print(f"  rollouts with the same random numbers: {same} of {len(completions)} completions the "
          f"same tokens, mean length {lengths.float().mean():.1f}")


# ---- timing ------------------------------------------------------------------------------------

def compile_forms(case, threads):
    """Adds the model compiled for this thread count, if torch.compile works here. Also checks its
    loss and gradients, after undoing earlier steps."""
    torch._dynamo.reset()  # the generated code is specific to a thread count
    case.restore_weights()
    try:
        case.logprobs["compiled"] = torch.compile(case.model.logprobs, dynamic=False)
        loss = case.supervised_loss("compiled")
        loss.backward()
    except Exception as error:  # no compiler, or one that PyTorch cannot use
        del case.logprobs["compiled"]
        print(f"  torch.compile does not work here: {str(error).splitlines()[0]}")
        return
    check_gradients(case, "supervised", loss.item(), f", compiled, {threads} threads")


def alternate(ours, theirs, rounds, limit=120):
    """Median seconds of ours and of each of theirs, alternating: `rounds` times, but after the
    third only as many as fit into `limit` seconds."""
    ours()
    for run in theirs.values():
        run()
    took = {name: [] for name in ["gaze", *theirs]}
    begin = time.perf_counter()
    for i in range(rounds):
        if i >= 3 and time.perf_counter() - begin > limit:
            break
        took["gaze"].append(ours())
        for name, run in theirs.items():
            start = time.perf_counter()
            run()
            if torch.cuda.is_initialized():
                torch.cuda.synchronize()
            took[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in took.items()}


def works(case):
    """PyTorch's forms of each piece of work."""
    forms = list(case.logprobs)
    return {
        "supervised_step": {f: lambda f=f: case.supervised_step(f) for f in forms},
        "decode_96x32": {"eager": lambda: case.decode(96)},
        "decode_64x32": {"eager": lambda: case.decode(64)},
        "grpo_step": {
            "eager, prompts shared": lambda: case.grpo_step("eager", True),
            "eager, prompts repeated": lambda: case.grpo_step("eager", False)},
    }


# ---- attention ---------------------------------------------------------------------------------

def torch_attention(t, d, heads=8, rows=1024):
    """Causal attention forward and backward over rows / t sequences, as bench_kernels runs it."""
    q, k, v, dout = torch.randn(4, rows // t, heads, t, d).unbind(0)
    inputs = [x.clone().requires_grad_() for x in (q, k, v)]

    def run():
        out = torch.nn.functional.scaled_dot_product_attention(*inputs, is_causal=True)
        torch.autograd.grad(out, inputs, dout)

    return run


def best_of(run, limit=0.2):
    """The best time in milliseconds of at least three runs within this many seconds."""
    run()
    best, begin, count = float("inf"), time.perf_counter(), 0
    while count < 3 or time.perf_counter() - begin < limit:
        start = time.perf_counter()
        run()
        best, count = min(best, 1e3 * (time.perf_counter() - start)), count + 1
    return best


def gaze_attention(program, t, d):
    """Milliseconds per run, without and with a mark."""
    text = subprocess.run(
        [program, f"--benchmark_filter=attention/causal_{t}_d{d}(_mark)?/both",
         "--benchmark_format=json", "--benchmark_repetitions=3",
         "--benchmark_enable_random_interleaving=true"],
        check=True, capture_output=True, text=True).stdout
    rows = [r for r in json.loads(text)["benchmarks"] if r["run_type"] == "iteration"]
    return [min(r["cpu_time"] / 1e3 for r in rows if ("_mark" in r["name"]) == marked)
            for marked in (False, True)]


def compare_attention(program, rounds=5):
    """One thread; Gaze and PyTorch alternate, size by size."""
    torch.set_num_threads(1)
    print("\nCausal attention, forward and backward, 1024 rows in total, 8 heads, float32, one "
          f"thread, best of {rounds} alternating bursts; mark: Gaze with one mark column over Gaze "
          "without, median of the bursts.\n")
    print("| T | D | Gaze ms | PyTorch ms | ratio | mark |")
    print("|---|---|---|---|---|---|")
    for t in (256, 1024):
        for d in (32, 64, 72):
            peer = torch_attention(t, d)
            bursts = [(*gaze_attention(program, t, d), best_of(peer)) for _ in range(rounds)]
            ours, theirs = min(b[0] for b in bursts), min(b[2] for b in bursts)
            mark = statistics.median(marked / plain for plain, marked, _ in bursts)
            print(f"| {t} | {d} | {ours:.2f} | {theirs:.2f} | {theirs / ours:.2f} | {mark:.3f} |")


# ---- memory ------------------------------------------------------------------------------------

def resident(key):
    """VmRSS, the current resident memory, or VmHWM, its peak, in MiB. (getrusage would report the
    parent's peak if that is higher.)"""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(key)) / 1024


def measure_memory(folder, work, precision):
    """In its own process: the increase of resident memory over two runs, in MiB."""
    case = Case(folder, precision)
    run = {"supervised_step": lambda: case.supervised_step("eager"),
           "grpo_step": lambda: case.grpo_step("eager", True)}[work]
    before = resident("VmRSS")
    for _ in range(2):
        run()
    print(resident("VmHWM") - before)


def compare_memory(program, model, folder, precision):
    print(f"\n`{' '.join(model)}`: peak resident memory of two steps above that of model, data "
          "and program, MiB (including what the first step allocates and keeps, such as "
          "gradients).\n")
    print("| work | Gaze | PyTorch, eager |")
    print("|---|---|---|")
    for work in ("supervised_step", "grpo_step"):
        ours = subprocess.run([program, "--memory", work, *model], check=True, capture_output=True,
                              text=True).stdout
        theirs = subprocess.run(
            [sys.executable, __file__, "--measure-memory", folder, work, precision], check=True,
            capture_output=True, text=True).stdout
        print(f"| {work} | {float(ours):.0f} | {float(theirs):.0f} |")


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def find_program(build, name):
    program = next((p for p in (build / name, build / "bench" / name) if p.is_file()), None)
    if program is None:
        sys.exit(f"compare: no {name} in {build}; ./run bench --peers builds it")
    return program


def compare_steps(case, program, model, options):
    gaze = Gaze(program, model)
    table = []
    for threads in [int(n) for n in options.threads.split(",")]:
        torch.set_num_threads(threads)
        if not options.no_compile:
            compile_forms(case, threads)
        for work, forms in works(case).items():
            took = alternate(lambda: gaze.seconds(work, threads), forms, options.rounds)
            best = min(value for name, value in took.items() if name != "gaze")
            for name in forms:
                note = " *" if took[name] == best and len(forms) > 1 else ""
                table.append((work, threads, took["gaze"], took[name], name + note))
    gaze.close()
    print(f"\n`{' '.join(model)}`: medians of up to {options.rounds} alternating runs; * marks "
          "PyTorch's best form; ratio: PyTorch's time over Gaze's, above 1 Gaze is faster.\n")
    print("| work | threads | Gaze ms | PyTorch ms | ratio | PyTorch's form |")
    print("|---|---|---|---|---|---|")
    for work, threads, ours, theirs, form in table:
        print(f"| {work} | {threads} | {1e3 * ours:.1f} | {1e3 * theirs:.1f} | "
              f"{theirs / ours:.2f} | {form} |")


def main():
    if len(sys.argv) == 5 and sys.argv[1] == "--measure-memory":
        return measure_memory(pathlib.Path(sys.argv[2]), *sys.argv[3:])
    root = pathlib.Path(__file__).resolve().parents[2]
    default = os.environ.get("GAZE_BENCH_RESULTS", root / "build" / "release")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path(default))
    parser.add_argument("--rounds", type=int, default=10, help="timed runs of each (default 10)")
    parser.add_argument("--threads", default="1,2", help="thread counts (default 1,2)")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--no-compile", action="store_true", help="skip torch.compile")
    parser.add_argument("--preset", default="tiny", help="model preset (default tiny)")
    parser.add_argument("--precision", default="float32", choices=list(TOLERANCE))
    parser.add_argument("--parts", default="steps,attention,memory", help="what to compare")
    options = parser.parse_args()
    torch.set_default_device(options.device)
    program = find_program(options.build,
                           "bench_model_cuda" if options.device == "cuda" else "bench_model")
    parts = options.parts.split(",")
    model = [options.preset] + ["--bf16"] * (options.precision == "bf16")

    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "--export", folder, *model], check=True)
        case = Case(pathlib.Path(folder), options.precision)
        print(f"{time.strftime('%Y-%m-%d')}, {processor()}, {os.cpu_count()} processors, load "
              f"{os.getloadavg()[0]:.1f}; PyTorch {torch.__version__}, Gaze with {case.isa}")
        if "steps" in parts:
            check_agreement(case)
            compare_steps(case, program, model, options)
        if "attention" in parts:
            compare_attention(find_program(options.build, "bench_kernels"))
        if "memory" in parts:
            compare_memory(program, model, folder, options.precision)


if __name__ == "__main__":
    main()
