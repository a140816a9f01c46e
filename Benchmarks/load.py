"""A daemon with a thousand tasks, and a ledger of ten thousand entries: what they cost."""

import array
import hashlib
import json
import os
import random
import statistics
import subprocess
import tempfile
import time

from service import Daemon, configure

TENSORS, ELEMENTS = 24, 1024


def write_checkpoint(path, seed):
    """A safetensors file of `TENSORS` float32 tensors around 1; each seed has its own."""
    shift = random.Random(seed).gauss(0, 0.01)
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for number in range(TENSORS):
        part = array.array("f", [1 + number / 100 + shift] * ELEMENTS).tobytes()
        header[f"layer.{number:02}.weight"] = {
            "dtype": "F32", "shape": [32, ELEMENTS // 32], "data_offsets": [len(data), len(data) + len(part)],
        }
        data += part
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


def write_ledger(path, entries):
    """Progress of merges, as the daemon would have noted it: one line each with the digest of the one before."""
    previous = "0" * 64
    with open(path, "w") as file:
        for number in range(entries):
            line = json.dumps(
                {
                    "details": {"held-out": 0.25, "loss": 0.5, "step": number, "steps": entries}, "event": "merge-progress",
                    "merge": "0123456789abcdef", "message": f"merge at step {number} of {entries}", "previous": previous,
                    "sequence": number, "time": "2026-01-01T00:00:00.000Z",
                },
                sort_keys=True, separators=(",", ":"))
            previous = hashlib.sha256(line.encode()).hexdigest()
            file.write(line + "\n")


def current(directory):
    try:
        with open(f"{directory}/deploy/CURRENT.json") as file:
            return json.load(file)["version"]
    except FileNotFoundError:
        return 0


def seconds(work):
    begin = time.monotonic()
    work()
    return time.monotonic() - begin


def daemon_figures(program, control, tasks, idle):
    with tempfile.TemporaryDirectory() as directory:
        for name in ("registry/base", "registry/tasks"):
            os.makedirs(f"{directory}/{name}")
        write_checkpoint(f"{directory}/registry/base/model.safetensors", 0)
        with open(f"{directory}/registry/base/config.json", "w") as file:
            file.write("{}")
        for number in range(tasks):
            folder = f"{directory}/registry/tasks/task-{number:05}"
            os.makedirs(folder)
            write_checkpoint(f"{folder}/model.safetensors", number + 1)
        configure(directory)
        figures = {}
        begin = time.monotonic()
        with Daemon(program, control, directory) as daemon:
            daemon.rescan()
            figures["from the start over an unread registry to its release"] = (time.monotonic() - begin, "s")
            if current(directory) != 1:
                raise SystemExit("nothing was published")
        begin = time.monotonic()
        with Daemon(program, control, directory) as daemon:
            daemon.rescan()
            figures["from a restart to the word that everything is up to date"] = (time.monotonic() - begin, "s")
            figures["a look with nothing new, `rescan --wait`"] = (
                statistics.median(seconds(daemon.rescan) for _ in range(5)), "s")
            os.makedirs(f"{directory}/new")
            write_checkpoint(f"{directory}/new/model.safetensors", tasks + 1)
            begin = time.monotonic()
            os.rename(f"{directory}/new", f"{directory}/registry/tasks/new")
            while current(directory) < 2:
                time.sleep(0.01)
            figures["from the arrival of one more task to its release"] = (time.monotonic() - begin, "s")
            daemon.rescan()
            time.sleep(5)
            used = daemon.processor_seconds()
            woken = daemon.wake_ups(idle)
            figures[f"processor time of {idle} s of idling"] = (daemon.processor_seconds() - used, "s")
            figures[f"wake-ups in {idle} s of idling"] = (woken, "")
            figures["resident memory when idle"] = (daemon.memory("VmRSS") / 2**20, "MiB")
            figures["peak of resident memory"] = (daemon.memory("VmHWM") / 2**20, "MiB")
        return figures


def ledger_seconds(control, entries):
    with tempfile.TemporaryDirectory() as directory:
        os.makedirs(f"{directory}/deploy/versions")
        write_ledger(f"{directory}/ledger.jsonl", entries)

        def verify():
            text = subprocess.run(
                [control, "verify", "--deploy", f"{directory}/deploy", "--state", directory, "--json"], check=True,
                capture_output=True, text=True).stdout
            if json.loads(text)["entries"] != entries:
                raise SystemExit("the ledger was not read whole")

        verify()
        return statistics.median(seconds(verify) for _ in range(5))


def measure(program, control, tasks=1000, entries=10_000, idle=30):
    figures = daemon_figures(program, control, tasks, idle)
    figures[f"`verify` of a ledger of {entries:,} entries, whole process"] = (ledger_seconds(control, entries), "s")
    return {
        "suite": "load", "what": f"a daemon with {tasks:,} tasks and a static method", "tried": tasks, "outcomes": {},
        "figures": [{"what": what, "value": value, "unit": unit} for what, (value, unit) in figures.items()],
    }
