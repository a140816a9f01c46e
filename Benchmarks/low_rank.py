"""LoRA adapters of lower rank or fewer modules, made from those of the text zoo, and full checkpoints as a fine-tune leaves them."""

import json
import os
import re
import shutil

import numpy as np
from safetensors.numpy import load_file, save_file


def cut(source, target, rank, modules):
    """The adapter's best approximation (Eckart and Young) of a rank, on the linear layers whose names `modules` matches."""
    config = json.load(open(f"{source}/adapter_config.json"))
    tensors = load_file(f"{source}/adapter_model.safetensors")
    kept = {name: tensor for name, tensor in tensors.items() if ".lora_" not in name}
    names = set()
    for name, right in tensors.items():
        layer = name.removesuffix(".lora_A.weight")
        if layer == name or not re.search(modules, layer):
            continue
        left = tensors[f"{layer}.lora_B.weight"] * (config["lora_alpha"] / config["r"])
        u, s, v = np.linalg.svd(left @ right, full_matrices=False)
        root = np.sqrt(s[:rank])
        kept[f"{layer}.lora_B.weight"] = np.ascontiguousarray(u[:, :rank] * root)
        kept[f"{layer}.lora_A.weight"] = np.ascontiguousarray(root[:, None] * v[:rank])
        names.add(layer.rsplit(".", 1)[1])
    os.makedirs(target)
    save_file(kept, f"{target}/adapter_model.safetensors", metadata={"format": "pt"})
    config |= {"r": rank, "lora_alpha": rank, "target_modules": sorted(names)}
    json.dump(config, open(f"{target}/adapter_config.json", "w"))
    shutil.copy(f"{source}/validation.safetensors", target)


def moved(source, target, seed, grown=dict):
    """A full checkpoint with every tensor a little elsewhere, as training all weights leaves it; of its tensors what `grown`
    makes of them."""
    draw = np.random.default_rng(seed)
    tensors = {}
    for name, tensor in grown(load_file(f"{source}/model.safetensors")).items():
        tensors[name] = tensor + (1e-3 * tensor.std()).astype(np.float32) * draw.standard_normal(tensor.shape, dtype=np.float32)
    os.makedirs(target)
    save_file(tensors, f"{target}/model.safetensors", metadata={"format": "pt"})
    shutil.copy(f"{source}/validation.safetensors", target)
