"""Eight LoRA fine-tunes of a base against the same fine-tunes as full checkpoints: the time of a step, and peak memory."""

import os
import statistics
import tempfile

import memory
import step
from zoo import SHARED

COPIES = 2


def folders(source, names, directory):
    """Each task's folder under as many names as there are copies; gives the names."""
    made = []
    for copy in range(1, COPIES + 1):
        for name in names:
            made.append(f"{name}-{copy}")
            os.symlink(f"{source}/{name}", f"{directory}/{made[-1]}")
    return made


def measure(program, base, names, full, rounds):
    with tempfile.TemporaryDirectory() as adapters, tempfile.TemporaryDirectory() as dense:
        tasks = folders(f"{SHARED}/text/tasks", names, adapters)
        folders(full, names, dense)
        result = {"tasks": len(tasks), "batch": step.BATCH}
        for form, flags in (("paper", step.PAPER), ("default", step.DEFAULT)):
            pairs = [
                [statistics.median(step.ours(program, base, tasks, folder, flags)) for folder in (adapters, dense)]
                for _ in range(rounds)
            ]
            result[form] = {
                "adapters_seconds": statistics.median(pair[0] for pair in pairs),
                "dense_seconds": statistics.median(pair[1] for pair in pairs),
                "ratio": statistics.median(pair[0] / pair[1] for pair in pairs),
            }
        paths = [f"{adapters}/{task}" for task in tasks]
        for form, flags in (("paper", ["--granularity", "tensor", "--loss", "labels"]), ("default", [])):
            few, many = (memory.peak(program, base, paths[:count], flags) for count in (1, len(paths)))
            result[form] |= {"one_peak": few, "all_peak": many, "memory_ratio": many / few}
    return result
