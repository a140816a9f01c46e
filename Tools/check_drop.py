#!/usr/bin/env python3
"""Trains a tiny BERT with transformers' Trainer and uploads it as a training job does: `check_drop.py REGISTRY`.

Makes the registry's base, and tasks `full` (by SupermergeCallback) and `adapter` (by drop, where PEFT is installed). Prints the names of
the tasks as JSON.
"""
import importlib.util
import json
import pathlib
import shutil
import sys

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

from supermerge_drop import SupermergeCallback, drop


class Rows(torch.utils.data.Dataset):
    """Sequences of two lengths, and whether the first token is odd."""

    def __len__(self):
        return 64

    def __getitem__(self, number):
        length = 2 + number % 2
        tokens = [2 + (number * 7 + place) % 40 for place in range(length)]
        return {"input_ids": tokens, "attention_mask": [1] * length, "labels": tokens[0] % 2, "text": "not a tensor"}


def collate(batch):
    longest = max(len(row["input_ids"]) for row in batch)
    columns = {
        key: torch.tensor([row[key] + [0] * (longest - len(row[key])) for row in batch])
        for key in ("input_ids", "attention_mask")
    }
    return {**columns, "labels": torch.tensor([row["labels"] for row in batch])}


def main():
    registry = pathlib.Path(sys.argv[1])
    (registry / "tasks").mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=16,
    )
    model = BertForSequenceClassification(config)
    model.bert.save_pretrained(registry / "base")
    callback = SupermergeCallback(registry, "full", Rows(), {"licence": "Apache-2.0"}, limit=32)
    arguments = TrainingArguments(
        output_dir=str(registry.parent / "run"),
        max_steps=60,
        per_device_train_batch_size=16,
        learning_rate=0.001,
        report_to=[],
        use_cpu=True,
        save_strategy="no",
        remove_unused_columns=False,
        disable_tqdm=True,
    )
    Trainer(model=model, args=arguments, train_dataset=Rows(), data_collator=collate, callbacks=[callback]).train()
    assert callback.path == registry / "tasks/full", callback.path
    # A job that is run again replaces what it wrote, in one step and without a rest.
    assert drop(model, registry, "full", Rows(), {"licence": "Apache-2.0"}, limit=32) == callback.path
    for name in ("no task", ".hidden", "a.tmp", "../full"):
        try:
            drop(model, registry, name, Rows())
        except ValueError:
            continue
        raise AssertionError(f"{name!r} passes for the name of a task")
    if importlib.util.find_spec("peft"):
        from peft import LoraConfig, get_peft_model

        plain = BertForSequenceClassification.from_pretrained(registry / "base", num_labels=2)
        adapter = get_peft_model(plain, LoraConfig(r=2, target_modules=["query"], modules_to_save=["classifier"]))
        # An untrained LoRA is the base itself.
        with torch.no_grad():
            for name, parameter in adapter.named_parameters():
                if "lora_B" in name:
                    parameter.add_(0.1 * torch.randn_like(parameter))
        drop(adapter, registry, "adapter", Rows())
    # Examples as files: a folder of images, and a table with the images beside it.
    files = registry.parent / "files"
    (files / "images").mkdir(parents=True, exist_ok=True)
    (files / "images/metadata.csv").write_text("file_name,label\na.png,0\n")
    (files / "dev.csv").write_text("file,label\nimages/a.png,0\n")
    for name, path, wanted in [
        ("folder", "images", "validation/metadata.csv"),
        ("table", "dev.csv", "images/metadata.csv"),
    ]:
        folder = drop(model, registry, name, files / path)
        assert (folder / wanted).is_file() and not (folder / "validation.safetensors").exists(), name
        shutil.rmtree(folder)
    assert not [path for path in (registry / "tasks").iterdir() if path.name.startswith(".")]
    print(json.dumps(sorted(path.name for path in (registry / "tasks").iterdir())))


if __name__ == "__main__":
    main()
