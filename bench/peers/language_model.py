#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""SmolLM2-135M in Gaze, llama.cpp and transformers: prefill and decoding.

    pip install xllamacpp                    (llama.cpp as a wheel)
    pip install transformers torch           (with --transformers)
    python3 bench/peers/language_model.py FOLDER FILE.gguf [--build build/release] [--rounds 5]
                        [--threads 1,2] [--precision bf16] [--transformers]

FOLDER and FILE.gguf come from make_smollm2.py, in the precision to be compared. Runs alternate on
the same work, each on the same number of threads; the best of the rounds is printed, because other
load only ever adds time. Work: prefill, a prompt of 512 tokens; decode_1 and decode_16, 64 greedy
tokens of one and of 16 sequences after 32 tokens that are not timed.
"""
import argparse
import concurrent.futures
import pathlib
import platform
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROMPT, FIRST, ANSWER = 512, 32, 64
TOKENS = {"prefill": PROMPT, "decode_1": ANSWER, "decode_16": 16 * ANSWER}


class Gaze:
    def __init__(self, program, folder, precision):
        self.process = subprocess.Popen([program, "--serve", folder, precision], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def seconds(self, work, threads):
        self.process.stdin.write(f"{work} {threads}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


class Transformers:
    def __init__(self, folder, precision):
        import torch
        from transformers import AutoModelForCausalLM
        self.torch = torch
        dtype = torch.float32 if precision == "float32" else torch.bfloat16
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()

    def seconds(self, work, threads):
        torch = self.torch
        torch.set_num_threads(threads)
        with torch.inference_mode():
            if work == "prefill":
                ids = torch.full((1, PROMPT), 7)
                start = time.perf_counter()
                self.model(ids, logits_to_keep=1)
                return time.perf_counter() - start
            count = int(work.split("_")[1])
            ids = torch.arange(20, 20 + count)[:, None].repeat(1, FIRST)
            out = self.model(ids, use_cache=True, logits_to_keep=1)
            start = time.perf_counter()
            for _ in range(ANSWER):
                ids = out.logits[:, -1].argmax(-1, keepdim=True)
                out = self.model(ids, past_key_values=out.past_key_values, use_cache=True)
            return time.perf_counter() - start


class LlamaCpp:
    """Through xllamacpp's server; decoding of several is 1 + 64 tokens minus 1 token."""

    def __init__(self, gguf):
        self.gguf, self.servers = gguf, {}

    def server(self, threads, parallel):
        import xllamacpp
        key = threads, parallel
        if key not in self.servers:
            p = xllamacpp.CommonParams()
            p.model.path = self.gguf
            p.n_ctx, p.n_batch, p.n_ubatch, p.n_gpu_layers = 2048, PROMPT, PROMPT, 0
            p.n_parallel, p.verbosity = parallel, -1
            p.cpuparams.n_threads = p.cpuparams_batch.n_threads = threads
            self.servers[key] = xllamacpp.Server(p)
        return self.servers[key]

    def complete(self, server, token, prompt, answer):
        return server.handle_completions({"prompt": [token] * prompt, "n_predict": answer,
                                          "cache_prompt": False, "temperature": 0,
                                          "ignore_eos": True})

    def several(self, server, count, answer):
        start = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            list(pool.map(lambda i: self.complete(server, 20 + i, FIRST, answer), range(count)))
        return time.perf_counter() - start

    def seconds(self, work, threads):
        if work == "prefill":
            return self.complete(self.server(threads, 1), 7, PROMPT, 1)["timings"][
                "prompt_ms"] / 1000
        if work == "decode_1":
            return self.complete(self.server(threads, 1), 20, FIRST, ANSWER)["timings"][
                "predicted_ms"] / 1000
        server = self.server(threads, 16)
        return self.several(server, 16, 1 + ANSWER) - self.several(server, 16, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("gguf")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--precision", choices=("float32", "bf16"), default="float32")
    parser.add_argument("--transformers", action="store_true")
    a = parser.parse_args()
    threads = [int(t) for t in a.threads.split(",")]
    peers = {"Gaze": Gaze(a.build / "bench/bench_language_model", a.folder, a.precision),
             "llama.cpp": LlamaCpp(a.gguf)}
    if a.transformers:
        peers["transformers"] = Transformers(a.folder, a.precision)
    print(f"{platform.processor() or platform.machine()}, {a.precision}, best of {a.rounds} rounds")
    print("| work | threads | " + " | ".join(f"{p}, tokens/s" for p in peers) +
          " | Gaze / best peer |\n|" + "---|" * (3 + len(peers)))
    for work in TOKENS:
        for t in threads:
            best = {p: float("inf") for p in peers}
            for _ in range(a.rounds):
                for name, peer in peers.items():
                    best[name] = min(best[name], peer.seconds(work, t))
            rates = {p: TOKENS[work] / s for p, s in best.items()}
            others = max((r for p, r in rates.items() if p != "Gaze"), default=float("nan"))
            print(f"| {work} | {t} | " + " | ".join(f"{r:.1f}" for r in rates.values()) +
                  f" | {rates['Gaze'] / others:.2f} |", flush=True)


if __name__ == "__main__":
    main()
