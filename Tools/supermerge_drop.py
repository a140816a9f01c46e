#!/usr/bin/env python3
"""Puts a fine-tune into a registry of supermerged from the training job that made it.

One file to copy beside a training script; it needs torch, transformers and safetensors, which the job has.

    from supermerge_drop import SupermergeCallback, drop

    trainer.add_callback(SupermergeCallback("/srv/supermerge/registry", "sentiment", tokenized_dev_set))
    drop(model, "/srv/supermerge/registry", "sentiment", tokenized_dev_set)

Everything is written beside the task's folder under a hidden name and takes its place in one step: the registry has the old task or
the new one, never a part. What is right for the base, such as the tokenizer and padding at the end, is up to the examples.
"""
import ctypes
import inspect
import json
import os
import pathlib
import re
import shutil
import uuid

import torch
from safetensors.torch import save_file
from transformers import TrainerCallback

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
OBJECTIVES = {
    "ForCausalLM": "language-modeling",
    "LMHeadModel": "language-modeling",
    "ForMaskedLM": "masked-language-modeling",
    "ForConditionalGeneration": "sequence-to-sequence",
    "ForTokenClassification": "token-classification",
    "ForMultipleChoice": "multiple-choice",
}


def drop(model, registry, task, examples, settings=None, limit=None):
    """Writes the model's weights or its adapter, the examples and task.yaml as `registry/tasks/task`; gives its path.

    model: a model of transformers, or one of PEFT, of which the adapter alone is written.
    examples: rows of numbers as a tokenizer and a Trainer have them, with `labels` (or `label`) where there are some: a Dataset, or any
        sequence of mappings. Columns that the model's forward does not take are left out; rows are padded at their end. Or a path: of a
        .jsonl, .csv or .safetensors file, with the folders `validation` and `images` beside it where it names images; or of a folder of
        images with its metadata.csv or metadata.jsonl.
    settings: keys of task.yaml, such as {"metric": "f1", "licence": "Apache-2.0"}; `objective` is filled in by the model's class.
    limit: examples to write at most, evenly spaced over all.

    Raises ValueError where a name or the examples can't be used.
    """
    if not NAME.fullmatch(task) or task.endswith((".tmp", ".part", ".incomplete")):
        raise ValueError(f"{task!r} is no name of a task: letters, digits, '.', '_' and '-', at most 128")
    tasks = pathlib.Path(registry) / "tasks"
    if not tasks.is_dir():
        raise ValueError(f"{tasks}: there is no such folder; name the registry that the daemon watches")
    staging = tasks / f".drop-{task}-{uuid.uuid4().hex}"
    staging.mkdir()
    try:
        # The weights as the model has them, whatever wraps it.
        model = getattr(model, "module", model)
        model.save_pretrained(staging, safe_serialization=True)
        for leftover in ("README.md", "training_args.bin"):
            (staging / leftover).unlink(missing_ok=True)
        plain = model.get_base_model() if hasattr(model, "get_base_model") else model
        # An adapter without its model's configuration would not say what its classes are called.
        if not (staging / "config.json").exists():
            plain.config.save_pretrained(staging)
        if isinstance(examples, (str, os.PathLike)):
            copy_examples(pathlib.Path(examples), staging)
        else:
            save_file(tensors_of(examples, plain, limit), staging / "validation.safetensors")
        settings = {**objective_of(plain), **(settings or {})}
        if settings:
            lines = [f"{key}: {json.dumps(value)}\n" for key, value in settings.items()]
            (staging / "task.yaml").write_text("".join(lines), encoding="utf-8")
        make_durable(staging)
        put(staging, tasks / task)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return tasks / task


