"""How many copies of the model a hierarchical fit holds: its peak memory over fine-tunes of all weights, with two sizes of the
vocabulary. The worst place to grow: one tensor is most of the model, and its gradient is whole before it can be used."""

import json
import os
import tempfile

import memory

FORMS = {"the paper's form": ["--granularity", "tensor", "--loss", "labels"], "the default form": []}
TABLE = "bert.embeddings.word_embeddings.weight"


def widened(source, target, times):
    """A base with so many times the vocabulary, so that the passes compute what they did; its bytes."""
    import numpy as np
    from safetensors.numpy import load_file, save_file

    tensors = load_file(f"{source}/model.safetensors")
    tensors[TABLE] = np.tile(tensors[TABLE], (times, 1))
    config = json.load(open(f"{source}/config.json")) | {"vocab_size": len(tensors[TABLE])}
    os.makedirs(target)
    save_file(tensors, f"{target}/model.safetensors", metadata={"format": "pt"})
    with open(f"{target}/config.json", "w") as file:
        json.dump(config, file)
    return sum(tensor.nbytes for tensor in tensors.values())


def measure(program, base, names, full):
    import low_rank

    sizes = []
    for times in (1, 4):
        with tempfile.TemporaryDirectory() as directory:
            bytes = widened(base, f"{directory}/base", times)
            tasks = [f"{directory}/{name}" for name in names]
            for seed, name in enumerate(names):
                low_rank.moved(f"{full}/{name}", f"{directory}/{name}", seed, {TABLE: times})
            peaks = {
                form: memory.peak(program, f"{directory}/base", tasks, ["--strategy", "hierarchical", "--fan-in", "2", *flags])
                for form, flags in FORMS.items()}
            sizes.append({"bytes": bytes, "peaks": peaks})
    small, large = sizes
    grown = large["bytes"] - small["bytes"]
    return {"tasks": len(names), "sizes": sizes, "copies": {
        form: (large["peaks"][form] - small["peaks"][form]) / grown for form in FORMS}}
