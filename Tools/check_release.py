#!/usr/bin/env python3
"""Loads releases with transformers: check_release.py (RELEASE TASK EXAMPLES LOGITS)… prints for each the largest difference of the
logits from LOGITS, relative to the largest of them.

RELEASE is a folder with config.json, model.safetensors and heads/TASK.safetensors where the task has a head; EXAMPLES and LOGITS
are safetensors files. Fails where transformers misses a tensor that no head brings, or finds one that it has no use for.
"""

import os
import sys

import torch
import transformers
from safetensors.torch import load_file


def load(release, task):
    config = transformers.AutoConfig.from_pretrained(release, local_files_only=True)
    kind = getattr(transformers, config.architectures[0])
    model, info = kind.from_pretrained(release, output_loading_info=True, local_files_only=True, dtype=torch.float32)
    path = os.path.join(release, "heads", f"{task}.safetensors")
    head = load_file(path) if os.path.exists(path) else {}
    missing, unexpected = set(info["missing_keys"]), set(info["unexpected_keys"])
    assert missing == head.keys() and not unexpected, f"{release}: misses {missing - head.keys()}, has no use for {unexpected}"
    found = model.load_state_dict(head, strict=False)
    assert not found.unexpected_keys, found.unexpected_keys
    return model.eval()


def difference(release, task, examples, logits):
    model = load(release, task)
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
