#!/usr/bin/env python3
"""Processor time of a step of SuperMerge over two tasks of published decoders' shapes, against PyTorch eager.

    PYTHON=path/of/a/python/with/torch,safetensors,transformers Benchmarks/run decoders

A step is a batch of each task, one thread; PyTorch's is transformers' forward pass and the backward pass of the loss of
the labels. Weights are random, and the tasks full fine-tunes. Ours is the difference between a merge of more steps and
one of fewer, so that reading, scoring and writing do not count. DECODERS names some of the shapes, LAYERS cuts them.
"""

import json
import os
import shutil
import statistics
import subprocess
import time

TASKS, BATCH, TOKENS, EXAMPLES = 2, 4, 64, 40
FEW, MANY = 2, 8
COMMON = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 0, "max_position_embeddings": 2048}
# The larger ones with half of their layers and less, so that four models of them lie in memory and on disk.
SHAPES = {
    "SmolLM2-135M": {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 576, "intermediate_size": 1536,
        "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152,
        "rope_theta": 100000.0, "tie_word_embeddings": True,
    },
    "Qwen3-0.6B": {
        "model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "hidden_size": 1024, "intermediate_size": 3072,
        "num_hidden_layers": 14, "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128,
        "vocab_size": 151936, "rope_theta": 1000000.0, "tie_word_embeddings": True,
    },
    "Gemma-3-1B": {
        "model_type": "gemma3_text", "architectures": ["Gemma3ForCausalLM"], "hidden_size": 1152,
        "intermediate_size": 6912, "num_hidden_layers": 12, "num_attention_heads": 4, "num_key_value_heads": 1,
        "head_dim": 256, "vocab_size": 262144, "sliding_window": 512, "query_pre_attn_scalar": 256,
    },
}


def make(directory, config):
    """The base, and full fine-tunes of it with examples of random tokens."""
    import torch
    import transformers
    from safetensors.torch import save_file

    torch.manual_seed(0)
    os.makedirs(f"{directory}/config")
    with open(f"{directory}/config/config.json", "w") as file:
        json.dump(COMMON | config, file)
    model = transformers.AutoModelForCausalLM.from_config(
        transformers.AutoConfig.from_pretrained(f"{directory}/config"), dtype=torch.float32)
    model.save_pretrained(f"{directory}/base")
    for task in range(TASKS):
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter), alpha=0.002)
        folder = f"{directory}/task{task}"
        model.save_pretrained(folder)
        ids = torch.randint(2, config["vocab_size"], (EXAMPLES, TOKENS))
        save_file(
            {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids.clone()},
            f"{folder}/validation.safetensors")
        with open(f"{folder}/task.yaml", "w") as file:
            file.write("objective: language-modeling\n")


def theirs(directory):
    """Processor seconds of a step; in a process of its own."""
    import torch
    import transformers

    torch.set_num_threads(1)
    model = transformers.AutoModelForCausalLM.from_pretrained(f"{directory}/base", dtype=torch.float32)
    ids = torch.randint(2, model.config.vocab_size, (BATCH, TOKENS))
    times = []
    for _ in range(MANY):
        start = time.process_time()
        for _ in range(TASKS):
            model.zero_grad(set_to_none=True)
            model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=ids, use_cache=False).loss.backward()
        times.append(time.process_time() - start)
    return statistics.median(times[FEW:])


def merged(program, directory, steps, flags):
    """Processor seconds of a merge of so many steps."""
    tasks = [item for task in range(TASKS) for item in ("--task", f"{directory}/task{task}")]
    command = [
        program,
        "merge",
        "--base",
        f"{directory}/base",
        *tasks,
        "--output",
        f"{directory}/output",
        "--steps",
        str(steps),
        "--batch",
        str(BATCH),
        "--evaluate-every",
        "1000000",
        "--start",
        "task-vectors",
        "--threads",
        "1",
        *flags,
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    shutil.rmtree(f"{directory}/output", ignore_errors=True)
    if status:
        raise SystemExit(f"decoders.py: {said.strip()[-500:]}")
    return usage.ru_utime + usage.ru_stime


def ours(program, directory, flags):
    return (merged(program, directory, MANY, flags) - merged(program, directory, FEW, flags)) / (MANY - FEW)


def measure(program, python, directory, name, rounds, layers=None):
    config = SHAPES[name] | ({"num_hidden_layers": layers} if layers else {})
    make(directory, config)
    script = f"import sys; sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r}); import decoders; "
    script += f"print(decoders.theirs({directory!r}))"
    paper, default, peer = [], [], []
    for _ in range(rounds):
        paper.append(ours(program, directory, ["--granularity", "tensor", "--loss", "labels", "--mixup", "0"]))
        out = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True).stdout
        peer.append(float(out.strip().splitlines()[-1]))
        default.append(ours(program, directory, []))
    return {
        "layers": config["num_hidden_layers"], "tasks": TASKS, "batch": BATCH, "tokens": TOKENS,
        "ours_seconds": statistics.median(paper), "pytorch_seconds": statistics.median(peer),
        "ratio": statistics.median(a / b for a, b in zip(paper, peer)),
        "default_ratio": statistics.median(a / b for a, b in zip(default, peer)),
    }
