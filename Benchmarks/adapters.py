"""Fits over eight LoRA fine-tunes of a base against fits over eight full ones: the time of a step, and peak memory."""

import statistics
import tempfile

import memory
import step
from zoo import SHARED

COPIES = 2
# Rank, and which of the linear layers; the first is what PEFT does with a BERT unless told otherwise.
KINDS = {
    "rank 8 on queries and values": (8, r"attention\.self\.(query|value)$"),
    "rank 8 on every linear layer": (8, ""),
    "rank 16 on every linear layer": (16, ""),
}
FORMS = {"paper": step.PAPER, "default": step.DEFAULT}


def measure(program, base, names, full, rounds):
    import low_rank

    with tempfile.TemporaryDirectory() as directory:
        tasks = []
        for copy in range(1, COPIES + 1):
            for name in names:
                task = f"{name}-{copy}"
                tasks.append(task)
                for kind, (rank, modules) in KINDS.items():
                    low_rank.cut(f"{SHARED}/text/tasks/{name}", f"{directory}/{kind}/{task}", rank, modules)
                low_rank.moved(f"{full}/{name}", f"{directory}/full/{task}", seed=copy)
        result = {"tasks": len(tasks), "batch": step.BATCH}
        for form, flags in FORMS.items():
            seconds = {folder: [] for folder in ("full", *KINDS)}
            for _ in range(rounds):
                for folder, times in seconds.items():
                    times.append(statistics.median(step.ours(program, base, tasks, f"{directory}/{folder}", flags)))
            result[form] = {"full_seconds": statistics.median(seconds["full"]), "kinds": {}}
            for kind in KINDS:
                result[form]["kinds"][kind] = {
                    "seconds": statistics.median(seconds[kind]),
                    "ratio": statistics.median(own / dense for own, dense in zip(seconds[kind], seconds["full"]))}
            paths = [f"{directory}/{list(KINDS)[-1]}/{task}" for task in tasks]
            paper = ["--granularity", "tensor", "--loss", "labels", "--start", "task-vectors", "--schedule", "constant"]
            flags = paper if form == "paper" else []
            few, many = (memory.peak(program, base, paths[:count], flags) for count in (1, len(paths)))
            result[form] |= {"one_peak": few, "all_peak": many, "memory_ratio": many / few}
    return result
