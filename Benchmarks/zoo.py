"""Where the real checkpoints of ../shared/zoo lie."""

import contextlib
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@contextlib.contextmanager
def zoo(kind):
    """Base folder, task names and folder of the tasks' full checkpoints. The text ones are folded by PyTorch, from adapters."""
    shared = f"{ROOT}/../shared/zoo"
    if kind == "vision":
        yield f"{shared}/vision/base", ["mnist", "fashion_mnist", "gtsrb", "fer2013_clean"], f"{shared}/vision/tasks"
        return
    with tempfile.TemporaryDirectory() as directory:
        python = os.environ.get("PYTHON", sys.executable)
        subprocess.run([python, f"{shared}/text/make.py", directory], check=True, stdout=subprocess.DEVNULL)
        yield f"{directory}/base", ["sst2", "trec6", "agnews", "atis_intent"], f"{directory}/full"
