#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes engine_golden.json: values and gradients of Gaze's operations as PyTorch sees them.

Every case has the name of a case in tests/op_cases.hpp and does the same to the same inputs, in
float64. Inputs and cotangents are multiples of 1/64, so the file holds them exactly.

    python3 tests/golden/make_engine_golden.py tests/golden/engine_golden.json
"""
import json
import math
import sys

import torch
import torch.nn.functional as F

torch.manual_seed(1)
GELU = {"approximate": "tanh"}
CASES = []


def case(name, shapes, function, low=-2.0, high=2.0):
    CASES.append((name, shapes, function, low, high))


def binary(op, function, low=-2.0, high=2.0):
    for what, shapes in (
        ("plain", [(3, 5), (3, 5)]),
        ("broadcast row", [(4, 3), (3,)]),
        ("broadcast both", [(2, 1, 3), (4, 1)]),
    ):
        case(f"{op}/{what}", shapes, function, low, high)


def unary(op, function, low=-2.0, high=2.0):
    case(f"{op}/plain", [(3, 7)], function, low, high)


def rotary(x, heads, size, theta, positions):
    """Half-split rotation, written with complex numbers."""
    n = x.shape[0]
    turned = x[:, : heads * size].reshape(n, heads, 2, size // 2)
    z = torch.complex(turned[:, :, 0], turned[:, :, 1])
    step = theta ** (-2.0 * torch.arange(size // 2, dtype=torch.float64) / size)
    angle = torch.tensor(positions, dtype=torch.float64)[:, None] * step
    z = z * torch.polar(torch.ones_like(angle), angle)[:, None, :]
    turned = torch.stack([z.real, z.imag], 2).reshape(n, heads * size)
    return torch.cat([turned, x[:, heads * size :]], 1)


def attention(qkv, heads, kv_heads, size, seen, slots=None, marks=0):
    """seen[i, j]: does row i see row j? slots[j]: where row j's marks come from."""
    n = qkv.shape[0]
    q, k, v = qkv.split([heads * size, kv_heads * size, kv_heads * size], 1)
    q = q.reshape(n, heads, size).transpose(0, 1)
    k = k.reshape(n, kv_heads, size).transpose(0, 1).repeat_interleave(heads // kv_heads, 0)
    v = v.reshape(n, kv_heads, size).transpose(0, 1).repeat_interleave(heads // kv_heads, 0)
    if not marks:
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=seen, scale=0.5)
        return y.transpose(0, 1).reshape(n, heads * size)
    scores = (0.5 * q @ k.transpose(1, 2)).masked_fill(~seen, -math.inf)
    p = scores.softmax(-1)
    m = [[(s * (c + 1)) % 5 / 4.0 for c in range(marks)] for s in slots]
    watched = p @ torch.tensor(m, dtype=torch.float64)
    return torch.cat([(p @ v).transpose(0, 1).reshape(n, -1), watched.transpose(0, 1).reshape(n, -1)], 1)


def blocks(*sizes, causal):
    """Sequences side by side that do not see each other."""
    parts = [torch.ones(s, s, dtype=torch.bool) for s in sizes]
    return torch.block_diag(*[p.tril() if causal else p for p in parts])


def shared_prefix():
    """A prompt of 5 with completions of 3 and 1; a prompt of 2 with one of 2."""
    seen = blocks(5, 3, 1, 4, causal=True)
    seen[5:9, :5] = True
    # A row's own slot begins where its first position would lie in a block of 16.
    slots = [*range(5), 21, 22, 23, 37, 48, 49, 66, 67]
    return seen, slots


def logprob(x, w, target, temperature=1.0):
    logp = F.log_softmax(x @ w.T / temperature, -1)
    t = torch.tensor(target)
    chosen = torch.where(t >= 0, logp.gather(1, t.clamp(min=0)[:, None])[:, 0], 0.0)
    return chosen, torch.distributions.Categorical(logits=logp).entropy()


def both(*args):
    return torch.stack(logprob(*args), 1)


def rows(x, index):
    t = torch.tensor(index)
    return x[t.clamp(min=0)] * (t >= 0)[:, None]


def scatter(x, index, count):
    keep = [i for i, to in enumerate(index) if to >= 0]
    out = torch.zeros(count, x.shape[1], dtype=torch.float64)
    return out.index_add(0, torch.tensor([index[i] for i in keep]), x[keep])


binary("add", torch.add)
binary("sub", torch.sub)
binary("mul", torch.mul)
binary("div", torch.div, 0.5, 2.0)
binary("minimum", lambda a, b: torch.minimum(a, b + 0.25))
binary("maximum", lambda a, b: torch.maximum(a, b + 0.25))
unary("exp", torch.exp, -3, 3)
unary("log", torch.log, 0.25, 3)
unary("sqrt", torch.sqrt, 0.25, 3)
unary("tanh", torch.tanh, -3, 3)
unary("sigmoid", torch.sigmoid, -5, 5)
unary("silu", F.silu, -5, 5)
unary("gelu", lambda x: F.gelu(x, **GELU), -4, 4)
unary("relu", F.relu)
unary("square", torch.square)
unary("neg", torch.neg)
unary("scale", lambda x: -1.5 * x)
unary("clamp", lambda x: x.clamp(-0.7001, 1.2001))
case("contiguous/of a permutation", [(2, 3, 4)], lambda x: x.permute(2, 0, 1))
case("contiguous/of an expansion", [(3, 1)], lambda x: x.expand(2, 3, 4))
case("reshape/open size of a view", [(4, 6)], lambda x: x.T.reshape(2, -1, 4))
case("permute/three", [(2, 3, 4)], lambda x: x.permute(1, 2, 0))
case("permute/of a slice", [(3, 5)], lambda x: x[:, 1:4].T.square())
case("slice/of a slice, overlapping", [(6, 4)], lambda x: x[1:5, :3] + x[2:6, 1:4])
case("expand/of a view, to a square", [(1, 3)], lambda x: x.T.expand(2, 3, 2).square())
case("concatenate/middle", [(2, 2, 3), (2, 1, 3)], lambda a, b: torch.cat([a, b], 1))
case("concatenate/views, one twice", [(3, 2), (2, 4)], lambda a, b: torch.cat([a.T, b[:, 1:3], a.T], 1))
case("sum/all", [(3, 4)], torch.sum)
case("sum/middle", [(3, 4, 2)], lambda x: x.sum(1, keepdim=True))
case("sum/last", [(3, 4)], lambda x: x.sum(-1, keepdim=True))
case("mean/plain", [(3, 5)], lambda x: x.square().mean())
case("matmul/nn", [(3, 5), (5, 4)], lambda a, b: a @ b)
case("matmul/nt", [(3, 5), (4, 5)], lambda a, b: a @ b.T)
case("matmul/tn", [(5, 3), (5, 4)], lambda a, b: a.T @ b)
case("matmul/tt", [(5, 3), (4, 5)], lambda a, b: a.T @ b.T)
case("linear/plain", [(4, 3), (5, 3)], F.linear)
case("linear/bias", [(4, 3), (5, 3), (5,)], F.linear)
case("linear/residual", [(4, 3), (5, 3), (4, 5)], lambda x, w, r: F.linear(x, w) + r)
case("linear/bias, one weight twice", [(2, 3), (3, 3), (3,)], lambda x, w, b: F.linear(F.linear(x, w, b), w, b))
case("rms_norm/plain", [(4, 6), (6,)], lambda x, w: F.rms_norm(x, (6,), w, 1e-5))
case("rms_norm/view, input twice", [(5, 3), (5,)], lambda x, w: x.T + F.rms_norm(x.T, (5,), w, 1e-3))
case("layer_norm/plain", [(4, 6), (6,), (6,)], lambda x, w, b: F.layer_norm(x, (6,), w, b, 1e-5))
case("layer_norm/two columns", [(3, 2), (2,), (2,)], lambda x, w, b: F.layer_norm(x, (2,), w, b, 1e-5))
case("gather_rows/repeated and none", [(5, 3)], lambda x: rows(x, [4, 0, -1, 4, 2, 4]))
case("scatter_add_rows/repeated and none", [(6, 3)], lambda x: scatter(x, [4, 0, -1, 4, 2, 4], 5))
case("rotary/all columns", [(4, 12)], lambda x: rotary(x, 2, 6, 10000.0, [0, 1, 7, 300]))
case("rotary/first heads only", [(3, 12)], lambda x: rotary(x, 2, 4, 100.0, [5, 5, 2]))
case("swiglu/plain", [(4, 6)], lambda x: F.silu(x[:, :3]) * x[:, 3:], -4, 4)
CAUSAL, IMAGES = blocks(5, 3, causal=True), blocks(4, 3, causal=False)
PREFIX, PREFIX_SLOTS = shared_prefix()
case("attention/causal", [(8, 24)], lambda x: attention(x, 2, 2, 4, CAUSAL))
case("attention/causal, grouped", [(8, 32)], lambda x: attention(x, 4, 2, 4, CAUSAL))
case("attention/causal, marks", [(8, 16)], lambda x: attention(x, 2, 1, 4, CAUSAL, [*range(5), *range(16, 19)], 2))
case("attention/bidirectional", [(7, 24)], lambda x: attention(x, 2, 2, 4, IMAGES))
case("attention/prefix", [(13, 16)], lambda x: attention(x, 2, 1, 4, PREFIX))
case("attention/prefix, marks", [(13, 32)], lambda x: attention(x, 4, 2, 4, PREFIX, PREFIX_SLOTS, 3))
TARGETS = [2, 0, -1, 6]
case("linear_logprob/plain", [(4, 3), (7, 3)], lambda x, w: both(x, w, TARGETS))
case("linear_logprob/temperature", [(4, 3), (7, 3)], lambda x, w: both(x, w, TARGETS, 0.5))
case("linear_logprob/only logp", [(2, 3), (5, 3)], lambda x, w: logprob(x, w, [4, 1])[0])
case("linear_logprob/only entropy", [(2, 3), (5, 3)], lambda x, w: logprob(x, w, [4, -1], 2.0)[1])


def noise(shape, low, high):
    x = low + (high - low) * torch.rand(shape, dtype=torch.float64)
    return (x * 64).ceil() / 64


def flat(x):
    values = [float(f"{v:.12g}") for v in x.detach().reshape(-1).tolist()]
    return {"shape": list(x.shape), "values": values}


def evaluate(name, shapes, function, low, high):
    inputs = [noise(s, low, high).requires_grad_() for s in shapes]
    value = function(*inputs)
    cotangent = noise(value.shape, -1, 1)
    value.backward(cotangent)
    grads = [flat(x.grad) for x in inputs]
    return {
        "name": name,
        "inputs": [flat(x) for x in inputs],
        "cotangent": flat(cotangent),
        "value": flat(value),
        "gradients": grads,
    }


def main():
    cases = [json.dumps(evaluate(*c), separators=(",", ":")) for c in CASES]
    header = json.dumps(f"made by make_engine_golden.py with PyTorch {torch.__version__}")
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write('{"source":%s,\n"cases":[\n%s\n]}\n' % (header, ",\n".join(cases)))
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
