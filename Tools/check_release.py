#!/usr/bin/env python3
"""Loads releases with transformers: check_release.py (RELEASE TASK EXAMPLES LOGITS)… prints for each the largest difference of the
logits from LOGITS, relative to the largest of them.

RELEASE is a folder with config.json, model.safetensors and, where the task has a head, heads/TASK.safetensors and a README.md whose
lines of Python are run to load it; EXAMPLES and LOGITS are safetensors files. Fails where the model has a tensor that neither the
release nor the head brings, where one of these is left out of it, or where it has other values there.
"""

import contextlib
import glob
import os
import re
import sys

import torch
import transformers
from safetensors.torch import load_file


def tensors(release):
    return {name: tensor for path in glob.glob(f"{release}/model*.safetensors") for name, tensor in load_file(path).items()}


def bare(release):
    """A release whose tasks have no heads: config.json says all."""
    config = transformers.AutoConfig.from_pretrained(release, local_files_only=True)
    kind = getattr(transformers, config.architectures[0])
    model, info = kind.from_pretrained(release, output_loading_info=True, local_files_only=True, dtype=torch.float32)
    assert not info["missing_keys"] and not info["unexpected_keys"], f"{release}: {info}"
    return model


def headed(release, task):
    with open(f"{release}/README.md") as page:
        lines = re.search(r"```python\n(.*?)```", page.read(), re.DOTALL).group(1)
    lines, count = re.subn(r'"heads/[^"/]+\.(json|safetensors)"', rf'"heads/{task}.\1"', lines)
    assert count == 2, lines
    scope = {}
    with contextlib.chdir(release):
        exec(lines, scope)
    model = scope["model"]
    found = model.state_dict()
    brought = {**tensors(release), **load_file(f"{release}/heads/{task}.safetensors")}
    placed = {name if name in found else f"{model.base_model_prefix}.{name}": tensor for name, tensor in brought.items()}
    assert placed.keys() == found.keys(), f"{release}: {placed.keys() ^ found.keys()}"
    wrong = [name for name, tensor in placed.items() if not torch.equal(found[name], tensor)]
    assert not wrong, f"{release}: {wrong} are not as they were released"
    return model


def difference(release, task, examples, logits):
    has_head = os.path.exists(f"{release}/heads/{task}.safetensors")
    model = (headed(release, task) if has_head else bare(release)).eval()
    inputs = {name: tensor for name, tensor in load_file(examples).items() if name != "labels"}
    if hasattr(model.config, "use_cache"):
        inputs["use_cache"] = False
    with torch.no_grad():
        found = model(**inputs).logits
    wanted = load_file(logits)["logits"]
    assert found.shape == wanted.shape, (found.shape, wanted.shape)
    return ((found - wanted).abs().max() / wanted.abs().max()).item()


transformers.logging.set_verbosity_error()
for place in range(1, len(sys.argv), 4):
    arguments = sys.argv[place : place + 4]
    print("difference", os.path.basename(os.path.dirname(arguments[0])), arguments[1], difference(*arguments))
