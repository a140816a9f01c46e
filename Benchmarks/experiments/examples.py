"""Reading and writing small safetensors files, and drawing subsets of examples, without numpy."""

import json
import os
import random
import struct


def read(path):
    """Name → (type, shape, bytes)."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        content = file.read()
    header.pop("__metadata__", None)
    return {
        name: (entry["dtype"], entry["shape"], content[slice(*entry["data_offsets"])]) for name, entry in header.items()
    }


def write(path, tensors):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, (kind, shape, content) in tensors.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [offset, offset + len(content)]}
        offset += len(content)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, _, content in tensors.values():
            file.write(content)


def rows(tensors, chosen):
    """The chosen examples (first axis) of every tensor."""
    result = {}
    for name, (kind, shape, content) in tensors.items():
        size = len(content) // shape[0]
        picked = b"".join(content[row * size : (row + 1) * size] for row in chosen)
        result[name] = (kind, [len(chosen), *shape[1:]], picked)
    return result


def subset(task, count, seed, folder):
    """A copy of a task's folder whose validation set is `count` of its examples, drawn plainly at random, not by class."""
    os.makedirs(folder)
    for name in os.listdir(task):
        if name != "validation.safetensors":
            os.symlink(os.path.join(os.path.abspath(task), name), f"{folder}/{name}")
    examples = read(f"{task}/validation.safetensors")
    order = list(range(examples["labels"][1][0]))
    random.Random(f"{seed} {os.path.basename(task)}").shuffle(order)
    write(f"{folder}/validation.safetensors", rows(examples, order[:count]))
    return folder
