"""What bounds a static merge: bytes read, and how long SHA-256 of everything that goes in and comes out takes."""

import hashlib
import os
import shutil
import statistics
import subprocess
import time

import static

METHODS = ("task-arithmetic", "ties")


def rate():
    """Bytes that one core hashes in a second of its own time."""
    block = os.urandom(1 << 20)
    digest, begin = hashlib.sha256(), time.process_time()
    for _ in range(1024):
        digest.update(block)
    return 1024 * len(block) / (time.process_time() - begin)


def counted(command):
    """Processor seconds and bytes read of a whole process."""
    def read():
        with open("/proc/self/io") as file:
            return int(file.readline().split()[1])

    start = read()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} failed: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime, read() - start


def measure(program, python, directory, rounds):
    if not os.path.exists(f"{directory}/base"):
        static.elsewhere(python, f"make_models({directory!r})")
    folders = [f"{directory}/base", *(f"{directory}/task{i}" for i in range(static.TASKS))]
    inputs = sum(os.path.getsize(f"{folder}/model.safetensors") for folder in folders)
    results = {"inputs": inputs, "hashed": inputs * (len(folders) + 1) // len(folders), "rounds": rounds, "methods": {}}
    rates = []
    for method in METHODS:
        runs = []
        for _ in range(rounds):
            rates.append(rate())
            shutil.rmtree(f"{directory}/ours", ignore_errors=True)
            tasks = [word for folder in folders[1:] for word in ("--task", folder)]
            runs.append(counted(
                [program, "merge", "--base", folders[0], "--method", method, *tasks, "--output", f"{directory}/ours"]))
        results["methods"][method] = {
            "processor_seconds": statistics.median(seconds for seconds, _ in runs),
            "read": statistics.median(read for _, read in runs),
        }
    return results | {"rate": statistics.median(rates)}
