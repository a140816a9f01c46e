"""Trials of what might be added to SuperMerge's default form, in PyTorch and on the zoo's vision tasks: each merges as
`supermerge merge` does, but for what it tries, and is scored on the test sets. One JSON object a line.

    trials.py ZOO --trial penalty=0.3 --trial sam=1,steps=300 [--seed 0 --seed 1]

Keys of a trial (all absent: the default form):
    steps      steps at most (600); a look every 10, the best look counts, 10 looks without a better one end the fit
    form       row-column (default), tensor, or component: a coefficient for every singular component instead of rows
    normalise  start: each task's loss divided by its loss at the first weights; entropy: by its teacher's mean entropy
    penalty    X: X times the mean over tasks and tensors of mean (c - c0)^2 + mean (g - 1)^2 is added to the loss
    sam        radius of sharpness-aware steps on W (Foret et al., arXiv 2010.01412): two gradients a step
    ties       density: task vectors trimmed to it, without what disagrees with the elected sign (arXiv 2306.01708)
    svc        α: task vectors whose shared singular directions are divided by how often they are counted, at least α (SVC,
               arXiv 2602.05536, on the left singular vectors of the task vectors' sum)
    layers     X: X times the mean over the linear layers of ‖h − h_own‖² / ‖h_own‖² of their outputs is added to the loss: the
               activations that ProDistill (arXiv 2502.12706) distils, of all layers at once
    lbfgs      N iterations of L-BFGS with a line search over all examples at once, without mixtures, instead of Adam's steps
    start      first coefficient (0.3)
    mask       1: singular components are masked by learned bits, straight through (AdaRank)
"""

import argparse
import json
import math
import os
import sys
import tempfile
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch.func import functional_call

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from step import with_weights  # noqa: E402

TASKS = ["mnist", "fashion_mnist", "gtsrb", "fer2013_clean"]
BATCH, MIXTURES, TEMPERATURE, HOLDOUT, RATE = 16, 8, 2, 0.25, 0.03


class Zoo:
    """The model, the base's trunk, the tasks' vectors and heads, and the examples."""

    def __init__(self, folder):
        with tempfile.NamedTemporaryFile(suffix=".pt2") as archive:
            with_weights(f"{folder}/base", archive.name)
            self.model = torch.export.load(archive.name).module(check_guards=False)
        self.inner = False
        base = load_file(f"{folder}/base/model.safetensors")
        tuned = [load_file(f"{folder}/tasks/{name}/model.safetensors") for name in TASKS]
        names = [name for name, _ in self.model.named_parameters()]
        self.heads = [{n: t[n].float() for n in names if n.startswith("classifier")} for t in tuned]
        self.base = {n: base[n].float() for n in names if not n.startswith("classifier")}
        self.vectors = [{n: t[n].float() - v for n, v in self.base.items()} for t in tuned]
        self.fitted = [load_file(f"{folder}/tasks/{name}/validation.safetensors") for name in TASKS]
        self.test = [load_file(f"{folder}/test/{name}.safetensors") for name in TASKS]

    def watched(self):
        """Makes every forward pass give the outputs of the linear layers, too."""
        graph = self.model.graph
        linear = [n for n in graph.nodes if n.op == "call_function" and "linear" in str(n.target)][:-1]
        output = next(n for n in graph.nodes if n.op == "output")
        logits = output.args[0][0] if isinstance(output.args[0], (tuple, list)) else output.args[0]
        output.args = ((logits, *linear),)
        graph.set_codegen(torch.fx.graph.CodeGen())
        self.model.recompile()
        self.inner = True

    def outputs(self, trunk, task, x):
        """Logits, and the outputs of the linear layers where they are watched."""
        found = functional_call(self.model, {**trunk, **self.heads[task]}, (x,))
        return (found[0], found[1:]) if self.inner else (found, ())

    @staticmethod
    def examples(data):
        return next(v for n, v in data.items() if n != "labels").float(), data["labels"].long()

    def forward(self, trunk, task, x):
        return self.outputs(trunk, task, x)[0]

    def accuracy(self, trunk, task):
        x, y = self.examples(self.test[task])
        with torch.no_grad():
            right = sum((self.forward(trunk, task, a).argmax(-1) == b).sum().item()
                        for a, b in zip(x.split(250), y.split(250)))
        return 100 * right / len(y)


def elected(vectors, density):
    """Task vectors trimmed to their largest elements, without those that disagree with the sign of the sum."""
    flat = [torch.cat([v.flatten() for v in task.values()]) for task in vectors]
    for v in flat:
        v[v.abs() < v.abs().kthvalue(max(1, len(v) - int(density * len(v)))).values] = 0
    sign = sum(flat).sign()
    parts = [(v * (v.sign() == sign)).split([t.numel() for t in vectors[0].values()]) for v in flat]
    return [{n: p.view_as(t) for (n, t), p in zip(task.items(), part)} for task, part in zip(vectors, parts)]


