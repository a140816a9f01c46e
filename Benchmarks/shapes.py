"""Writes folders in the shape of a published language model with random bfloat16 weights, and LoRA tasks for it.

    python3 Benchmarks/shapes.py FOLDER [--shape llama-1b|llama-8b|tiny] [--layers N] [--tasks N] [--examples N] [--tokens N]

Writes FOLDER/base and FOLDER/tasks/task0 … with validation examples. Tensors are written one at a time: the script needs
the memory of the largest. Needs torch and numpy, and nothing of the network.
"""

import argparse
import json
import math
import os
import struct

import numpy
import torch

GENERATOR = numpy.random.default_rng(0)
SHAPES = {
    "llama-1b": {
        "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32,
        "num_key_value_heads": 8, "head_dim": 64, "vocab_size": 128256, "tie_word_embeddings": True,
    },
    "llama-8b": {
        "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
        "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 128256, "tie_word_embeddings": False,
    },
    "tiny": {
        "hidden_size": 64, "intermediate_size": 256, "num_hidden_layers": 3, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 512, "tie_word_embeddings": True,
    },
}
COMMON = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "rms_norm_eps": 1e-5,
    "rope_theta": 500000.0, "max_position_embeddings": 8192, "attention_bias": False, "mlp_bias": False,
    "attention_dropout": 0.0, "initializer_range": 0.02, "bos_token_id": 0, "eos_token_id": 1, "pretraining_tp": 1,
    "use_cache": True, "dtype": "bfloat16",
}
RANK = 8
NAMES = {torch.bfloat16: "BF16", torch.float32: "F32", torch.int64: "I64"}


def write(path, tensors):
    """A safetensors file of (name, shape, dtype, make), each made and written in turn."""
    header, start = {"__metadata__": {"format": "pt"}}, 0
    for name, shape, dtype, _ in tensors:
        end = start + math.prod(shape) * dtype.itemsize
        header[name] = {"dtype": NAMES[dtype], "shape": list(shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, shape, dtype, make in tensors:
            file.write(make(shape).to(dtype).contiguous().view(torch.uint8).numpy().data)


def noise(deviation):
    """Uniform numbers of 8 bits: a billion of them take seconds."""
    def make(shape):
        bytes = torch.from_numpy(GENERATOR.integers(-127, 128, shape, dtype=numpy.int8))
        return bytes.to(torch.bfloat16).mul_(deviation / 73.3)
    return make


def parameters(config):
    """Names and shapes of the model's matrices and norms."""
    width, inner, head = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    queries, keys = config["num_attention_heads"] * head, config["num_key_value_heads"] * head
    yield "model.embed_tokens.weight", (config["vocab_size"], width)
    for layer in range(config["num_hidden_layers"]):
        place = f"model.layers.{layer}"
        yield f"{place}.self_attn.q_proj.weight", (queries, width)
        yield f"{place}.self_attn.k_proj.weight", (keys, width)
        yield f"{place}.self_attn.v_proj.weight", (keys, width)
        yield f"{place}.self_attn.o_proj.weight", (width, queries)
        yield f"{place}.mlp.gate_proj.weight", (inner, width)
        yield f"{place}.mlp.up_proj.weight", (inner, width)
        yield f"{place}.mlp.down_proj.weight", (width, inner)
        yield f"{place}.input_layernorm.weight", (width,)
        yield f"{place}.post_attention_layernorm.weight", (width,)
    yield "model.norm.weight", (width,)
    if not config["tie_word_embeddings"]:
        yield "lm_head.weight", (config["vocab_size"], width)


def make_base(directory, config):
    os.makedirs(directory)
    with open(f"{directory}/config.json", "w") as file:
        json.dump(config, file, indent=2)
    deviation = 1 / math.sqrt(config["hidden_size"])
    write(f"{directory}/model.safetensors", [
        (name, shape, torch.bfloat16, torch.ones if len(shape) == 1 else noise(deviation))
        for name, shape in parameters(config)
    ])


def make_task(directory, config, examples, tokens):
    """LoRA on queries and values, and examples of random tokens."""
    os.makedirs(directory)
    adapted = [(n, s) for n, s in parameters(config) if n.endswith(("q_proj.weight", "v_proj.weight"))]
    factors = []
    for name, (rows, columns) in adapted:
        place = "base_model.model." + name.removesuffix(".weight")
        factors.append((f"{place}.lora_A.weight", (RANK, columns), torch.float32, noise(1 / math.sqrt(columns))))
        factors.append((f"{place}.lora_B.weight", (rows, RANK), torch.float32, noise(0.1)))
    write(f"{directory}/adapter_model.safetensors", factors)
    with open(f"{directory}/adapter_config.json", "w") as file:
        json.dump({
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": 2 * RANK, "lora_dropout": 0.0,
            "target_modules": ["q_proj", "v_proj"], "bias": "none", "fan_in_fan_out": False,
            "base_model_name_or_path": "base",
        }, file, indent=2)
    ids = torch.randint(2, config["vocab_size"], (examples, tokens))
    write(f"{directory}/validation.safetensors", [
        ("attention_mask", ids.shape, torch.int64, torch.ones), ("input_ids", ids.shape, torch.int64, lambda _: ids),
        ("labels", ids.shape, torch.int64, lambda _: ids),
    ])
    with open(f"{directory}/task.yaml", "w") as file:
        file.write("objective: language-modeling\nmetric: perplexity\n")


def make(directory, shape="llama-1b", layers=None, tasks=4, examples=32, tokens=128):
    torch.manual_seed(0)
    config = COMMON | SHAPES[shape]
    if layers:
        config["num_hidden_layers"] = layers
    make_base(f"{directory}/base", config)
    for task in range(tasks):
        make_task(f"{directory}/tasks/task{task}", config, examples, tokens)
    return config


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--shape", choices=SHAPES, default="llama-1b")
    parser.add_argument("--layers", type=int, help="instead of the shape's own number")
    parser.add_argument("--tasks", type=int, default=4)
    parser.add_argument("--examples", type=int, default=32, help="of each task (default: %(default)s)")
    parser.add_argument("--tokens", type=int, default=128, help="of each example (default: %(default)s)")
    options = parser.parse_args()
    make(options.folder, options.shape, options.layers, options.tasks, options.examples, options.tokens)
