"""Where the real checkpoints of ../shared/zoo lie."""

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

    The text ones are folded by PyTorch, from adapters, unless TEXT_ZOO names a folder where that was done (`text/make.py OUT`).
    """
    if kind == "vision":
        yield f"{SHARED}/vision/base", ["mnist", "fashion_mnist", "gtsrb", "fer2013_clean"], f"{SHARED}/vision/tasks"
        return
    with contextlib.ExitStack() as stack:
        directory = os.environ.get("TEXT_ZOO")
        if not directory:
            directory = stack.enter_context(tempfile.TemporaryDirectory())
            python = os.environ.get("PYTHON", sys.executable)
            subprocess.run([python, f"{SHARED}/text/make.py", directory], check=True, stdout=subprocess.DEVNULL)
        yield f"{directory}/base", ["sst2", "trec6", "agnews", "atis_intent"], f"{directory}/full"