def calibrated(vectors, least):
    """Task vectors with the singular directions that several of them share scaled down to one's share."""
    found = [dict(task) for task in vectors]
    for n, t in vectors[0].items():
        if t.dim() < 2:
            continue
        tasks = torch.stack([task[n].flatten(1) for task in vectors])
        total = tasks.sum(0)
        u = torch.linalg.svd(total, full_matrices=False)[0]
        whole, parts = u.T @ total, u.T @ tasks
        counted = (whole * parts).sum(-1) / parts.square().sum(-1).clamp_min(1e-12)
        scale = 1 / counted.clamp_min(least).mean(0)
        for task, part in zip(found, parts):
            task[n] = task[n] + (u @ ((scale - 1)[:, None] * part)).view_as(task[n])
    return found


class Form:
    """Weights, and the merged trunk that they give; `trial` says of what form."""

    def __init__(self, zoo, trial):
        self.base, self.form, self.masked = zoo.base, trial.get("form", "row-column"), bool(trial.get("mask"))
        self.vectors = zoo.vectors
        if "ties" in trial:
            self.vectors = elected(zoo.vectors, trial["ties"])
        if "svc" in trial:
            self.vectors = calibrated(self.vectors, trial["svc"])
        self.start = trial.get("start", 0.3)
        self.parts, self.components = [], {}
        self.weights = {}
        for i, task in enumerate(self.vectors):
            for n, t in task.items():
                first = torch.full((1,) * t.dim(), math.atanh(self.start))
                rows, columns, mask = first, None, None
                if t.dim() > 1 and self.form == "row-column":
                    rows = first.expand(t.shape[0], *first.shape[1:]).clone()
                    columns = torch.zeros(1, t.shape[1], *first.shape[2:])
                if t.dim() > 1 and (self.masked or self.form == "component"):
                    u, s, v = torch.linalg.svd(t.flatten(1), full_matrices=False)
                    self.components[i, n] = u * s, v
                    if self.masked:
                        mask = torch.full_like(s, 0.5)
                    if self.form == "component":
                        rows = torch.full_like(s, math.atanh(self.start))
                self.weights[i, n] = [w.requires_grad_() if w is not None else None for w in (rows, columns, mask)]

    def all(self):
        return [w for ws in self.weights.values() for w in ws if w is not None]

    def merged(self):
        trunk = {}
        for n, origin in self.base.items():
            value = origin
            for i, task in enumerate(self.vectors):
                rows, columns, mask = self.weights[i, n]
                tau, c = task[n], torch.tanh(rows)
                if (i, n) in self.components:
                    us, v = self.components[i, n]
                    scale = 1
                    if mask is not None:
                        scale = (mask > 0).float() + mask - mask.detach()
                    if self.form == "component":
                        scale, c = scale * c, 1
                    tau = (us * scale @ v).view_as(tau)
                value = value + c * (1 + torch.tanh(columns) if columns is not None else 1) * tau
            trunk[n] = value
        return trunk

    def distance(self):
        total = 0
        for rows, columns, _ in self.weights.values():
            total = total + (torch.tanh(rows) - self.start).square().mean()
            if columns is not None:
                total = total + torch.tanh(columns).square().mean()
        return total / len(self.weights)


def divergence(logits, teacher):
    a, b = (F.log_softmax(z / TEMPERATURE, -1) for z in (logits, teacher))
    return F.kl_div(a, b, reduction="batchmean", log_target=True) * TEMPERATURE ** 2


