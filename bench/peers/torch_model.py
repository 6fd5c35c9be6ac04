# SPDX-License-Identifier: MIT
"""The model of models/vlm.hpp in PyTorch, written to be fast there: for bench/peers/compare.py.

Batches are padded only at their ends; prompts are computed once per group in a rollout, and in the
policy update too (`share_prompts`); attention is F.scaled_dot_product_attention; logits are
computed for the rows that need them only; decoding has a preallocated key-value cache in which the
queries of one key-value head go through attention together, and drops completions that have ended.
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

    `rows` and `targets` say which flat rows predict which tokens, completion by completion; `mask`
    is None where plain causal attention will do.
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
                mask[b] = torch.eye(length, dtype=torch.bool)  # padding sees itself
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
        places = [b * length + (p == image_token).nonzero().flatten() for b, p in enumerate(prompts)]
        self.image_place = torch.cat(places)
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
        turned = torch.cat((low * cos - high * sin, high * cos + low * sin), -1)
        return turned[:, :heads], turned[:, heads:], v

    def finish(self, h, y, name):
        """The rest of a block, from the attention's result y [B, T, H D]."""
        h = h + self.linear(y, name + ".out", bias=False)
        x = self.linear(self.norm(h, name + ".norm2"), name + ".gate_up", bias=False)
        gate, up = x.chunk(2, -1)
        return h + self.linear(F.silu(gate) * up, name + ".down", bias=False)

    def decode_rows(self, h, position, mask, keys_values=None):
        """[B, T, C] through all blocks; keys and values of each layer are put in a list if given."""
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
        return flat.index_copy(0, image_place, self.encode_images(images)).view_as(h)

    def logprobs(self, ids, position, mask, images, image_place, rows, targets):
        """log p of each target."""
        h = self.embed_prompts(ids, images, image_place)
        h = self.decode_rows(h, position, mask)
        logits = F.linear(h.reshape(-1, h.shape[-1])[rows], self.weight("decoder.embedding"))
        return -F.cross_entropy(logits, targets, reduction="none")

    # ---- generation ---------------------------------------------------------------------------

    @torch.no_grad()
    def prefill(self, pack, images, group, room):
        """Logits of each prompt's first token, and per layer the keys and values [B G, kv, L, D] of
        all prompts with room for their completions."""
        h = self.embed_prompts(pack.ids, images, pack.image_place)
        keys_values = []
        h = self.decode_rows(h, pack.position, None, keys_values)
        last = h.reshape(-1, h.shape[-1])[pack.rows]
        logits = F.linear(last, self.weight("decoder.embedding"))
        cache = []
        for k, v in keys_values:
            b, kv, t, d = k.shape
            pair = torch.zeros(2, b * group, kv, t + room, d)
            pair[0, :, :, :t] = k.repeat_interleave(group, 0)
            pair[1, :, :, :t] = v.repeat_interleave(group, 0)
            cache.append(pair)
        return logits, cache

    def decode_step(self, tokens, position, cache, at, mask):
        """Logits of the next token; the keys of this one go to place `at` of the cache."""
        c = self.c
        h = self.embed(tokens)[:, None]
        b = h.shape[0]
        cos, sin = self.cos[position][:, None, None], self.sin[position][:, None, None]
        for i in range(c["layers"]):
            q, k, v = self.project(h, f"decoder.{i}", cos, sin)
            keys, values = cache[i][0], cache[i][1]
            keys[:, :, at:at + 1] = k
            values[:, :, at:at + 1] = v
            q = q.reshape(b, c["kv_heads"], -1, c["head_size"])  # queries of one head together
            y = F.scaled_dot_product_attention(q, keys[:, :, :at + 1], values[:, :, :at + 1],
                                               attn_mask=mask[:, None, None, :at + 1])
            h = self.finish(h, y.reshape(b, 1, -1), f"decoder.{i}")
        return F.linear(self.norm(h, "decoder.norm")[:, 0], self.weight("decoder.embedding"))

    @torch.no_grad()
    def generate(self, prompts, pack, images, group, longest, end, uniforms, forced=None):
        """Tokens and their log p [B G, longest], and each completion's length. Samples by the
        inverse of the distribution function at `uniforms`, or takes the tokens of `forced`."""
        logits, cache = self.prefill(pack, images, group, longest)
        logits = logits.repeat_interleave(group, 0)
        prefix = torch.tensor([len(p) for p in prompts]).repeat_interleave(group)
        count, padded = len(prefix), pack.ids.shape[1]
        slot = torch.arange(padded + longest)
        mask = (slot[None] < prefix[:, None]) | (slot[None] >= padded)
        active = torch.arange(count)  # rows of the cache that belong to these completions
        running = torch.ones(count, dtype=torch.bool)
        tokens = torch.zeros(count, longest, dtype=torch.long)
        logp = torch.zeros(count, longest)
        lengths = torch.zeros(count, dtype=torch.long)
        for t in range(longest):
            log_p = F.log_softmax(logits, -1)
            if forced is not None:
                token = forced[active, t]
            else:
                sums = log_p.exp().cumsum(-1)
                at = uniforms[active, t:t + 1] * sums[:, -1:]
                token = torch.searchsorted(sums, at, right=True)[:, 0]
            tokens[active, t] = token
            logp[active, t] = log_p.gather(1, token[:, None])[:, 0]
            lengths[active] += running
            running &= token != end
            left = int(running.sum())
            if left == 0 or t + 1 == longest:
                break
            if 4 * left <= 3 * len(active):  # shrinking copies the cache: not for every completion
                active, token, mask = active[running], token[running], mask[running]
                cache = [pair[:, running] for pair in cache]
                running = running[running]
            logits = self.decode_step(token, prefix[active] + t, cache, padded + t, mask)
        return tokens, logp, lengths


def policy_loss(logp, old, advantages, clip=0.2):
    """Token mean of the clipped objective (PPO), advantages per token."""
    ratio = torch.exp(logp - old)
    return -torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages).mean()


def group_advantages(rewards, group):
    r = rewards.view(-1, group)
    return ((r - r.mean(1, keepdim=True)) / (r.std(1, keepdim=True) + 1e-4)).flatten()
