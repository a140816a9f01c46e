"""Fine-tunes a base on all tasks' validation examples together, in PyTorch; run by `fine_tuning` under PYTHON.

Reads a JSON request from standard input: base, tasks (name → folder), test, steps, batch, rates, every, holdout. Prints JSON.
"""

import json
import os
import resource
import sys
import tempfile
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import step  # noqa: E402


class Task:
    """A task's head, the examples to fit to, those held out, and the test set."""

    def __init__(self, name, folder, test, shared, holdout, chance):
        weights = load_file(f"{folder}/model.safetensors")
        self.name = name
        self.head = {key: torch.nn.Parameter(value.float()) for key, value in weights.items() if key not in shared}
        examples = load_file(f"{folder}/validation.safetensors")
        order = torch.randperm(len(examples["labels"]), generator=chance)
        held = round(holdout * len(order))
        self.fitted = {key: value[order[held:]] for key, value in examples.items()}
        self.held = {key: value[order[:held]] for key, value in examples.items()}
        self.test = load_file(f"{test}/{name}.safetensors")


class Model:
    """The exported graph as a module; the head of a task is put in before its batch."""

    def __init__(self, base):
        with tempfile.TemporaryDirectory() as directory:
            step.with_weights(base, f"{directory}/graph.pt2")
            program = torch.export.load(f"{directory}/graph.pt2")
        self.module, self.inputs = program.module(), program.graph_signature.user_inputs
        shared = load_file(f"{base}/model.safetensors")
        self.trunk = {name: torch.nn.Parameter(value.float()) for name, value in shared.items()}
        self.put(self.trunk)

    def put(self, parameters):
        for name, parameter in parameters.items():
            owner, _, leaf = name.rpartition(".")
            setattr(self.module.get_submodule(owner), leaf, parameter)

    def loss(self, task, examples):
        """Mean cross-entropy, and the share that is right."""
        self.put(task.head)
        inputs = [examples[name] for name in self.inputs]
        logits = self.module(*[t.float() if t.is_floating_point() else t.long() for t in inputs])
        labels = examples["labels"].long()
        return F.cross_entropy(logits, labels), (logits.argmax(-1) == labels).float().mean().item()

    @torch.no_grad()
    def score(self, task, examples, batch=125):
        """Loss and accuracy over all examples."""
        count, loss, right = len(examples["labels"]), 0.0, 0.0
        for start in range(0, count, batch):
            part = {key: value[start : start + batch] for key, value in examples.items()}
            a, b = self.loss(task, part)
            loss, right = loss + a.item() * len(part["labels"]), right + b * len(part["labels"])
        return loss / count, right / count


def flops(model, task, batch):
    """Floating-point operations of a forward pass of a batch, and of forward and backward, as PyTorch counts them."""
    part = {key: value[:batch] for key, value in task.fitted.items()}
    with torch.no_grad(), FlopCounterMode(display=False) as forward:
        model.loss(task, part)
    with FlopCounterMode(display=False) as both:
        model.loss(task, part)[0].backward()
    return forward.get_total_flops(), both.get_total_flops()


def train(request, rate):
    chance = torch.Generator().manual_seed(request["seed"])
    model = Model(request["base"])
    tasks = [
        Task(name, folder, request["test"], model.trunk, request["holdout"], chance)
        for name, folder in request["tasks"].items()]
    parameters = [*model.trunk.values(), *(p for task in tasks for p in task.head.values())]
    optimiser = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1, 0.01, request["steps"])
    best = (float("inf"), 0, None)
    start, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for index in range(1, request["steps"] + 1):
        optimiser.zero_grad()
        for task in tasks:
            rows = torch.randint(len(task.fitted["labels"]), (request["batch"],), generator=chance)
            loss, _ = model.loss(task, {key: value[rows] for key, value in task.fitted.items()})
            (loss / len(tasks)).backward()
        optimiser.step()
        schedule.step()
        if index % request["every"] == 0 or index == request["steps"]:
            held = sum(model.score(task, task.held)[0] for task in tasks) / len(tasks)
            if held < best[0]:
                best = held, index, [p.detach().clone() for p in parameters]
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_SELF).ru_utime - used
    with torch.no_grad():
        for parameter, value in zip(parameters, best[2]):
            parameter.copy_(value)
    forward, both = flops(model, tasks[0], request["batch"])
    return {
        "rate": rate, "held_out": best[0], "best_step": best[1], "seconds": seconds, "processor_seconds": used,
        "scores": {task.name: 100 * model.score(task, task.test)[1] for task in tasks},
        "trained": sum(p.numel() for p in parameters), "shared": sum(p.numel() for p in model.trunk.values()),
        "forward_flops": forward, "pass_flops": both, "versions": f"PyTorch {torch.__version__}",
    }


def main():
    request = json.load(sys.stdin)
    torch.manual_seed(request["seed"])
    torch.set_num_threads(request["threads"] or os.cpu_count())
    print(json.dumps(train(request, request["rate"])))


if __name__ == "__main__":
    main()
