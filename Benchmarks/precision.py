"""Matrix products in bfloat16 against float32: processor time of a step, and the fit on the held-out examples."""

import json
import os
import shutil
import statistics
import subprocess
import tempfile

import step

TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid):
    """User and system time of a running process, all its threads."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def fit(program, base, names, full, steps, precision):
    """Processor seconds of a step, and the merged model's scores by task, of one fit on one thread."""
    directory = tempfile.mkdtemp()
    try:
        form = step.PAPER | {"precision": precision, "steps": steps, "threads": 1}
        worker = subprocess.Popen([program, "worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        worker.stdin.write(json.dumps(step.plan(base, names, full, directory, form)).encode())
        worker.stdin.close()
        times, scores = [], None
        for line in worker.stdout:
            event = json.loads(line)
            if event["event"] == "failed":
                raise SystemExit(event["message"])
            if event["event"] == "progress" and event["phase"] == "fitting":
                times.append(processor_seconds(worker.pid))
            if event["event"] == "finished":
                scores = {task["task"]: task["merged"] for task in event["tasks"]}
        worker.wait()
        # The last step ends with an evaluation.
        times = times[step.WARM_UP:-1]
        return (times[-1] - times[0]) / (len(times) - 1), scores
    finally:
        shutil.rmtree(directory)


def measure(program, base, names, full, rounds, steps):
    """Rounds of both in turn; medians and the ratio of each round."""
    single, half, ratios = [], [], []
    for _ in range(rounds):
        a, exact = fit(program, base, names, full, steps, "f32")
        b, rounded = fit(program, base, names, full, steps, "bf16")
        single.append(a)
        half.append(b)
        ratios.append(b / a)
    return {
        "f32_seconds": statistics.median(single), "bf16_seconds": statistics.median(half),
        "ratio": statistics.median(ratios), "ratios": ratios, "rounds": rounds, "steps": steps, "tasks": len(names),
        "batch": step.BATCH,
        "loss_difference": max(abs(exact[n]["loss"] - rounded[n]["loss"]) for n in names),
        "points": 100 * sum(rounded[n]["value"] - exact[n]["value"] for n in names) / len(names),
        "examples": sum(exact[n]["examples"] for n in names),
    }
