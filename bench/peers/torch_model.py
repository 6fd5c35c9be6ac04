# SPDX-License-Identifier: MIT
"""The model of models/vlm.hpp in PyTorch, optimised for speed: for bench/peers/compare.py.

Batches are padded only at their ends; prompts are computed once per group in a rollout, and
optionally in the policy update; attention is F.scaled_dot_product_attention, except in
decoding (see Model.attend); logits are computed only for the rows that need them; decoding has a
preallocated key-value cache and drops completions that have ended.
"""
import json
import struct

import numpy
import torch
import torch.nn.functional as F

DTYPES = {"F64": "<f8", "F32": "<f4", "I64": "<i8", "I32": "<i4", "U8": "u1"}


def read_safetensors(path):
    """All tensors of a file by name, and its metadata."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        array = numpy.frombuffer(data[begin:end], DTYPES[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(array.copy())
    return tensors, metadata


class Pack:
    """Token sequences as a padded batch [B, L]: each row a prompt and one or more completions.

    `rows` and `targets` list which flat rows predict which tokens, completion by completion; `mask`
    is None if plain causal attention is enough.
    """

    def __init__(self, prompts, completions, image_token, image_tokens):
        per_row = [[c.tolist() for c in group] for group in completions]
        length = max(len(p) + sum(len(c) - 1 for c in g) for p, g in zip(prompts, per_row))
        batch = len(prompts)
        self.ids = torch.zeros(batch, length, dtype=torch.long)
        self.position = torch.zeros(batch, length, dtype=torch.long)
        shared = any(len(group) > 1 for group in per_row)
        mask = torch.zeros(batch, length, length, dtype=torch.bool) if shared else None
        rows, targets = [], []
        for b, (prompt, group) in enumerate(zip(prompts, per_row)):
            n = len(prompt)
            self.ids[b, :n] = prompt
            self.position[b, :n] = torch.arange(n)
            if shared:
                mask[b] = torch.eye(length, dtype=torch.bool)  # padding attends to itself
                mask[b, :n, :n] = torch.ones(n, n, dtype=torch.bool).tril()
            at = n
            for completion in group:
                own = len(completion) - 1
                self.ids[b, at:at + own] = torch.tensor(completion[:-1], dtype=torch.long)
                self.position[b, at:at + own] = n + torch.arange(own)
                if shared:
                    mask[b, at:at + own, :n] = True
                    mask[b, at:at + own, at:at + own] = torch.ones(own, own).tril().bool()
                rows += [b * length + n - 1] + [b * length + at + i for i in range(own)]
                targets += completion
                at += own
        self.rows, self.targets = torch.tensor(rows), torch.tensor(targets)
        self.mask = None if mask is None else mask[:, None]
        # Image rows follow one another in the order of the batch's rows; completions have none.
        self.image_place = torch.cat(
            [b * length + (p == image_token).nonzero().flatten() for b, p in enumerate(prompts)])
        assert len(self.image_place) == batch * image_tokens


class Model(torch.nn.Module):
    def __init__(self, weights, config):
        super().__init__()
        number = {k: float(v) for k, v in config.items() if k != "isa"}
        self.c = {k: int(v) if v == int(v) else v for k, v in number.items()}
        self.c["vit.eps"], self.c["eps"] = number["vit.eps"], number["eps"]
        self.w = torch.nn.ParameterDict(
            {name.replace(".", "/"): torch.nn.Parameter(value) for name, value in weights.items()})
        half = self.c["head_size"] // 2
        angle = self.c["rope_theta"] ** (-torch.arange(half, dtype=torch.float64) / half)
        angle = torch.arange(1024, dtype=torch.float64)[:, None] * angle
        self.register_buffer("cos", angle.cos().float(), persistent=False)
        self.register_buffer("sin", angle.sin().float(), persistent=False)

    def weight(self, name):
        return self.w[name.replace(".", "/")]

    def linear(self, x, name, bias=True):
        return F.linear(x, self.weight(name + ".weight"),
                        self.weight(name + ".bias") if bias else None)

    # ---- images -------------------------------------------------------------------------------

    def patches(self, images):
        """[images, S, S, 3] bytes to [images, patches, 3 p p], shuffle blocks together."""
        c, n = self.c, images.shape[0]
        s, p = c["shuffle"], c["vit.patch"]
        side = c["vit.image"] // p // s
        x = images.float() / 127.5 - 1
        x = x.view(n, side, s, p, side, s, p, 3).permute(0, 1, 4, 2, 5, 3, 6, 7)
        return x.reshape(n, side * side * s * s, p * p * 3)

    def encode_images(self, images):
        """Image tokens [images * image_tokens, width]."""
        c = self.c
        h = self.linear(self.patches(images), "vit.embed") + self.weight("vit.position")
        n, t, width = h.shape
        for i in range(c["vit.layers"]):
            name = f"vit.{i}"
            x = self.layer_norm(h, name + ".norm1")
            q, k, v = self.linear(x, name + ".qkv").view(n, t, 3, c["vit.heads"], -1).unbind(2)
            y = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2),
                                               v.transpose(1, 2))
            h = h + self.linear(y.transpose(1, 2).reshape(n, t, width), name + ".out")
            x = self.linear(self.layer_norm(h, name + ".norm2"), name + ".up")
            h = h + self.linear(F.gelu(x, approximate="tanh"), name + ".down")
        h = self.layer_norm(h, "vit.norm").reshape(-1, width * c["shuffle"] ** 2)
        return self.linear(F.gelu(self.linear(h, "projector.up"), approximate="tanh"),
                           "projector.down")

    def layer_norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.weight(name + ".weight"),
                            self.weight(name + ".bias"), self.c["vit.eps"])

    # ---- decoder ------------------------------------------------------------------------------

    def embed(self, ids):
        return F.embedding(ids, self.weight("decoder.embedding")) * self.c["width"] ** 0.5

    def norm(self, x, name):
        return F.rms_norm(x, x.shape[-1:], self.weight(name + ".weight"), self.c["eps"])

    def project(self, h, name, cos, sin):
        """Queries [B, H, T, D], keys and values [B, kv, T, D]; cos and sin [B, 1, T, D/2]."""
        c = self.c
        b, t, _ = h.shape
        heads, kv, d = c["heads"], c["kv_heads"], c["head_size"]
        x = self.linear(self.norm(h, name + ".norm1"), name + ".qkv", bias=False)
        x = x.view(b, t, heads + 2 * kv, d).transpose(1, 2)
        turned, v = x[:, :heads + kv], x[:, heads + kv:]
        low, high = turned.chunk(2, -1)
        turned = torch.cat((low * cos - high * sin, high * cos + low * sin), -1).to(x.dtype)
        return turned[:, :heads], turned[:, heads:], v

    def finish(self, h, y, name):
        """The rest of a block, from the attention output y [B, T, H D]."""
        h = h + self.linear(y, name + ".out", bias=False)
        x = self.linear(self.norm(h, name + ".norm2"), name + ".gate_up", bias=False)
        gate, up = x.chunk(2, -1)
        return h + self.linear(F.silu(gate) * up, name + ".down", bias=False)

    def decode_rows(self, h, position, mask, keys_values=None):
        """[B, T, C] through all blocks; appends keys and values per layer to a list, if given."""
        c = self.c
        b, t, _ = h.shape
        cos, sin = self.cos[position][:, None], self.sin[position][:, None]
        repeat = c["heads"] // c["kv_heads"]
        for i in range(c["layers"]):
            q, k, v = self.project(h, f"decoder.{i}", cos, sin)
            if keys_values is not None:
                keys_values.append((k, v))
            y = F.scaled_dot_product_attention(
                q, k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1), attn_mask=mask,
                is_causal=mask is None)
            h = self.finish(h, y.transpose(1, 2).reshape(b, t, -1), f"decoder.{i}")
        return self.norm(h, "decoder.norm")

    def embed_prompts(self, ids, images, image_place):
        h = self.embed(ids)
        flat = h.reshape(-1, h.shape[-1])
        images = self.encode_images(images).to(h.dtype)
        return flat.index_copy(0, image_place, images).view_as(h)

    def logprobs(self, ids, position, mask, images, image_place, rows, targets):
        """log p of each target."""
        h = self.embed_prompts(ids, images, image_place)
        h = self.decode_rows(h, position, mask)
        logits = F.linear(h.reshape(-1, h.shape[-1])[rows], self.weight("decoder.embedding"))
        return -F.cross_entropy(logits.float(), targets, reduction="none")

    # ---- generation ---------------------------------------------------------------------------

    def prefill(self, pack, images):
        """Logits of each prompt's first token, and per layer its keys and values [P, kv, L, D]."""
        h = self.embed_prompts(pack.ids, images, pack.image_place)
        keys_values = []
        h = self.decode_rows(h, pack.position, None, keys_values)
        last = h.reshape(-1, h.shape[-1])[pack.rows]
        logits = F.linear(last, self.weight("decoder.embedding"))
        return logits, [(k.contiguous(), v.contiguous()) for k, v in keys_values]

    def attend(self, q, prefix, own, hidden):
        """One query per completion [P G, H, 1, D] over its group's prompt [P, kv, L, D], masked by
        `hidden` [P, 1, 1, L] (0 or -inf), and its own tokens [P G, kv, t, D]. The queries of a
        group share their prompt's keys, for which SDPA would need a copy of the
        prompt each; measured faster than SDPA on such copies."""
        kv, d = self.c["kv_heads"], self.c["head_size"]
        p, length = prefix[0].shape[0], prefix[0].shape[2]
        rows = q.shape[0]
        g, repeat = rows // p, q.shape[1] // kv
        q = q.reshape(rows, kv, repeat, d) * d ** -0.5

        def by_prompt(x):  # [P G, kv, repeat, X] -> [P, kv, G repeat, X]
            return x.view(p, g, kv, repeat, -1).transpose(1, 2).reshape(p, kv, g * repeat, -1)

        def by_completion(x):
            return x.view(p, kv, g, repeat, -1).transpose(1, 2).reshape(rows, kv, repeat, -1)

        shared = torch.matmul(by_prompt(q), prefix[0].transpose(2, 3)) + hidden
        weights = torch.cat((by_completion(shared), torch.matmul(q, own[0].transpose(2, 3))), -1)
        weights = weights.softmax(-1)
        y = by_completion(torch.matmul(by_prompt(weights[..., :length]), prefix[1]))
        return (y + torch.matmul(weights[..., length:], own[1])).reshape(rows, 1, -1)

    def decode_step(self, tokens, position, prefix, own, at, hidden):
        """Logits of the next token; stores this token's keys and values at index `at`."""
        h = self.embed(tokens)[:, None]
        cos, sin = self.cos[position][:, None, None], self.sin[position][:, None, None]
        for i in range(self.c["layers"]):
            q, k, v = self.project(h, f"decoder.{i}", cos, sin)
            own[i][0, :, :, at:at + 1] = k
            own[i][1, :, :, at:at + 1] = v
            y = self.attend(q, prefix[i], own[i][:, :, :, :at + 1], hidden)
            h = self.finish(h, y, f"decoder.{i}")
        return F.linear(self.norm(h, "decoder.norm")[:, 0], self.weight("decoder.embedding"))

    def choose(self, logits, choices):
        """One token per row, given or sampled from a uniform number by inverse CDF, and its
        log p."""
        log_p = F.log_softmax(logits.float(), -1)
        token = choices
        if choices.dtype != torch.long:
            sums = log_p.exp().cumsum(-1)
            token = torch.searchsorted(sums, choices[:, None] * sums[:, -1:], right=True)[:, 0]
            token = token.clamp_max(logits.shape[1] - 1)  # the uniform number may round to 1
        return token, log_p.gather(1, token[:, None])[:, 0]

    @torch.no_grad()
    def generate(self, prompts, pack, images, group, longest, end, choices):
        """Tokens and their log p [P G, longest], and each completion's length. `choices` are
        uniform numbers to sample with, or the tokens themselves. Completions that have ended leave
        the batch as long as all groups keep the same size."""
        c, count = self.c, len(prompts) * group
        logits, prefix = self.prefill(pack, images)
        logits = logits.repeat_interleave(group, 0)
        lengths = torch.tensor([len(p) for p in prompts])
        hidden = torch.zeros(len(prompts), pack.ids.shape[1])
        hidden[torch.arange(pack.ids.shape[1])[None] >= lengths[:, None]] = -float("inf")
        start = lengths.repeat_interleave(group)
        own = [keys.new_zeros(2, count, c["kv_heads"], longest, c["head_size"])
               for keys, _ in prefix]
        active = torch.arange(count)  # completion index of each row
        running = torch.ones(count, dtype=torch.bool)
        tokens, logp = torch.zeros(count, longest, dtype=torch.long), torch.zeros(count, longest)
        lengths = torch.zeros(count, dtype=torch.long)
        for t in range(longest):
            token, chosen = self.choose(logits, choices[active, t])
            tokens[active, t], logp[active, t] = token, chosen
            lengths[active] += running
            running &= token != end
            grouped = running.view(len(prompts), -1)
            most = int(grouped.sum(1).max())
            if most == 0 or t + 1 == longest:
                break
            if most < grouped.shape[1]:
                keep = grouped.int().argsort(dim=1, descending=True, stable=True)[:, :most]
                keep = (keep + torch.arange(len(prompts))[:, None] * grouped.shape[1]).flatten()
                active, token, running = active[keep], token[keep], running[keep]
                own = [pair[:, keep] for pair in own]
            logits = self.decode_step(token, start[active] + t, prefix, own, t,
                                      hidden[:, None, None])
        return tokens, logp, lengths


def policy_loss(logp, old, advantages, clip=0.2):
    """Token mean of the clipped objective (PPO), advantages per token."""
    ratio = torch.exp(logp - old)
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages).mean()


def group_advantages(rewards, group):
    r = rewards.view(-1, group)
    return ((r - r.mean(1, keepdim=True)) / (r.std(1, keepdim=True) + 1e-4)).flatten()
