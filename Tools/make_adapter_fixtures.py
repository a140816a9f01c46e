#!/usr/bin/env python3
"""Makes Tests/MergingTests/Fixtures/adapters and Tests/AdaptersTests/Fixtures with PEFT.

`adapters/CASE` holds an adapter of the tiny model `adapters/base`, as save_pretrained writes it, and `merged.safetensors`, what
merge_and_unload makes of it; `adapters/turned` the same for a model with weights [in, out]. `adapters/vit/TASK` holds an adapter of the tiny ViT of make_merging_fixtures.py with that task's
examples, and `adapters/folded/TASK` the same with full weights. `adapters/corda` and `adapters/lora-ga` were converted to plain LoRAs
by PEFT, which needs the package attrs for CorDA. The fixtures of AdaptersTests are `base`, and adapters that must be
refused.
"""

import copy
import os
import shutil
import tempfile

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import nn
from transformers.pytorch_utils import Conv1D

TESTS = os.path.join(os.path.dirname(__file__), "..", "Tests")
OUT = os.path.join(TESTS, "MergingTests", "Fixtures", "adapters")
REFUSED = os.path.join(TESTS, "AdaptersTests", "Fixtures")
META = {"format": "pt"}


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 6)
        self.first = nn.Linear(6, 37)
        self.square = nn.Linear(10, 10)
        self.conv = nn.Conv2d(3, 5, 3)
        self.point = nn.Conv2d(5, 4, 1)
        self.norm = nn.LayerNorm(10)
        self.classifier = nn.Linear(10, 3)

    def forward(self, x):
        return self.first(self.embed(x))


class Turned(nn.Module):
    """Weights are [in, out], as GPT-2 has them."""

    def __init__(self):
        super().__init__()
        self.turned = Conv1D(7, 10)
        self.turned_square = Conv1D(10, 10)
        self.norm = nn.LayerNorm(10)


class Mixed(Turned):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 37)
        self.square = nn.Linear(10, 10)


def lora(**settings):
    return peft.LoraConfig(**{"r": 4, "lora_alpha": 6, "target_modules": ["first", "square"], **settings})


def ia3(**settings):
    return peft.IA3Config(**{"target_modules": ["first", "square"], "feedforward_modules": [], **settings})


CASES = {
    "lora": lora(modules_to_save=["classifier"]),
    "rslora": lora(use_rslora=True, rank_pattern={"square": 2}, alpha_pattern={"first": 3}),
    "embedding": lora(target_modules=["embed", "first"]),
    "convolution": lora(target_modules=["conv", "point"]),
    "biases": lora(bias="all", modules_to_save=["classifier"]),
    "adapted-biases": lora(bias="lora_only"),
    "lora-bias": lora(lora_bias=True),
    "saved": lora(modules_to_save=["norm", "classifier"], target_modules=["first"]),
    "expression": lora(target_modules=r".*(first|square)"),
    "ia3": ia3(feedforward_modules=["square"], modules_to_save=["classifier"]),
    "ia3-convolution": ia3(target_modules=["conv", "point"], feedforward_modules=["point"]),
    "patterns": lora(alpha_pattern={r"(fir|la)s[a-t]": 3, r"^sq.*$": 5}, rank_pattern={"f.*": 2}),
    # In the order in which they are saved, of which the first counts.
    "overlapping": lora(alpha_pattern={"f.*": 3, "first": 9, "sq.*": 5, "square": 2}),
}
TURNED = {
    "lora": lora(target_modules=["turned", "turned_square"], fan_in_fan_out=True, bias="lora_only"),
    "ia3": ia3(target_modules=["turned", "turned_square"], fan_in_fan_out=True),
    "ia3-inputs": ia3(target_modules=["turned"], feedforward_modules=["turned"], fan_in_fan_out=True),
}
REFUSALS = {
    "dora": lora(use_dora=True),
    "pissa": lora(init_lora_weights="pissa"),
    "olora": lora(init_lora_weights="olora"),
    "tokens": lora(trainable_token_indices={"embed": [1, 2]}),
    "loha": peft.LoHaConfig(r=2, target_modules=["first"]),
    "adalora": peft.AdaLoraConfig(target_modules=["first"], total_step=10),
    "vera": peft.VeraConfig(r=2, target_modules=["square"]),
}


def randomize(model, seed):
    """Gives what was trained values that are neither zero nor one."""
    torch.manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            offset = 1.0 if "ia3_" in name else 0.0
            parameter.data = offset + 0.3 * torch.randn_like(parameter)


def save(model, directory):
    model.save_pretrained(directory)
    os.remove(os.path.join(directory, "README.md"))


def tensors(model):
    return {name: tensor.detach().contiguous() for name, tensor in model.state_dict().items()}


def write_base(model, directory):
    os.makedirs(directory)
    trunk = {n: t for n, t in tensors(model).items() if not n.startswith("classifier.")}
    save_file(trunk, os.path.join(directory, "model.safetensors"), META)


