"""The cost of a SuperMerge step over k tasks against PyTorch eager's forward and backward passes of the same batches."""

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import zipfile

BATCH = 16
STEPS = 12
WARM_UP = 2
PAPER = {"granularity": "tensor", "loss": "labels", "mixup": 0}
DEFAULT = {"granularity": "row-column", "loss": "distillation", "mixup": 8}


def plan(zoo, names, full, directory, form):
    def task(name):
        return {
            "name": name, "directory": f"{full}/{name}", "files": [], "digest": name,
            "settings": {"objective": "classification", "head": [], "weight": 1},
        }

    settings = {
        "method": "supermerge", "strategy": "joint", "steps": STEPS,
        "learning_rate": 0.01, "batch": BATCH, "evaluate_every": 1_000_000, "patience": 5, "scale": 0.3,
        "holdout": 0.25, "seed": 0, "threads": os.cpu_count(), "device": "cpu", "precision": "f32", "memory": 8 << 30,
    } | form
    for folder in ("output", "scratch"):
        os.makedirs(f"{directory}/{folder}")
    return {
        "merge": "bench", "base": {"directory": zoo, "files": [], "digest": "base"},
        "tasks": [task(name) for name in names], "settings": settings,
        "output": f"{directory}/output", "scratch": f"{directory}/scratch",
    }


def ours(program, base, names, full, form=PAPER):
    """Seconds of each step of a form of SuperMerge, by the worker's own progress lines."""
    directory = tempfile.mkdtemp()
    try:
        worker = subprocess.Popen([program, "worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        worker.stdin.write(json.dumps(plan(base, names, full, directory, form)).encode())
        worker.stdin.close()
        times = []
        for line in worker.stdout:
            event = json.loads(line)
            if event["event"] == "failed":
                raise SystemExit(event["message"])
            if event["event"] == "progress" and event["phase"] == "fitting":
                times.append(time.perf_counter())
        worker.wait()
        steps = [b - a for a, b in zip(times, times[1:])]
        return steps[WARM_UP:]
    finally:
        shutil.rmtree(directory)


def with_weights(base, path):
    """The graph as an archive that torch.export can load: the weights' bytes put where its index says."""
    import torch
    from safetensors.torch import load_file

    weights = load_file(f"{base}/model.safetensors")
    types = {7: torch.float32}
    with zipfile.ZipFile(f"{base}/graph.pt2") as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
        index_name = next(n for n in source.namelist() if n.endswith("model_weights_config.json"))
        index = json.loads(source.read(index_name))["config"]
        present = set(source.namelist())
        for name, entry in index.items():
            member = f"{os.path.dirname(index_name)}/{entry['path_name']}"
            if member in present:
                continue
            present.add(member)
            shape = [size["as_int"] for size in entry["tensor_meta"]["sizes"]]
            tensor = weights.get(name)
            if tensor is None:
                tensor = 0.02 * torch.randn(shape, dtype=types[entry["tensor_meta"]["dtype"]])
            target.writestr(member, tensor.contiguous().numpy().tobytes())


def theirs(base, names, full):
    """Seconds of PyTorch eager for one forward and backward pass of a batch of every task; in a process of its own."""
    import torch
    import torch.nn.functional as F
    from safetensors.torch import load_file

    torch.set_num_threads(os.cpu_count())
    with tempfile.TemporaryDirectory() as directory:
        with_weights(base, f"{directory}/graph.pt2")
        program = torch.export.load(f"{directory}/graph.pt2")
    model, order = program.module(), program.graph_signature.user_inputs
    positional = not program.call_spec.in_spec.child(1).num_children
    sets = [load_file(f"{full}/{name}/validation.safetensors") for name in names]
    parameters = [p for p in model.parameters() if p.requires_grad]
    times = []
    for step in range(STEPS):
        start = time.perf_counter()
        for data in sets:
            rows = torch.arange(step * BATCH, (step + 1) * BATCH) % len(data["labels"])
            inputs = {
                n: (t[rows].float() if t.is_floating_point() else t[rows].long()) for n, t in data.items() if n != "labels"
            }
            if "attention_mask" in inputs:  # as long as the longest example, as a data collator pads
                longest = int(inputs["attention_mask"].sum(1).max())
                inputs = {n: t[:, :longest] for n, t in inputs.items()}
            logits = model(*[inputs[n] for n in order]) if positional else model(**inputs)
            loss = F.cross_entropy(logits, data["labels"][rows].long() % logits.shape[-1])
            for parameter in parameters:
                parameter.grad = None
            loss.backward()
        times.append(time.perf_counter() - start)
    return times[WARM_UP:]


def measure(program, python, base, names, full, rounds):
    """Rounds of ours and theirs in turn; medians and the ratio of each round."""
    script = f"import json,sys; sys.path.insert(0, {os.path.dirname(os.path.abspath(__file__))!r}); import step; "
    script += f"print(json.dumps(step.theirs({base!r}, {names!r}, {full!r})))"
    # Ours sets this by itself; without it the peer's spinning threads are slower wherever another process wants a core.
    environment = os.environ | {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "4000"}
    mine, peer, ratios, defaults = [], [], [], []
    for _ in range(rounds):
        a = statistics.median(ours(program, base, names, full))
        out = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True, env=environment).stdout
        b = statistics.median(json.loads(out.strip().splitlines()[-1]))
        mine.append(a)
        peer.append(b)
        ratios.append(a / b)
        defaults.append(statistics.median(ours(program, base, names, full, DEFAULT)) / b)
    return {
        "ours_seconds": statistics.median(mine), "pytorch_seconds": statistics.median(peer),
        "ratio": statistics.median(ratios), "ratios": ratios, "default_ratio": statistics.median(defaults),
        "tasks": len(names), "batch": BATCH,
    }
