"""Peak memory of what needs no fit (merge, inspect, publish) over checkpoints of two sizes, and how it grows with the model."""

import os
import subprocess

import static
from service import Daemon, configure

METHODS = ["average", "task-arithmetic", "ties", "dare"]
# The second has twice the parameters of the first.
LAYERS = [12, 29]


def make_registry(directory, layers):
    """A registry of a base and its fine-tunes; the bytes of one model."""
    static.make_models(directory, layers)
    os.makedirs(f"{directory}/tasks")
    for task in range(static.TASKS):
        os.rename(f"{directory}/task{task}", f"{directory}/tasks/task{task}")
    return os.path.getsize(f"{directory}/base/model.safetensors")


def published(daemon, control, registry, directory):
    """Largest resident set of a daemon that admits everything in a registry, and publishes its average."""
    configure(directory, registry)
    with Daemon(daemon, control, directory) as service:
        service.rescan()
        with open(f"{directory}/deploy/current/release.json") as file:
            assert '"task3"' in file.read(), "not everything was published"
        return service.memory("VmHWM")


def measure(built, python, directory):
    sizes = []
    for layers in LAYERS:
        place = f"{directory}/{layers}"
        registry = f"{place}/registry"
        size = static.elsewhere(python, f"make_registry({registry!r}, {layers})", "bounded")
        program, peaks = built("supermerge"), {}
        for method in METHODS:
            command = [program, "merge", "--base", f"{registry}/base", "--method", method, "--output", f"{place}/{method}"]
            for task in range(static.TASKS):
                command += ["--task", f"{registry}/tasks/task{task}"]
            peaks[f"merge by {method}"] = static.timed(command)[1]
            subprocess.run(["rm", "-r", f"{place}/{method}"], check=True)
        peaks["inspect"] = static.timed([program, "inspect", f"{registry}/base"])[1]
        peaks["daemon: admit, keep and publish"] = published(
            built("supermerged"), built("supermergectl"), registry, f"{place}/daemon")
        sizes.append({"bytes": size, "peaks": peaks})
        subprocess.run(["chmod", "-R", "u+w", place], check=True)
        subprocess.run(["rm", "-r", place], check=True)
    small, large = sizes
    growth = {
        what: (large["peaks"][what] - peak) / (large["bytes"] - small["bytes"]) for what, peak in small["peaks"].items()
    }
    return {"tasks": static.TASKS, "sizes": sizes, "growth": growth}