def write_cases(base, cases, out):
    write_base(base, os.path.join(out, "base"))
    for seed, (name, config) in enumerate(cases.items()):
        model = peft.get_peft_model(copy.deepcopy(base), config)
        randomize(model, seed)
        save(model, os.path.join(out, name))
        merged = tensors(model.merge_and_unload())
        save_file(merged, os.path.join(out, name, "merged.safetensors"), META)


def start_from_the_base(model, name):
    """Takes the start of B and A out of the base's weights, as PEFT has it: by activations, or by gradients."""
    tokens = torch.arange(64).reshape(8, 8) % 11
    if name == "corda":
        from peft.tuners.lora.corda import preprocess_corda

        settings = peft.tuners.lora.config.CordaConfig()
        config = lora(target_modules=["first"], init_lora_weights="corda", corda_config=settings)
        preprocess_corda(model, config, run_model=lambda: [model(row) for row in tokens])
    else:
        from peft.tuners.lora.loraga import preprocess_loraga

        config = lora(
            r=2, target_modules=["first"], init_lora_weights="lora_ga", lora_ga_config=peft.LoraGAConfig()
        )
        preprocess_loraga(model, config, lambda: model(tokens).square().mean().backward())
    return peft.get_peft_model(model, config)


def write_converted(base):
    """CorDA and LoRA-GA as they are trained, which is refused, and converted to a plain LoRA."""
    for seed, (name, start) in enumerate({"corda": "corda", "lora-ga": "lora_ga"}.items()):
        torch.manual_seed(300 + seed)
        model = start_from_the_base(copy.deepcopy(base), start)
        save(model, os.path.join(REFUSED, name))
        with tempfile.TemporaryDirectory() as first:
            model.peft_config["default"].init_lora_weights = True
            model.save_pretrained(first)
            model.peft_config["default"].init_lora_weights = start
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.data += 0.3 * torch.randn_like(parameter)
            model.save_pretrained(os.path.join(OUT, name), path_initial_model_for_weight_conversion=first)
        os.remove(os.path.join(OUT, name, "README.md"))
        converted = peft.PeftModel.from_pretrained(copy.deepcopy(base), os.path.join(OUT, name))
        save_file(tensors(converted.merge_and_unload()), os.path.join(OUT, name, "merged.safetensors"), META)


def write_refusals(base):
    write_base(base, os.path.join(REFUSED, "base"))
    for seed, (name, config) in enumerate(REFUSALS.items()):
        model = peft.get_peft_model(copy.deepcopy(base), config)
        if name in ("pissa", "olora"):
            save(model, os.path.join(REFUSED, name))
            continue
        randomize(model, 100 + seed)
        save(model, os.path.join(REFUSED, name))


def write_vit():
    """A LoRA of one task of the tiny ViT, and (IA)³ of the other."""
    merging = os.path.join(TESTS, "MergingTests", "Fixtures")
    trunk = load_file(os.path.join(merging, "base", "model.safetensors"))
    configs = {
        "letters": (3, lora(target_modules=["q_proj", "v_proj", "fc1", "fc2"], modules_to_save=["classifier"])),
        "shapes": (
            5,
            ia3(
                target_modules=["k_proj", "v_proj", "fc2"], feedforward_modules=["fc2"],
                modules_to_save=["classifier"],
            ),
        ),
    }
    for seed, (task, (classes, config)) in enumerate(configs.items()):
        torch.manual_seed(7 + seed)
        model = transformers.ViTForImageClassification(
            transformers.ViTConfig(
                hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, image_size=12,
                patch_size=4, num_labels=classes,
            )
        )
        missing = model.load_state_dict(trunk, strict=False)
        assert not missing.unexpected_keys and all("classifier" in key for key in missing.missing_keys), missing
        model = peft.get_peft_model(model, config)
        randomize(model, 50 + seed)
        adapter, folded = os.path.join(OUT, "vit", task), os.path.join(OUT, "folded", task)
        save(model, adapter)
        os.makedirs(folded)
        save_file(tensors(model.merge_and_unload()), os.path.join(folded, "model.safetensors"), META)
        for directory in (adapter, folded):
            shutil.copy(os.path.join(merging, task, "validation.safetensors"), directory)


def main():
    for directory in (OUT, REFUSED):
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
    torch.manual_seed(0)
    base = Tiny()
    write_cases(base, CASES, OUT)
    write_cases(Turned(), TURNED, os.path.join(OUT, "turned"))
    write_refusals(base)
    write_converted(base)
    mixed = Mixed()
    write_base(mixed, os.path.join(REFUSED, "mixed-base"))
    model = peft.get_peft_model(mixed, lora(target_modules=["first", "turned", "square"]))
    randomize(model, 200)
    save(model, os.path.join(REFUSED, "mixed-orientation"))
    write_vit()


if __name__ == "__main__":
    main()