class SupermergeCallback(TrainerCallback):
    """Drops the model at the end of a Trainer's run, from its first process. With `load_best_model_at_end` it is the best one."""

    def __init__(self, registry, task, examples, settings=None, limit=None):
        self.arguments = (registry, task, examples, settings, limit)
        self.path = None

    def on_train_end(self, args, state, control, model=None, **kwargs):
        if state.is_world_process_zero:
            registry, task, examples, settings, limit = self.arguments
            self.path = drop(model, registry, task, examples, settings, limit)


def objective_of(model):
    """`objective` of task.yaml, by the model's class and configuration; empty for the default, classification."""
    name = type(model).__name__
    for ending, objective in OBJECTIVES.items():
        if name.endswith(ending):
            return {"objective": objective}
    if getattr(model.config, "problem_type", None) == "regression" or getattr(model.config, "num_labels", 2) == 1:
        return {"objective": "regression"}
    return {}


def copy_examples(path, folder):
    """Copies a file of examples, with the images that it may name, or a folder of images."""
    if path.is_dir():
        shutil.copytree(path, folder / "validation")
        return
    if path.suffix not in (".jsonl", ".csv", ".safetensors"):
        raise ValueError(f"{path} can't hold examples: expected .jsonl, .csv or .safetensors, or a folder of images")
    shutil.copyfile(path, folder / f"validation{path.suffix}")
    for images in ("validation", "images"):
        if path.suffix != ".safetensors" and (path.parent / images).is_dir():
            shutil.copytree(path.parent / images, folder / images)


def tensors_of(examples, model, limit=None):
    """Column → a tensor with one row for each example."""
    count = len(examples)
    if count == 0:
        raise ValueError("there are no examples")
    step = max(1.0, count / limit) if limit else 1.0
    rows = [examples[int(place * step)] for place in range(int(count / step))]
    rows = [{"labels" if key == "label" else key: value for key, value in dict(row).items()} for row in rows]
    taken = set(inspect.signature(model.forward).parameters) | {"choices"}
    config = model.config
    fillings = {
        "input_ids": getattr(config, "pad_token_id", None) or 0,
        "decoder_input_ids": getattr(config, "pad_token_id", None) or 0,
        "labels": -100,
        "choices": -100,
    }
    tensors = {}
    for key in rows[0]:
        if key not in taken or isinstance(rows[0][key], str) or rows[0][key] is None:
            continue
        values = [torch.as_tensor(row[key]) for row in rows]
        if any(value.dim() != values[0].dim() for value in values):
            raise ValueError(f"{key} has rows of different depths")
        shape = [max(value.shape[axis] for value in values) for axis in range(values[0].dim())]
        kind = torch.int64 if not values[0].is_floating_point() else torch.float32
        column = torch.full((len(values), *shape), fillings.get(key, 0), dtype=kind)
        for place, value in enumerate(values):
            column[(place, *(slice(0, length) for length in value.shape))] = value.to(kind)
        tensors[key] = column.contiguous()
    if not set(tensors) - {"labels"}:
        raise ValueError(
            f"no column of the examples is an input of {type(model).__name__}: they have {', '.join(rows[0])}"
        )
    return tensors


def make_durable(folder):
    """Readable for the registry's group whatever the umask is, and on the disk before it is seen."""
    for path in sorted(folder.rglob("*"), reverse=True) + [folder]:
        path.chmod(path.stat().st_mode | (0o070 if path.is_dir() else 0o440))
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def put(staging, folder):
    """Gives the folder its name; one that stands there already changes places with it in one step."""
    if not folder.exists():
        os.rename(staging, folder)
    elif not exchange(staging, folder):
        former = staging.with_name(staging.name + "-former")
        os.rename(folder, former)
        os.rename(staging, folder)
        staging = former
    descriptor = os.open(folder.parent, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    shutil.rmtree(staging, ignore_errors=True)


def exchange(one, other):
    """renameat2(2) with RENAME_EXCHANGE; False where the C library or the file system does not have it."""
    try:
        call = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:
        return False
    here, both = -100, 2
    return call(here, os.fsencode(one), here, os.fsencode(other), both) == 0
