#!/usr/bin/env python3
"""Makes Tests/MergingTests/Fixtures: a tiny ViT base (with weights beside its graph, and `whole` with weights in it), two
tasks with heads of their own, and ten steps of SuperMerge and of AdaMerging by PyTorch; and a model without a graph, merged by
TIES.

The reference is written the obvious way: theta_m = theta_p + sum_i tanh(w_ij) tau_ij (AdaMerging and `clamp`: clamp(w_ij, 0, 1);
`none`: w_ij) as a graph that autograd goes through, and torch.optim.Adam on w. `reference.json` holds, for each form, the ten losses and the coefficients
after the first step and the last; of AdaMerging, which starts lower, also the gradient of the first step. `ties/merged.safetensors` holds
`DENSITY/SCALE/TENSOR` and each task's `DENSITY/thresholds`, `ties/matrices.safetensors` the methods that decompose matrices.
"""

import json
import math
import os
import shutil
import tempfile
import zipfile

import numpy as np
import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import load_file, save_file
from torch.func import functional_call

import export_model

OUT = os.path.join(os.path.dirname(__file__), "..", "Tests", "MergingTests", "Fixtures")
TASKS = {"letters": (3, 12, 1.0), "shapes": (5, 10, 2.0)}
STEPS, RATE, SCALE, LOW_SCALE, TEMPERATURE = 10, 0.05, 0.3, 0.1, 2.0
DENSITIES, SCALES = ("1.0", "0.5", "0.2", "1e-06"), ("1.0", "0.7")


def model(classes):
    config = transformers.ViTConfig(
        hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, image_size=12, patch_size=4,
        num_labels=classes,
    )
    return transformers.ViTForImageClassification(config).eval()


def is_head(name):
    return name.startswith("classifier.")


# What becomes of a row's weight, its inverse, and what becomes of a column's, whose gain is one more.
SQUASHES = {
    "tanh": (torch.tanh, math.atanh, torch.tanh),
    "clamp": (lambda w: w.clamp(0, 1), float, lambda w: w.clamp(-1, 1)),
    "none": (lambda w: w, float, lambda w: w),
}


def reference(base, tasks, granularity, loss_kind, squash_name="tanh", schedule="constant"):
    layers = {n: p for n, p in base.items() if not is_head(n)}
    by_row = granularity.startswith("row")
    rows = {n: p.shape[0] if by_row and p.dim() > 1 else 1 for n, p in layers.items()}
    if granularity == "element":
        rows = {n: p.numel() for n, p in layers.items()}
    columns = {n: p[0].numel() if granularity == "row-column" and rows[n] > 1 else 0 for n, p in layers.items()}
    squash, inverse, shift = SQUASHES["clamp" if loss_kind == "entropy" else squash_name]
    start = inverse(LOW_SCALE if loss_kind == "entropy" else SCALE)
    weights = {
        (t, n): torch.full((rows[n],), start, dtype=torch.float64, requires_grad=True) for t in tasks for n in layers
    }
    gains = {
        (t, n): torch.zeros(columns[n], dtype=torch.float64, requires_grad=True) for t in tasks for n in layers if columns[n]
    }
    optimizer = torch.optim.Adam([*weights.values(), *gains.values()], lr=RATE)
    total_weight = sum(w for _, _, w in TASKS.values())
    losses, after_first, gradient = [], None, None
    for step in range(STEPS):
        if schedule == "falling":
            optimizer.param_groups[0]["lr"] = RATE * (1 - step / STEPS)
        optimizer.zero_grad()
        loss = 0.0
        for name, task in tasks.items():
            merged = {}
            for layer, origin in layers.items():
                value = origin
                for other, source in tasks.items():
                    tau = (source["state"][layer] - origin).reshape(rows[layer], -1)
                    change = squash(weights[other, layer]).float().view(-1, 1) * tau
                    if columns[layer]:
                        change = change * (1 + shift(gains[other, layer])).float()
                    value = value + change.view(origin.shape)
                merged[layer] = value
            merged |= {n: p for n, p in task["state"].items() if is_head(n)}
            logits = functional_call(task["model"], merged, (task["pixels"],)).logits
            labels = F.cross_entropy(logits, task["labels"])
            teacher = functional_call(task["model"], task["state"], (task["pixels"],)).logits.detach()
            distilled = F.kl_div(
                F.log_softmax(logits / TEMPERATURE, -1), F.log_softmax(teacher / TEMPERATURE, -1),
                reduction="batchmean", log_target=True,
            ) * TEMPERATURE**2
            entropy = -(F.softmax(logits, -1) * F.log_softmax(logits, -1)).sum(-1).mean()
            value = {
                "labels": labels, "distillation": distilled, "both": (labels + distilled) / 2, "entropy": entropy,
            }[loss_kind]
            loss = loss + TASKS[name][2] / total_weight * value
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
        if step == 0:
            after_first = by_layer(weights, layers, tasks, squash)
            gradient = by_layer(weights, layers, tasks, lambda w: w.grad)
    result = {"losses": losses, "first": after_first, "last": by_layer(weights, layers, tasks, squash)}
    if gains:
        gated = [n for n in layers if columns[n]]
        result["gains"] = by_layer(gains, gated, tasks, lambda w: 1 + shift(w))
    return result | ({"gradient": gradient} if loss_kind == "entropy" else {})