def run(zoo, trial, seed):
    if "layers" in trial and not zoo.inner:
        zoo.watched()
    generator = torch.Generator().manual_seed(seed)
    pools, held, owns = [], [], []
    with torch.no_grad():
        for task in range(len(TASKS)):
            x, _ = zoo.examples(zoo.fitted[task])
            order = torch.randperm(len(x), generator=generator)
            out, into = order[:round(HOLDOUT * len(x))], order[round(HOLDOUT * len(x)):]
            mixed = []
            for _ in range(MIXTURES):
                partner = into[torch.randperm(len(into), generator=generator)]
                share = torch.rand(len(into), 1, 1, 1, generator=generator) / 2
                mixed.append((1 - share) * x[into] + share * x[partner])
            own = {n: v + zoo.vectors[task][n] for n, v in zoo.base.items()}
            owns.append(own)
            drawn = x[into] if "lbfgs" in trial else torch.cat(mixed)
            for sets, inputs in ((pools, drawn), (held, x[out])):
                sets.append((inputs, torch.cat([zoo.forward(own, task, part) for part in inputs.split(256)])))
    form = Form(zoo, trial)
    weights = form.all()
    optimizer = torch.optim.Adam(weights, lr=RATE)
    scale = [1.0] * len(TASKS)
    if "normalise" in trial:
        with torch.no_grad():
            trunk = form.merged()
            for task, (x, t) in enumerate(pools):
                entropy = -(F.softmax(t, -1) * F.log_softmax(t, -1)).sum(-1).mean()
                first = divergence(zoo.forward(trunk, task, x[:256]), t[:256])
                scale[task] = 1 / float(first if trial["normalise"] == "start" else entropy.clamp_min(1e-3))
        scale = [s * len(TASKS) / sum(scale) for s in scale]

    def gradient(batches):
        optimizer.zero_grad()
        merged = form.merged()
        trunk = {n: v.detach().requires_grad_() for n, v in merged.items()}
        total = 0.0
        for task, (x, t) in enumerate(batches):
            logits, inner = zoo.outputs(trunk, task, x)
            loss = divergence(logits, t)
            if "layers" in trial:
                with torch.no_grad():
                    wanted = zoo.outputs(owns[task], task, x)[1]
                loss = loss + trial["layers"] * sum(
                    (h - w).square().sum() / w.square().sum() for h, w in zip(inner, wanted)) / len(wanted)
            loss = loss * scale[task] / len(TASKS)
            loss.backward()
            total += float(loss.detach())
        moved = [n for n, v in trunk.items() if v.grad is not None and merged[n].requires_grad]
        torch.autograd.backward([merged[n] for n in moved], [trunk[n].grad for n in moved])
        if "penalty" in trial:
            extra = trial["penalty"] * form.distance()
            extra.backward()
            total += float(extra.detach())
        return total

    def look():
        with torch.no_grad():
            trunk = form.merged()
            return sum(float(divergence(zoo.forward(trunk, i, x), t)) for i, (x, t) in enumerate(held)) / len(TASKS)

    best = (look(), 0, [w.detach().clone() for w in weights])
    began, curve = time.time(), [best[0]]
    if "lbfgs" in trial:
        quasi = torch.optim.LBFGS(weights, lr=1, max_iter=1, max_eval=20, history_size=10, line_search_fn="strong_wolfe")
        evaluations = []

        def closure():
            evaluations.append(gradient(pools))
            return torch.tensor(evaluations[-1])

        for step in range(trial["lbfgs"]):
            quasi.step(closure)
            curve.append(look())
            if curve[-1] < best[0]:
                best = (curve[-1], step + 1, [w.detach().clone() for w in weights])
        # Each step but the first looks again where the one before ended.
        passes = (len(evaluations) - trial["lbfgs"] + 1) * sum(-(-len(x) // BATCH) for x, _ in pools)
    for step in range(0 if "lbfgs" in trial else trial.get("steps", 600)):
        drawn = [torch.randint(len(x), (BATCH,), generator=generator) for x, _ in pools]
        batches = [(x[d], t[d]) for (x, t), d in zip(pools, drawn)]
        gradient(batches)
        if "sam" in trial:
            slopes = [w.grad.clone() if w.grad is not None else torch.zeros_like(w) for w in weights]
            size = math.sqrt(sum(float(s.square().sum()) for s in slopes))
            shifts = [s * (trial["sam"] / max(size, 1e-12)) for s in slopes]
            with torch.no_grad():
                torch._foreach_add_(weights, shifts)
            gradient(batches)
            with torch.no_grad():
                torch._foreach_sub_(weights, shifts)
        optimizer.step()
        if (step + 1) % 10 == 0:
            curve.append(look())
            if curve[-1] < best[0]:
                best = (curve[-1], step + 1, [w.detach().clone() for w in weights])
            elif step + 1 >= best[1] + 100:
                break
        passes = (step + 1) * len(TASKS) * (2 if "sam" in trial else 1)
    with torch.no_grad():
        for w, b in zip(weights, best[2]):
            w.copy_(b)
        trunk = form.merged()
    scores = [zoo.accuracy(trunk, task) for task in range(len(TASKS))]
    return {
        "trial": trial, "seed": seed, "passes": passes,
        "weights": sum(w.numel() for w in weights), "best_step": best[1],
        "held_out": best[0], "accuracy": dict(zip(TASKS, scores)), "average": sum(scores) / len(scores),
        "versions": f"PyTorch {torch.__version__}, threads {torch.get_num_threads()}", "seconds": time.time() - began, "held_out_curve": curve,
    }


def parsed(text):
    def value(word):
        try:
            return float(word) if "." in word else int(word)
        except ValueError:
            return word
    return {key: value(word) for key, word in (item.split("=") for item in text.split(",") if item)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zoo", help="folder of the vision zoo: base, tasks, test")
    parser.add_argument("--trial", action="append", type=parsed, default=[])
    parser.add_argument("--seed", action="append", type=int, default=[])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    zoo = Zoo(arguments.zoo)
    for trial in arguments.trial or [{}]:
        for seed in arguments.seed or [0]:
            print(json.dumps(run(zoo, trial, seed)), flush=True)
