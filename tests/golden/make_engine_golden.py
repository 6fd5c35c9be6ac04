#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes engine_golden.json: values and gradients of Gaze's operations as PyTorch sees them.

Every case has the name of a case in tests/op_cases*.hpp and does the same to the same inputs, in
float64. Inputs and cotangents are multiples of 1/64, so the file holds them exactly; they depend on
the case's name only, so a new case leaves the others as they are.

    python3 tests/golden/make_engine_golden.py tests/golden/engine_golden.json
"""
import json
import math
import sys
import zlib

import torch
import torch.nn.functional as F

GELU = {"approximate": "tanh"}
CASES = []


def case(name, shapes, function, low=-2.0, high=2.0, distinct=False):
    CASES.append((name, shapes, function, low, high, distinct))


def binary(op, function, low=-2.0, high=2.0):
    for what, shapes in (
        ("plain", [(3, 5), (3, 5)]),
        ("broadcast row", [(4, 3), (3,)]),
        ("broadcast column", [(4, 1), (4, 5)]),
        ("broadcast both", [(2, 1, 3), (4, 1)]),
        ("scalar", [(), (2, 3)]),
        ("empty", [(0, 3), (1, 3)]),
    ):
        case(f"{op}/{what}", shapes, function, low, high)
    case(f"{op}/views", [(3, 4), (5, 3)], lambda a, b: function(a.T, b[1:]), low, high)


def unary(op, function, low=-2.0, high=2.0):
    case(f"{op}/plain", [(3, 7)], function, low, high)
    case(f"{op}/scalar", [()], function, low, high)
    case(f"{op}/view", [(5, 4)], lambda x: function(x[1:4].T), low, high)
    case(f"{op}/twice", [(3, 2)], lambda x: function(x) * function(x), low, high)


def over_axes(op, function, **options):
    """function(x, axes) as in add_axes_cases."""
    for what, shape, axes in (
        ("axis first", (3, 4, 2), (0,)),
        ("axis middle", (3, 4, 2), (1,)),
        ("axis last", (3, 5), (-1,)),
        ("outer axes", (2, 3, 4), (0, -1)),
        ("inner axes", (2, 3, 4), (2, 1)),
        ("all axes", (3, 4), (0, 1)),
        ("axis of size 1", (3, 1, 2), (1,)),
        ("no rows", (0, 3), (1,)),
    ):
        case(f"{op}/{what}", [shape], lambda x, a=axes: function(x, a), **options)
    case(f"{op}/view by axis", [(4, 2, 3)], lambda x: function(x[1:].permute(2, 0, 1), (0, 2)), **options)
    case(f"{op}/input twice by axis", [(3, 4)], lambda x: x * function(x, (1,)), **options)


def along(op, function):
    """function(x, axis) as in add_along_cases."""
    for what, shape, axis in (
        ("first axis", (4, 3), 0),
        ("middle axis", (2, 4, 3), 1),
        ("last axis", (3, 5), -1),
        ("vector", (6,), 0),
        ("axis of size 1", (3, 1), 1),
        ("no rows", (0, 3), 1),
        ("no elements", (3, 0), 1),
    ):
        case(f"{op}/{what}", [shape], lambda x, a=axis: function(x, a))
    case(f"{op}/view", [(4, 2, 3)], lambda x: function(x[1:].permute(2, 0, 1), 1))
    case(f"{op}/squared", [(3, 4)], lambda x: function(x, 0).square())


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
binary("minimum", lambda a, b: torch.minimum(a, b + 0.2578125))
binary("maximum", lambda a, b: torch.maximum(a, b + 0.2578125))
unary("exp", torch.exp, -3, 3)
unary("log", torch.log, 0.25, 3)
unary("sqrt", torch.sqrt, 0.25, 3)
unary("tanh", torch.tanh, -3, 3)
unary("sigmoid", torch.sigmoid, -5, 5)
unary("silu", F.silu, -5, 5)
unary("gelu", lambda x: F.gelu(x, **GELU), -4, 4)
unary("relu", F.relu)
unary("gelu_tanh", lambda x: F.gelu(x, **GELU), -4, 4)
unary("gelu_exact", F.gelu, -4, 4)
unary("erf", torch.erf, -3, 3)
unary("abs", torch.abs)
unary("rsqrt", torch.rsqrt, 0.25, 3)
binary("pow", torch.pow, 0.25, 2.0)
binary("where", lambda a, b: torch.where(a < b, a * a, b))
case("pow/one exponent", [(3, 5)], lambda x: x.pow(2.5), 0.25, 2)
case("pow/negative exponent", [(3, 5)], lambda x: x.pow(-1.5), 0.5, 2)
case("pow/cube", [(3, 5)], lambda x: x.pow(3))
case("pow/exponent 1", [(4,)], lambda x: x.pow(1))
case("pow/exponent 0", [(4,)], lambda x: x.pow(0))
case("pow/one exponent of a view", [(3, 4)], lambda x: x[1:3].T.pow(2))
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
case("linear/adapters", [(4, 3), (5, 3), (5,), (3, 3), (2, 2), (2, 1)], lambda x, w, b, a, up, other: F.linear(
    x, w + 1.5 * torch.cat([up @ a[:2], torch.zeros(1, 3, dtype=w.dtype), other @ a[2:]]), b))
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


# ---- choices, casts, reductions, along an axis (op_cases_elements.hpp) ---------------------------


def thirds(*shape):
    return (torch.arange(math.prod(shape)) % 3 == 0).reshape(shape)


case("where/given mask", [(2, 3, 4), (2, 3, 4)], lambda a, b: torch.where(thirds(2, 3, 4), a, b))
case("where/mask stretches", [(2, 3, 4), (4,)], lambda a, b: torch.where(thirds(3, 1), a, b))
case("where/mask is a view", [(4, 3), (3, 4)], lambda a, b: torch.where(thirds(4, 3).T, a.T, b))
case("where/mask is the largest", [(), (3,)], lambda a, b: torch.where(thirds(4, 3), a, b))
case("masked_fill/plain", [(3, 4)], lambda x: x.masked_fill(thirds(3, 4), -1.5))
case("masked_fill/mask stretches", [(2, 3, 4)], lambda x: (x * x).masked_fill(thirds(3, 1), 7))
case("masked_fill/before a softmax", [(3, 4)], lambda x: x.masked_fill(thirds(3, 4), -math.inf).softmax(1))
case("masked_fill/view", [(4, 3)], lambda x: x.T.masked_fill(thirds(4, 1).T, 0))
case("cast/to double and back", [(3, 4)], torch.square)
over_axes("sum", lambda x, a: x.sum(a, keepdim=True))
over_axes("mean", lambda x, a: x.mean(a, keepdim=True))
over_axes("max", lambda x, a: x.amax(a, keepdim=True), distinct=True)
over_axes("min", lambda x, a: x.amin(a, keepdim=True), distinct=True)
over_axes("logsumexp", lambda x, a: x.logsumexp(a, keepdim=True))
over_axes("variance", lambda x, a: x.var(a, correction=0, keepdim=True))
case("variance/unbiased", [(3, 5)], lambda x: x.var(1, keepdim=True))
case("max/all", [(3, 4)], torch.max, distinct=True)
case("min/all", [(3, 4)], torch.min, distinct=True)
along("softmax", torch.softmax)
along("log_softmax", torch.log_softmax)
along("cumsum", torch.cumsum)
for op in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal"):
    compare = getattr(torch, {"equal": "eq"}.get(op, op))
    case(f"{op}/broadcast", [(3, 4), (4,)], lambda a, b, f=compare: f(a, b).double())
    case(f"{op}/ties and views", [(4, 5)], lambda x, f=compare: f(x.T, x.T[:1]).double())
    case(f"{op}/whole numbers", [(3, 4), (3, 1)], lambda a, b, f=compare: f(a.int(), b.int()).double())
for op in ("argmax", "argmin"):
    find = getattr(torch, op)
    case(f"{op}/first axis", [(4, 3)], lambda x, f=find: f(x, 0, True).double(), distinct=True)
    case(f"{op}/middle axis", [(2, 4, 3)], lambda x, f=find: f(x, 1, True).double(), distinct=True)
    case(f"{op}/last axis", [(3, 5)], lambda x, f=find: f(x, -1, True).double(), distinct=True)
    case(f"{op}/view", [(4, 3)], lambda x, f=find: f(x[1:].T, 1, True).double(), distinct=True)

# ---- joining, indexing, sorting, products, convolution (op_cases_shapes.hpp) ---------------------


def take(x, axis, index):
    """gather() with -1 for zero."""
    t = torch.tensor(index)
    return x.gather(axis, t.clamp(min=0)) * (t >= 0)


def put(x, axis, index, size):
    """scatter_add() into zeros, -1 for nowhere."""
    t = torch.tensor(index)
    shape = list(x.shape)
    shape[axis] = size
    return torch.zeros(shape, dtype=x.dtype).scatter_add(axis, t.clamp(min=0), x * (t >= 0))


def patches(x, kernel, stride, padding=0):
    return F.unfold(x, kernel, padding=padding, stride=stride).transpose(1, 2)


case("stack/front", [(2, 3)] * 3, lambda *x: torch.stack(x))
case("stack/middle", [(2, 3)] * 2, lambda *x: torch.stack(x, 1))
case("stack/last", [(2, 3)] * 2, lambda *x: torch.stack(x, -1))
case("stack/scalars", [()] * 3, lambda *x: torch.stack(x))
case("stack/views, one twice", [(3, 2), (2, 3)], lambda a, b: torch.stack([a.T, b, a.T], 1))
case("repeat/rows", [(2, 3)], lambda x: x.repeat(3, 1))
case("repeat/columns", [(2, 3)], lambda x: x.repeat(1, 2))
case("repeat/both", [(2, 3)], lambda x: x.repeat(2, 3))
case("repeat/new dimensions", [(2, 3)], lambda x: x.repeat(2, 1, 2, 2))
case("repeat/scalar", [()], lambda x: x.repeat(3))
case("repeat/view", [(3, 4)], lambda x: x[:2].T.repeat(2, 2))
case("pad/all sides", [(2, 3)], lambda x: F.pad(x, (2, 1, 1, 3)))
case("pad/with a value", [(2, 2, 2)], lambda x: F.pad(x, (0, 2, 1, 0, 0, 1), value=0.5))
case("pad/nothing around", [(2, 3)], lambda x: F.pad(x, (0, 0, 0, 0), value=1))
case("pad/around nothing", [(0, 2)], lambda x: F.pad(x, (0, 1, 1, 1), value=2))
case("pad/vector", [(3,)], lambda x: F.pad(x, (2, 0), value=-1))
case("pad/view", [(3, 4)], lambda x: F.pad(x[:, 1:3].T, (0, 1, 1, 0)))
case("gather/last axis", [(2, 4)], lambda x: take(x, 1, [[3, 0, 0], [1, 1, 1]]))
case("gather/first axis", [(4, 2)], lambda x: take(x, 0, [[3, 0], [2, -1], [2, 1]]))
case("gather/middle axis", [(2, 3, 2)], lambda x: take(x, 1, [[[2, 0]], [[1, 1]]]))
case("gather/index is a view", [(2, 4)], lambda x: take(x, 1, [[3, 0], [1, 1]]))
case("gather/view", [(4, 3)], lambda x: take(x.T, 1, [[3], [0], [1]]))
case("gather/where the greatest are", [(3, 5)], lambda x: x.amax(1, keepdim=True), distinct=True)
case("scatter_add/last axis", [(2, 3)], lambda x: put(x, 1, [[3, 0, 0], [1, 1, 1]], 4))
case("scatter_add/first axis", [(3, 2)], lambda x: put(x, 0, [[3, 0], [2, -1], [2, 1]], 4))
case("scatter_add/middle axis", [(2, 1, 2)], lambda x: put(x, 1, [[[2, 0]], [[1, 1]]], 3))
case("scatter_add/index is a view", [(2, 2)], lambda x: put(x, 1, [[3, 0], [1, 1]], 4))
case("scatter_add/view", [(2, 3)], lambda x: put(x.T, 1, [[0, 0], [1, 0], [1, 1]], 2))
case("embedding/matrix of ids", [(5, 3)], lambda x: rows(x, [4, 0, -1, 4, 2, 4]).reshape(2, 3, 3))
case("embedding/views", [(3, 5)], lambda x: F.embedding(torch.tensor([[1, 1], [3, 0]]), x.T))
case("embedding/one id", [(4, 2)], lambda x: F.embedding(torch.tensor(3), x))
case("sort/ascending", [(3, 5)], lambda x: x.sort(1).values, distinct=True)
case("sort/descending", [(3, 5)], lambda x: x.sort(-1, True).values, distinct=True)
case("sort/first axis", [(4, 3)], lambda x: x.sort(0).values, distinct=True)
case("sort/middle axis", [(2, 4, 2)], lambda x: x.sort(1, True).values, distinct=True)
case("sort/view", [(4, 3)], lambda x: x[1:].T.sort(1).values, distinct=True)
case("topk/two", [(3, 5)], lambda x: x.topk(2, 1).values, distinct=True)
case("topk/first axis", [(5, 3)], lambda x: x.topk(3, 0).values, distinct=True)
case("topk/all", [(2, 4)], lambda x: x.topk(4).values, distinct=True)
case("topk/view", [(4, 3)], lambda x: x.T.topk(2, 1).values, distinct=True)
case("topk/squared, input twice", [(3, 4)], lambda x: x.topk(2, 1).values.square() + x[:, :2], distinct=True)
for kind in ("nn", "nt", "tn", "tt"):
    for what, a, b in (
        ("batch", (3,), (3,)),
        ("batch of batches", (2, 2), (2, 2)),
        ("first stretches", (), (3,)),
        ("second stretches", (3,), ()),
        ("both stretch", (2, 1), (3,)),
        ("empty batch", (0,), (1,)),
    ):
        shapes = [a + ((2, 3) if kind[0] == "t" else (3, 2)), b + ((4, 2) if kind[1] == "t" else (2, 4))]
        case(f"matmul/{kind} {what}", shapes, lambda x, y, k=kind: (x.mT if k[0] == "t" else x) @ (y.mT if k[1] == "t" else y))
case("matmul/batched views", [(3, 2, 4), (3, 5, 2)], lambda a, b: a.permute(1, 2, 0) @ b.permute(2, 0, 1))
case("matmul/batch with itself", [(2, 3, 3)], lambda x: x @ x.mT)
for equation, *shapes in (
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ji,jk->ik", (3, 2), (3, 4)),
    ("ij,kj->ik", (2, 3), (4, 3)),
    ("ij,jk->ki", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("bhtd,bhsd->bhts", (2, 2, 3, 2), (2, 2, 4, 2)),
    ("bhts,bhsd->bthd", (2, 2, 3, 4), (2, 2, 4, 2)),
    ("bti,oi->bto", (2, 3, 2), (4, 2)),
    ("i,i->", (4,), (4,)),
    ("i,j->ij", (3,), (4,)),
    ("bi,bi->b", (3, 4), (3, 4)),
    ("bi,b->bi", (3, 4), (3,)),
    ("ij,ij->ij", (2, 3), (2, 3)),
    ("ij->ji", (2, 3)),
    ("ijk->j", (2, 3, 2)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("bii,ij->bj", (2, 3, 3), (3, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 2), (2, 4)),
    ("ij,kl->jl", (2, 3), (2, 4)),
    ("ib,jb,b->ij", (2, 3), (4, 3), (3,)),
):
    case(f"einsum/{equation}", shapes, lambda *x, e=equation: torch.einsum(e, *x))
case("einsum/views", [(3, 2), (4, 3)], lambda a, b: torch.einsum("ij,jk->ik", a.T, b.T))
case("unfold/patches", [(2, 2, 4, 4)], lambda x: patches(x, 2, 2))
case("unfold/overlapping", [(1, 1, 3, 4)], lambda x: patches(x, 3, 1, 1))
case("unfold/uneven", [(1, 2, 5, 3)], lambda x: patches(x, (3, 2), (2, 1), (1, 0)))
case("unfold/a rest", [(1, 1, 5, 5)], lambda x: patches(x, 2, 2))
case("conv2d/patches", [(2, 2, 4, 4), (3, 2, 2, 2), (3,)], lambda x, w, b: F.conv2d(x, w, b, stride=2))
case("conv2d/overlapping", [(1, 2, 3, 4), (2, 2, 3, 3), (2,)], lambda x, w, b: F.conv2d(x, w, b, padding=1))
case("conv2d/uneven", [(1, 2, 5, 3), (2, 2, 3, 2)], lambda x, w: F.conv2d(x, w, None, (2, 1), (1, 0)))
case("conv2d/views", [(4, 4, 2), (2, 2, 2, 3)], lambda x, w: F.conv2d(x.permute(2, 0, 1)[None], w.permute(3, 0, 1, 2), stride=2))
case("cross_entropy/plain", [(3, 5)], lambda x: F.cross_entropy(x, torch.tensor([4, 0, 2])))
case("cross_entropy/rows without a target", [(4, 3)], lambda x: F.cross_entropy(x, torch.tensor([-1, 2, -1, 0]), ignore_index=-1))
case("cross_entropy/one class", [(2, 1)], lambda x: F.cross_entropy(x, torch.tensor([0, 0])))
case("cross_entropy/views", [(5, 3)], lambda x: F.cross_entropy(x.T, torch.tensor([4, -1, 2]), ignore_index=-1))
case("cross_entropy/scaled, input twice", [(3, 4)], lambda x: x * F.cross_entropy(x, torch.tensor([1, 2, 3])))


def noise(shape, low, high, distinct=False):
    if distinct:  # no two elements are equal, so that an order has one derivative
        n = math.prod(shape)
        return ((torch.randperm(n).double() - n // 2) * 3 / 64).reshape(shape)
    x = low + (high - low) * torch.rand(shape, dtype=torch.float64)
    return (x * 64).ceil() / 64


def flat(x):
    values = [float(f"{v:.12g}") for v in x.detach().reshape(-1).tolist()]
    return {"shape": list(x.shape), "values": values}


def evaluate(name, shapes, function, low, high, distinct):
    torch.manual_seed(zlib.crc32(name.encode()))
    inputs = [noise(s, low, high, distinct).requires_grad_() for s in shapes]
    value = function(*inputs)
    result = {"name": name, "inputs": [flat(x) for x in inputs], "value": flat(value)}
    if value.requires_grad:
        cotangent = noise(value.shape, -1, 1)
        value.backward(cotangent)
        result["cotangent"] = flat(cotangent)
        result["gradients"] = [flat(torch.zeros_like(x) if x.grad is None else x.grad) for x in inputs]
    return result


def main():
    cases = [json.dumps(evaluate(*c), separators=(",", ":")) for c in CASES]
    header = json.dumps(f"made by make_engine_golden.py with PyTorch {torch.__version__}")
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write('{"source":%s,\n"cases":[\n%s\n]}\n' % (header, ",\n".join(cases)))
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
