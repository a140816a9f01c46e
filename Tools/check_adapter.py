#!/usr/bin/env python3
"""Folds adapters into their bases with PEFT: check_adapter.py (BASE ADAPTER MERGED)… prints for each the largest difference from
MERGED.

BASE and MERGED are safetensors files, ADAPTER is a folder. What kind of module a matrix belongs to is read off the adapter: all that
PEFT needs of a model are its modules.
"""

import json
import os
import sys
import warnings

import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch import nn
from transformers.pytorch_utils import Conv1D


def module(weight, bias, is_embedding, is_turned):
    if weight.dim() == 4:
        return nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2:], bias=bias)
    if weight.dim() == 2 and is_embedding:
        return nn.Embedding(*weight.shape)
    if weight.dim() == 2 and is_turned:
        return Conv1D(weight.shape[1], weight.shape[0])
    if weight.dim() == 2:
        return nn.Linear(weight.shape[1], weight.shape[0], bias=bias)
    return nn.Module()


def model(base, embeddings, is_turned):
    """A tree of modules whose parameters are those of the base."""
    root = nn.Module()
    for name, tensor in sorted(base.items(), key=lambda item: item[1].dim(), reverse=True):
        owner, _, leaf = name.rpartition(".")
        parts = owner.split(".") if owner else []
        node = root
        for depth, part in enumerate(parts):
            if not hasattr(node, part):
                is_last = depth == len(parts) - 1
                kind = module(tensor, owner + ".bias" in base, owner in embeddings, is_turned) if is_last else nn.Module()
                node.add_module(part, kind)
            node = getattr(node, part)
        setattr(node, leaf, nn.Parameter(tensor.clone(), requires_grad=False))
    return root


def difference(base, adapter, merged):
    tensors = load_file(os.path.join(adapter, "adapter_model.safetensors"))
    with open(os.path.join(adapter, "adapter_config.json")) as file:
        is_turned = json.load(file)["fan_in_fan_out"]
    prefix, ending = "base_model.model.", ".lora_embedding_A"
    embeddings = {n.removeprefix(prefix).removesuffix(ending) for n in tensors if n.endswith(ending)}
    folded = PeftModel.from_pretrained(model(load_file(base), embeddings, is_turned), adapter).merge_and_unload()
    found, wanted = folded.state_dict(), load_file(merged)
    assert found.keys() == wanted.keys(), found.keys() ^ wanted.keys()
    return max((found[name].float() - wanted[name].float()).abs().max().item() for name in wanted)


warnings.simplefilter("error")
for place in range(1, len(sys.argv), 3):
    print(difference(*sys.argv[place : place + 3]))
