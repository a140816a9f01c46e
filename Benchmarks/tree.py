"""How many copies of the model a hierarchical fit holds: its peak memory over fine-tunes of all weights, with two sizes of the
vocabulary, whose rows are looked up, and of the depth, whose gradients are whole. One example a batch keeps activations small."""

import json
import os
import re
import tempfile

import memory

FORMS = {
    "the paper's form": [
        "--granularity",
        "tensor",
        "--loss",
        "labels",
        "--start",
        "task-vectors",
        "--schedule",
        "constant",
    ],
    "the default form": [],
}
FLAGS = ["--strategy", "hierarchical", "--fan-in", "2", "--batch", "1"]
TABLE = "bert.embeddings.word_embeddings.weight"
TIMES = 4


def widened(tensors):
    import numpy as np

    return tensors | {TABLE: np.tile(tensors[TABLE], (TIMES, 1))}


def deepened(tensors):
    layers = 1 + max(int(number) for name in tensors for number in re.findall(r"\.layer\.(\d+)\.", name))
    copies = {
        re.sub(r"\.layer\.(\d+)\.", lambda match: f".layer.{int(match[1]) + copy * layers}.", name): tensor
        for copy in range(TIMES) for name, tensor in tensors.items() if ".layer." in name}
    return tensors | copies


GROWTHS = {
    "as it is": (dict, {}),
    "vocabulary": (widened, {"vocab_size": TIMES}),
    "depth": (deepened, {"num_hidden_layers": TIMES}),
}


def write(source, target, grown, factors):
    """A base that is larger by these factors of its configuration; its bytes."""
    from safetensors.numpy import load_file, save_file

    tensors = grown(load_file(f"{source}/model.safetensors"))
    config = json.load(open(f"{source}/config.json"))
    os.makedirs(target)
    save_file(tensors, f"{target}/model.safetensors", metadata={"format": "pt"})
    with open(f"{target}/config.json", "w") as file:
        json.dump(config | {key: config[key] * times for key, times in factors.items()}, file)
    return sum(tensor.nbytes for tensor in tensors.values())


def measure(program, base, names, full):
    import low_rank

    sizes = {}
    for growth, (grown, factors) in GROWTHS.items():
        with tempfile.TemporaryDirectory() as directory:
            bytes = write(base, f"{directory}/base", grown, factors)
            tasks = [f"{directory}/{name}" for name in names]
            for seed, name in enumerate(names):
                low_rank.moved(f"{full}/{name}", f"{directory}/{name}", seed, grown)
            peaks = {
                form: memory.peak(program, f"{directory}/base", tasks, FLAGS + flags) for form, flags in FORMS.items()}
            sizes[growth] = {"bytes": bytes, "peaks": peaks}
    small = sizes.pop("as it is")
    copies = {
        growth: {
            form: (large["peaks"][form] - small["peaks"][form]) / (large["bytes"] - small["bytes"]) for form in FORMS}
        for growth, large in sizes.items()}
    return {"tasks": len(names), "small": small, "large": sizes, "copies": copies}
