"""Task arithmetic over four bf16 Llama checkpoints of 221 M parameters, whole processes in turn: ours and mergekit's."""

import json
import os
import shutil
import statistics
import subprocess
import time

TASKS = 4


def make_models(directory, layers=12):
    """A base and four fine-tunes that differ from it by noise; each in a folder that transformers could load."""
    import torch
    import transformers

    config = transformers.LlamaConfig(
        vocab_size=32000, hidden_size=1024, intermediate_size=2850, num_hidden_layers=layers, num_attention_heads=16,
        num_key_value_heads=16, max_position_embeddings=2048, tie_word_embeddings=False, torch_dtype="bfloat16",
    )
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(f"{directory}/base")
    origin = {n: p.detach().clone() for n, p in model.named_parameters()}
    for task in range(TASKS):
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.copy_(origin[name] + 0.01 * torch.randn_like(origin[name]))
        model.save_pretrained(f"{directory}/task{task}")
    return sum(p.numel() for p in model.parameters())


def timed(command):
    """Seconds and peak resident bytes of a whole process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} failed: {' '.join(command)}")
    return time.perf_counter() - start, usage.ru_maxrss * 1024


def elsewhere(python, call, module="static"):
    """The value of a call of a module of this folder in a process of its own: a child's peak memory would begin at its parent's."""
    script = f"import json, sys; sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r}); import {module}; "
    script += f"print(json.dumps({module}.{call}))"
    out = subprocess.run([python, "-c", script], stdout=subprocess.PIPE, text=True, check=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def measure(program, python, directory, rounds):
    parameters = elsewhere(python, f"make_models({directory!r})")
    models = "".join(
        f"  - model: {directory}/task{i}\n    parameters: {{weight: 0.3}}\n" for i in range(TASKS)
    )
    with open(f"{directory}/recipe.yaml", "w") as file:
        file.write(
            f"merge_method: task_arithmetic\nbase_model: {directory}/base\ndtype: bfloat16\nmodels:\n{models}"
        )
    mine = [program, "merge", "--base", f"{directory}/base", "--method", "task-arithmetic", "--scale", "0.3"]
    for i in range(TASKS):
        mine += ["--task", f"{directory}/task{i}"]
    mine += ["--output", f"{directory}/ours"]
    mergekit = os.path.join(os.path.dirname(python), "mergekit-yaml")
    peer = [mergekit, f"{directory}/recipe.yaml", f"{directory}/theirs"]
    a, b = [], []
    for _ in range(rounds + 1):
        shutil.rmtree(f"{directory}/ours", ignore_errors=True)
        a.append(timed(mine))
        shutil.rmtree(f"{directory}/theirs", ignore_errors=True)
        b.append(timed(peer))
    a, b = a[1:], b[1:]
    return {
        "parameters": parameters, "tasks": TASKS, "rounds": rounds,
        "ours_seconds": statistics.median(s for s, _ in a), "ours_peak": statistics.median(m for _, m in a),
        "mergekit_seconds": statistics.median(s for s, _ in b), "mergekit_peak": statistics.median(m for _, m in b),
        "speed_up": statistics.median(y[0] / x[0] for x, y in zip(a, b)),
        "memory_ratio": statistics.median(x[1] / y[1] for x, y in zip(a, b)),
        "largest_difference": elsewhere(python, f"difference({directory + '/ours'!r}, {directory + '/theirs'!r})"),
    }


def difference(ours, theirs):
    """Largest absolute difference between the two merged models: both must have done the same work."""
    from safetensors.torch import load_file

    a = load_file(f"{ours}/model.safetensors")
    b = {}
    for name in os.listdir(theirs):
        if name.endswith(".safetensors"):
            b |= load_file(f"{theirs}/{name}")
    return max((a[n].float() - b[n].float()).abs().max().item() for n in a if n in b)
