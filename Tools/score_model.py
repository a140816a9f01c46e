#!/usr/bin/env python3
"""Scores a model in PyTorch: score_model.py GRAPH MODEL HEAD DATA prints accuracy and mean loss.

Fills the archive, which holds no weights, with those of the base's names (any values: the model's and the head's own take
their place at once), loads it with torch.export and runs it on the examples.
"""

import io
import json
import sys
import zipfile

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

ELEMENT_BYTES = {7: 4, 8: 8, 5: 8, 4: 4}


def filled(path):
    """The archive with zeros for every weight that it names."""
    result = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(result, "w") as target:
        names = source.namelist()
        for name in names:
            target.writestr(name, source.read(name))
        for name in names:
            if not name.endswith("weights_config.json"):
                continue
            for entry in json.loads(source.read(name))["config"].values():
                meta = entry["tensor_meta"]
                count = ELEMENT_BYTES[meta["dtype"]]
                for size in meta["sizes"]:
                    count *= size["as_int"]
                place = name.rsplit("/", 1)[0] + "/" + entry["path_name"]
                if place not in names and place not in target.NameToInfo:
                    target.writestr(place, bytes(count))
    result.seek(0)
    return result


def main(graph, model, head, data):
    module = torch.export.load(filled(graph)).module()
    for name, tensor in (load_file(model) | load_file(head)).items():
        owner, _, leaf = name.rpartition(".")
        setattr(module.get_submodule(owner), leaf, torch.nn.Parameter(tensor.float(), requires_grad=False))
    examples = load_file(data)
    labels = examples.pop("labels").long()
    with torch.no_grad():
        batches = [{n: t[i : i + 64] for n, t in examples.items()} for i in range(0, len(labels), 64)]
        widened = [[t.float() if t.is_floating_point() else t.long() for t in batch.values()] for batch in batches]
        logits = torch.cat([module(*values) for values in widened])
    print((logits.argmax(-1) == labels).float().mean().item(), F.cross_entropy(logits, labels).item())


main(*sys.argv[1:])
