"""Peak memory of a calibrated merge of LoRA tasks of a language model that does not fit into the memory it is given."""

import json
import os
import resource
import subprocess

import static

LIMITS = {"llama-1b": 1536 << 20, "llama-8b": 8 << 30}
TASKS, TOKENS = 4, 128


def run(program, folder, output, limit):
    """One merge: what the program says of its peak, processor seconds, and bytes read from the disk."""
    command = [
        program, "merge", "--base", f"{folder}/base", "--output", output, "--method", "calibrate", "--ridge", "0.01",
        "--memory", str(limit), "--threads", "2",
    ]
    for task in range(TASKS):
        command += ["--task", f"{folder}/tasks/task{task}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    load = [os.getloadavg()[0]]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    load.append(os.getloadavg()[0])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(f"{output}/release.json") as file:
        result = json.load(file)["result"]
    return {
        "peak": result["peak_memory"], "weights": result["memory"]["weights"], "wall_seconds": result["seconds"],
        "processor_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "disk_bytes": 512 * (after.ru_inblock - before.ru_inblock), "load": load,
    }


def measure(program, python, directory, examples=32, layers=None, shape="llama-1b"):
    folder = f"{directory}/{shape}"
    static.elsewhere(
        python, f"make({folder!r}, {shape!r}, {layers!r}, {TASKS}, {examples}, {TOKENS})['hidden_size']", "shapes")
    base = os.path.getsize(f"{folder}/base/model.safetensors")
    merged = run(program, folder, f"{directory}/merged", LIMITS[shape])
    assert merged["weights"] == "streamed", merged
    subprocess.run(["chmod", "-R", "u+w", directory], check=True)
    subprocess.run(["rm", "-r", f"{directory}/merged", folder], check=True)
    return {
        "shape": shape, "layers": layers, "bytes": base, "tasks": TASKS, "examples": examples, "tokens": TOKENS,
        "limit": LIMITS[shape], **merged,
    }
