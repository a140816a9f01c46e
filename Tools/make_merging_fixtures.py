#!/usr/bin/env python3
"""Makes Tests/MergingTests/Fixtures: a tiny ViT base (with weights beside its graph, and `whole` with
weights in it), two tasks with heads of their own, and ten steps of SuperMerge by PyTorch.

The reference is written the obvious way: theta_m = theta_p + sum_i tanh(w_ij) tau_ij as a graph that autograd goes through, and
torch.optim.Adam on w. `reference.json` holds, for each form, the ten losses and the coefficients after the first step and the last.
"""

import json
import math
import os
import shutil
import tempfile
import zipfile

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import load_file, save_file
from torch.func import functional_call

import export_model

OUT = os.path.join(os.path.dirname(__file__), "..", "Tests", "MergingTests", "Fixtures")
TASKS = {"letters": (3, 12, 1.0), "shapes": (5, 10, 2.0)}
STEPS, RATE, SCALE, TEMPERATURE = 10, 0.05, 0.3, 2.0


def model(classes):
    config = transformers.ViTConfig(
        hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, image_size=12, patch_size=4,
        num_labels=classes,
    )
    return transformers.ViTForImageClassification(config).eval()


def is_head(name):
    return name.startswith("classifier.")


def reference(base, tasks, granularity, loss_kind):
    layers = {n: p for n, p in base.items() if not is_head(n)}
    rows = {n: p.shape[0] if granularity == "row" and p.dim() > 1 else 1 for n, p in layers.items()}
    weights = {
        (t, n): torch.full((rows[n],), math.atanh(SCALE), dtype=torch.float64, requires_grad=True)
        for t in tasks for n in layers
    }
    optimizer = torch.optim.Adam(weights.values(), lr=RATE)
    total_weight = sum(w for _, _, w in TASKS.values())
    losses, after_first = [], None
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = 0.0
        for name, task in tasks.items():
            merged = {}
            for layer, origin in layers.items():
                value = origin
                for other, source in tasks.items():
                    c = torch.tanh(weights[other, layer]).float().view([-1] + [1] * (origin.dim() - 1))
                    value = value + (c if rows[layer] > 1 else c.view(())) * (source["state"][layer] - origin)
                merged[layer] = value
            merged |= {n: p for n, p in task["state"].items() if is_head(n)}
            logits = functional_call(task["model"], merged, (task["pixels"],)).logits
            labels = F.cross_entropy(logits, task["labels"])
            teacher = functional_call(task["model"], task["state"], (task["pixels"],)).logits.detach()
            distilled = F.kl_div(
                F.log_softmax(logits / TEMPERATURE, -1), F.log_softmax(teacher / TEMPERATURE, -1),
                reduction="batchmean", log_target=True,
            ) * TEMPERATURE**2
            value = {"labels": labels, "distillation": distilled, "both": (labels + distilled) / 2}[loss_kind]
            loss = loss + TASKS[name][2] / total_weight * value
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
        if step == 0:
            after_first = snapshot(weights, layers, tasks)
    return {"losses": losses, "first": after_first, "last": snapshot(weights, layers, tasks)}


def snapshot(weights, layers, tasks):
    return {n: [torch.tanh(weights[t, n]).tolist() for t in sorted(tasks)] for n in layers}


def write_whole():
    """`whole/graph.pt2`: the base's graph with weights of its own, as torch.export.save lays them, and a head of three classes."""
    os.makedirs(OUT + "/whole", exist_ok=True)
    state = load_file(OUT + "/letters/model.safetensors") | load_file(OUT + "/base/model.safetensors")
    with zipfile.ZipFile(OUT + "/base/graph.pt2") as source:
        with zipfile.ZipFile(OUT + "/whole/graph.pt2", "w", zipfile.ZIP_STORED) as target:
            for name in source.namelist():
                target.writestr(zipfile.ZipInfo(name), source.read(name))
                if not name.endswith("/model_weights_config.json"):
                    continue
                for parameter, entry in json.loads(source.read(name))["config"].items():
                    place = name.rsplit("/", 1)[0] + "/" + entry["path_name"]
                    target.writestr(zipfile.ZipInfo(place), state[parameter].contiguous().numpy().tobytes())


def main():
    torch.manual_seed(7)
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT + "/base")
    base_model = model(3)
    base = {n: p.detach().clone() for n, p in base_model.named_parameters()}
    with tempfile.TemporaryDirectory() as directory:
        base_model.save_pretrained(directory)
        export_model.export_directory(directory, OUT + "/base/graph.pt2")
    save_file({n: p for n, p in base.items() if not is_head(n)}, OUT + "/base/model.safetensors", {"format": "pt"})
    tasks = {}
    for name, (classes, count, _) in TASKS.items():
        tuned = model(classes)
        state = {n: p.detach().clone() for n, p in tuned.named_parameters()}
        for layer, origin in base.items():
            if not is_head(layer):
                state[layer] = origin + 0.2 * torch.randn_like(origin)
        state["classifier.weight"] = torch.randn_like(state["classifier.weight"])
        pixels, labels = torch.randn(count, 3, 12, 12), torch.randint(0, classes, (count,))
        os.makedirs(f"{OUT}/{name}")
        save_file(state, f"{OUT}/{name}/model.safetensors", {"format": "pt"})
        save_file({"pixel_values": pixels, "labels": labels.int()}, f"{OUT}/{name}/validation.safetensors")
        tasks[name] = {"model": tuned, "state": state, "pixels": pixels, "labels": labels}
    write_whole()
    forms = [("tensor", "labels"), ("row", "labels"), ("tensor", "distillation"), ("row", "both")]
    result = {f"{g}/{l}": reference(base, tasks, g, l) for g, l in forms}
    with open(OUT + "/reference.json", "w") as file:
        json.dump({"learning_rate": RATE, "scale": SCALE, "forms": result}, file)
        file.write("\n")


if __name__ == "__main__":
    main()
