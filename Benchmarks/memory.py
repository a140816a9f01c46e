"""Peak memory of a SuperMerge fit over one, two and four tasks of the same base."""

import json
import subprocess
import tempfile

STEPS = 5


def peak(program, base, tasks, flags=()):
    """Largest resident set of the whole merge, in bytes, as the program itself reports it."""
    with tempfile.TemporaryDirectory() as directory:
        command = [program, "merge", "--base", base, "--steps", str(STEPS), "--output", f"{directory}/merged", *flags]
        for task in tasks:
            command += ["--task", task]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(f"{directory}/merged/release.json") as file:
            return json.load(file)["result"]["peak_memory"]


def measure(program, base, names, full):
    folders = [f"{full}/{name}" for name in names]
    return {str(count): peak(program, base, folders[:count]) for count in (1, 2, 4)}