def by_layer(weights, layers, tasks, value):
    return {n: [value(weights[t, n]).tolist() for t in sorted(tasks)] for n in layers}


def ties():
    """TIES-Merging, algorithm 1, over whole task vectors: many magnitudes are equal, and some sums of kept elements are 0."""
    generator = torch.Generator().manual_seed(11)
    shapes = {"even": (24, 17), "half": (16, 9), "odd": (67,), "scalar": ()}

    def numbers(name, steps):
        if name == "odd":
            return torch.randn(shapes[name], generator=generator)
        values = torch.randint(-steps, steps + 1, shapes[name], generator=generator) / 16
        return values.bfloat16() if name == "half" else values

    base = {n: numbers(n, 40) for n in shapes}
    tasks = []
    for _ in range(3):
        moved = {n: numbers(n, 4) for n in shapes}
        tasks.append({n: base[n] + moved[n] for n in shapes})
    os.makedirs(OUT + "/ties")
    save_file(base, OUT + "/ties/base.safetensors")
    for name, task in zip(("one", "three", "two"), tasks):
        save_file(task, f"{OUT}/ties/{name}.safetensors")
    vectors = [{n: task[n].float() - base[n].float() for n in shapes} for task in tasks]
    merged = {}
    for density in DENSITIES:
        thresholds = []
        for vector in vectors:
            magnitudes = torch.cat([v.flatten() for v in vector.values()]).abs()
            rank = len(magnitudes) - int(len(magnitudes) * float(density))
            thresholds.append(torch.kthvalue(magnitudes, rank).values if rank else torch.tensor(0.0))
        merged[f"{density}/thresholds"] = torch.stack(thresholds)
        for name in shapes:
            kept = [torch.where(v[name].abs() >= t, v[name], 0.0) for v, t in zip(vectors, thresholds)]
            sign = (kept[0] + kept[1] + kept[2]).sign()
            agreeing = [torch.where((k.sign() == sign) & (sign != 0), k, 0.0) for k in kept]
            count = sum((a != 0).float() for a in agreeing)
            mean = (agreeing[0] + agreeing[1] + agreeing[2]) / count.clamp(min=1)
            for scale in SCALES:
                value = base[name].float() + float(scale) * mean
                merged[f"{density}/{scale}/{name}"] = value.to(base[name].dtype)
    save_file(merged, OUT + "/ties/merged.safetensors")


def matrices():
    """`ties/matrices.safetensors`: TSV-M, Iso-C and Iso-CTS of the same model as NumPy has them, `METHOD/TENSOR`, with λ 1."""
    base = {n: v.double().numpy() for n, v in load_file(OUT + "/ties/base.safetensors").items()}
    tasks = [
        {n: v.double().numpy() for n, v in load_file(f"{OUT}/ties/{t}.safetensors").items()}
        for t in ("one", "three", "two")
    ]

    def svd(matrix):
        return np.linalg.svd(matrix, full_matrices=False)

    def polar(matrix):
        u, _, v = svd(matrix)
        return u @ v

    def tsv_m(taus):
        kept = min(taus[0].shape) // len(taus)
        parts = [svd(tau) for tau in taus]
        u = np.concatenate([u[:, :kept] for u, _, _ in parts], 1)
        s = np.concatenate([s[:kept] for _, s, _ in parts])
        v = np.concatenate([v[:kept] for _, _, v in parts])
        return polar(u) @ np.diag(s) @ polar(v)

    def iso_c(taus):
        u, s, v = svd(sum(taus))
        return s.mean() * u @ v

    def iso_cts(taus):
        u, s, v = svd(sum(taus))
        own = round((len(s) - int(0.8 * len(s))) / len(taus))
        common = len(s) - own * len(taus)
        us, ss, vs = [u[:, :common]], [s[:common]], [v[:common]]
        for tau in taus:
            tu, ts, tv = svd(tau - us[0] @ us[0].T @ tau)
            us.append(tu[:, :own])
            ss.append(ts[:own])
            vs.append(tv[:own])
        return np.concatenate(ss).mean() * polar(np.concatenate(us, 1)) @ polar(np.concatenate(vs))

    merged = {}
    for method, combine in (("tsv-m", tsv_m), ("iso-c", iso_c), ("iso-cts", iso_cts)):
        for name, origin in base.items():
            taus = [task[name] - origin for task in tasks]
            change = combine(taus) if origin.ndim == 2 else sum(taus) / len(taus)
            merged[f"{method}/{name}"] = torch.from_numpy(np.asarray(origin + change)).float()
    save_file(merged, OUT + "/ties/matrices.safetensors")


