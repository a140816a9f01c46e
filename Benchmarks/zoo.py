"""Where the real checkpoints of ../shared/zoo lie, and those that are made from what lies there."""

import contextlib
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHARED = os.path.abspath(os.environ.get("ZOO", f"{ROOT}/../shared/zoo"))


@contextlib.contextmanager
def zoo(kind):
    """Base folder, task names and folder of the tasks' full checkpoints.

    The text ones are folded from adapters, and two small T5s are trained, both by PyTorch, unless TEXT_ZOO or T5_ZOO names a
    folder where that was done.
    """
    if kind == "vision":
        yield f"{SHARED}/vision/base", ["mnist", "fashion_mnist", "gtsrb", "fer2013_clean"], f"{SHARED}/vision/tasks"
        return
    script, names = {
        "text": ([f"{SHARED}/text/make.py"], ["sst2", "trec6", "agnews", "atis_intent"]),
        "t5": ([f"{ROOT}/Benchmarks/experiments/small_t5.py", f"{SHARED}/../data/text"], ["sst2", "trec6"]),
    }[kind]
    with contextlib.ExitStack() as stack:
        directory = os.environ.get(f"{kind.upper()}_ZOO")
        if not directory:
            directory = stack.enter_context(tempfile.TemporaryDirectory())
            python = os.environ.get("PYTHON", sys.executable)
            subprocess.run([python, *script, directory], check=True, stdout=subprocess.DEVNULL)
        yield f"{directory}/base", names, f"{directory}/full"