def layerwise():
    """`layerwise.safetensors`: RegMean, RegMean++ and LOT with λ 1.3 over all examples of the two tasks,
    `METHOD/TENSOR`, the obvious way: the model so far runs from the start for every layer."""
    origin = load_file(OUT + "/base/model.safetensors")
    tasks = []
    for name, (classes, _, _) in sorted(TASKS.items()):
        state = load_file(f"{OUT}/{name}/model.safetensors")
        tuned = model(classes)
        tuned.load_state_dict(state)
        tasks.append((tuned, state, load_file(f"{OUT}/{name}/validation.safetensors")["pixel_values"]))
    linear = [n for n, m in tasks[0][0].named_modules() if isinstance(m, torch.nn.Linear) and not is_head(n + ".")]
    result = {}
    for method, share in (("regmean", 0.9), ("regmean++", 0.95)):
        merged = {n: sum(state[n].double() for _, state, _ in tasks) / len(tasks) for n in origin}
        for layer in linear:
            left = right = 0
            for tuned, state, pixels in tasks:
                own = {n: p.float() for n, p in merged.items()} if method == "regmean++" else {}
                seen = []
                hook = tuned.get_submodule(layer).register_forward_pre_hook(lambda _, given: seen.append(given[0]))
                with torch.no_grad():
                    functional_call(tuned, state | own, (pixels,))
                hook.remove()
                inputs = seen[0].double().flatten(0, -2)
                gram = inputs.T @ inputs / len(inputs)
                gram = share * gram + (1 - share) * torch.diag(gram.diag())
                left, right = left + gram, right + gram @ state[layer + ".weight"].double().T
            merged[layer + ".weight"] = torch.linalg.solve(left, right).T
        result |= {f"{method}/{n}": p.float().contiguous() for n, p in merged.items()}
    save_file(result | lot(origin, tasks, linear), OUT + "/layerwise.safetensors")


def lot(origin, tasks, linear, scale=1.3):
    norms = [n for n, m in tasks[0][0].named_modules() if isinstance(m, torch.nn.LayerNorm)]
    vectors = {n: [state[n].double() - p.double() for _, state, _ in tasks] for n, p in origin.items()}
    merged = {n: sum(own) / len(own) for n, own in vectors.items()}
    for layer in linear + norms:
        left = right = 0
        for (tuned, _, pixels), vector in zip(tasks, vectors[layer + ".weight"]):
            seen = []
            module = tuned.get_submodule(layer)
            hook = module.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
            with torch.no_grad():
                tuned(pixels)
            hook.remove()
            inputs = seen[0].double().flatten(0, -2)
            if layer in linear:
                left, right = left + inputs.T @ inputs, right + inputs.T @ inputs @ vector.T
            else:
                squares = F.layer_norm(inputs, module.normalized_shape, eps=module.eps).square().sum(0)
                left, right = left + squares, right + squares * vector
        merged[layer + ".weight"] = (torch.linalg.pinv(left) @ right).T if layer in linear else right / left
    return {f"lot/{n}": (origin[n].double() + scale * change).float().contiguous() for n, change in merged.items()}


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
    forms += [("tensor", "entropy"), ("row", "entropy"), ("row-column", "distillation"), ("element", "labels")]
    forms += [("row-column", "distillation", "clamp"), ("row-column", "distillation", "none"), ("tensor", "labels", "clamp")]
    forms += [("row-column", "distillation", "tanh", "falling")]
    result = {"/".join(form): reference(base, tasks, *form) for form in forms}
    with open(OUT + "/reference.json", "w") as file:
        json.dump({"learning_rate": RATE, "scale": SCALE, "forms": result}, file)
        file.write("\n")
    ties()
    matrices()
    layerwise()


if __name__ == "__main__":
    main()
