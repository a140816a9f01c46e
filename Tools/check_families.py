#!/usr/bin/env python3
"""Holds the graphs that are built from config.json against transformers, from a checkpoint to a release.

    check_families.py [--programs .build/debug] [--subset] [--list] [--keep DIR] [--no-merge] [NAME…]

For each case of families/*.json a tiny model (hidden size 32, windows of 8) with random weights is saved by save_pretrained, with
the config.json of a published checkpoint in small; then two perturbed task checkpoints with 12 padded examples each. The loss that
`supermerge evaluate` gives has to be PyTorch's to 1e-5, with and without padding. `supermerge merge` (three steps, and the average)
has to give a release that transformers loads without missing or extra names, and whose loss transformers and `evaluate` agree on.

Cases with "dtype": "bf16" save weights in bfloat16; the reference computes in float32 with the same numbers.
"""

import argparse
import copy
import glob
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import load_file, save_file

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "families")
TOLERANCE = 1e-5
EXAMPLES = 12

# Objectives by the end of a class's name, and how the examples of each look.
OBJECTIVES = {
    "ForCausalLM": "language-modeling", "LMHeadModel": "language-modeling", "ForSequenceClassification": "classification",
    "ForTokenClassification": "token-classification", "ForImageClassification": "classification",
    "ForConditionalGeneration": "sequence-to-sequence", "MTModel": "sequence-to-sequence",
    "ForMaskedLM": "masked", "ForQuestionAnswering": "question-answering", "ForMultipleChoice": "choice",
    "WithTeacher": "classification",
}


def cases():
    """name → case; a case of a file has the file's "config", changed by its own."""
    found = {}
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.json"))):
        with open(path) as file:
            for entry in json.load(file):
                for head in entry["heads"]:
                    architecture, _, dtype = head.partition(" ")
                    name = f"{entry['name']} {head}"
                    found[name] = {**entry, "architecture": architecture, "dtype": dtype or "f32", "name": name}
    return found


def objective(case):
    for ending, name in OBJECTIVES.items():
        if case["architecture"].endswith(ending):
            return name
    raise ValueError(case["architecture"])


def fill(model, seed):
    """Weights large enough that attention, positions, windows and caps show in the loss."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad:  # computed positions
                continue
            noise = torch.randn(parameter.shape, generator=generator)
            if "norm" in name.lower() and parameter.dim() == 1 and name.endswith("weight"):
                parameter.copy_(parameter + 0.2 * noise)
            elif parameter.dim() < 2:
                parameter.copy_((parameter if "alpha" in name else 0) + 0.2 * noise)
            elif parameter.dim() == 2 and parameter.shape[0] > 2 * parameter.shape[1]:
                parameter.copy_(0.5 * noise)
            else:
                fan = parameter.shape[1:].numel()
                parameter.copy_(1.5 * noise / fan ** 0.5)
        for name, buffer in model.named_buffers():
            if name.endswith("running_var"):
                buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.5)
            elif name.endswith(("running_mean", "e_score_correction_bias")):
                buffer.copy_(0.1 * torch.randn(buffer.shape, generator=generator))


def make(case, directory):
    """The base as published, two task checkpoints of it, and the models that they hold."""
    torch.manual_seed(len(case["name"]))
    config = {**case["config"], "architectures": [case["architecture"]]}
    if case.get("labels", True) and objective(case) in ("classification", "token-classification"):
        config["id2label"] = {str(index): f"L{index}" for index in range(3)}
        config["label2id"] = {f"L{index}": index for index in range(3)}
    base = os.path.join(directory, "base")
    os.makedirs(base)
    with open(os.path.join(base, "config.json"), "w") as file:
        json.dump(config, file, indent=1)
    parsed = transformers.AutoConfig.from_pretrained(base)
    kind = getattr(transformers, case["architecture"])
    model = kind(parsed)
    fill(model, 1)
    model.tie_weights()
    model.eval()
    dtype = torch.bfloat16 if case["dtype"] == "bf16" else torch.float32
    model.to(dtype)
    saved = model
    if case.get("bare"):
        saved = model.base_model
    saved.save_pretrained(base)
    with open(os.path.join(base, "config.json"), "w") as file:
        json.dump(config | case.get("base", {}), file, indent=1)
    tasks = []
    for index in range(2):
        task = copy.deepcopy(model)
        generator = torch.Generator().manual_seed(100 + index)
        with torch.no_grad():
            for name, parameter in task.named_parameters():
                if not parameter.requires_grad:
                    continue
                scale = 0.3 * parameter.float().std() if parameter.numel() > 1 else 0.05
                change = scale * torch.randn(parameter.shape, generator=generator)
                parameter.copy_((parameter.float() + change).to(dtype))
        folder = os.path.join(directory, f"task{index}")
        task.save_pretrained(folder)
        tasks.append((folder, task))
    return base, tasks


def examples(case, model, seed, padded):
    """Inputs and labels of 12 examples of 5 to 16 tokens; without padding all of one length."""
    generator = torch.Generator().manual_seed(seed)
    config = model.config
    goal = objective(case)
    text = config.get_text_config()

    def tokens(high, shape):
        return torch.randint(case.get("lowest", 5), case.get("highest", high), shape, generator=generator)

    if "pixel_values" in model.main_input_name:
        size = case.get("image", [32, 32])
        values = {"pixel_values": torch.randn(EXAMPLES, 3, *size, generator=generator)}
        if case.get("dense"):
            labels = torch.randint(0, 3, (EXAMPLES, *case["dense"]), generator=generator)
        else:
            labels = torch.randint(0, 3, (EXAMPLES,), generator=generator)
        return values, labels
    length = 16
    lengths = torch.randint(5, length + 1, (EXAMPLES,), generator=generator) if padded else torch.full((EXAMPLES,), length)
    lengths[0] = length
    mask = (torch.arange(length)[None] < lengths[:, None]).long()
    ids = tokens(text.vocab_size, (EXAMPLES, length))
    padding = text.pad_token_id if text.pad_token_id is not None else 0
    ids = torch.where(mask == 1, ids, torch.full_like(ids, padding))
    if case.get("ends"):
        ids[torch.arange(EXAMPLES), lengths - 1] = text.eos_token_id
    if goal == "choice":  # 12 examples of three choices each
        ids = tokens(text.vocab_size, (EXAMPLES, 3, length))
        mask = mask[:, None].expand(EXAMPLES, 3, length).contiguous()
        ids = torch.where(mask == 1, ids, torch.full_like(ids, padding))
        return {"input_ids": ids, "attention_mask": mask}, torch.randint(0, 3, (EXAMPLES,), generator=generator)
    values = {"input_ids": ids, "attention_mask": mask}
    if goal == "language-modeling":
        labels = torch.where(mask == 1, ids, torch.full_like(ids, -100))
    elif goal == "token-classification":
        labels = torch.randint(0, 3, ids.shape, generator=generator)
        labels[mask == 0] = -100
    elif goal == "sequence-to-sequence":
        counts = torch.randint(3, 10, (EXAMPLES,), generator=generator)
        labels = tokens(text.vocab_size, (EXAMPLES, 9))
        labels[torch.arange(9)[None] >= counts[:, None]] = -100
    elif goal == "masked":
        labels = tokens(text.vocab_size, ids.shape)
        labels[(mask == 0) | (torch.rand(ids.shape, generator=generator) < 0.5)] = -100
        labels[:, 1] = 6
    else:
        labels = torch.randint(0, 3, (EXAMPLES,), generator=generator)
    return values, labels


def loss(case, model, values, labels):
    """The cross-entropy that `evaluate` defines, in float32."""
    # Made anew, so that what is computed from the configuration (angles of positions) was never in bfloat16.
    config = copy.deepcopy(model.config)
    config.dtype = torch.float32
    reference = type(model)(config)
    reference.load_state_dict({name: tensor.float() for name, tensor in model.state_dict().items()})
    reference.tie_weights()
    reference.eval()
    if hasattr(config, "use_cache"):
        config.use_cache = False
    goal = objective(case)
    inputs = dict(values)
    if goal == "sequence-to-sequence":
        inputs["labels"] = labels
    with torch.no_grad():
        logits = reference(**inputs).logits.float()
    if goal == "language-modeling":
        logits, labels = logits[:, :-1], labels[:, 1:]
    if case.get("dense"):
        logits = logits.permute(0, 2, 3, 1)
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1), ignore_index=-100).item()


def write_examples(folder, case, values, labels):
    save_file({**{name: value.contiguous() for name, value in values.items()}, "labels": labels.contiguous()},
              os.path.join(folder, "validation.safetensors"))
    goal = {"masked": "token-classification", "choice": "classification"}.get(objective(case), objective(case))
    with open(os.path.join(folder, "task.yaml"), "w") as file:
        file.write(f"objective: {goal}\n")


class Refused(Exception):
    """What supermerge said on standard error, in a line."""


def run(programs, *arguments):
    result = subprocess.run(
        [os.path.join(programs, "supermerge"), *arguments], capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"})
    if result.returncode:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        raise Refused(lines[-1] if lines else f"exit status {result.returncode}")
    return result.stdout


def evaluated(programs, model, task, base):
    line = run(programs, "evaluate", "--model", model, "--task", task, "--base", base, "--threads", "1", "--json")
    return json.loads(line)["loss"]


def released(folder):
    return {n: t for path in glob.glob(f"{folder}/model*.safetensors") for n, t in load_file(path).items()}


def parity(programs, case, base, tasks):
    worst = 0.0
    for index, (folder, model) in enumerate(tasks):
        for padded in (False, True):
            values, labels = examples(case, model, 7 + index, padded)
            write_examples(folder, case, values, labels)
            expected, found = loss(case, model, values, labels), evaluated(programs, folder, folder, base)
            worst = max(worst, abs(found - expected) / max(abs(expected), 1e-30))
    return worst


def round_trip(programs, case, base, tasks, directory):
    """Merges by three steps and by the average; gives the largest differences of the releases' losses and of the average."""
    folders = [folder for folder, _ in tasks]
    output = os.path.join(directory, "release")
    arguments = [item for folder in folders for item in ("--task", folder)]
    run(programs, "merge", "--base", base, *arguments, "--output", output, "--steps", "3", "--threads", "1")
    names, held = released(base), released(output)
    assert names.keys() == held.keys(), f"names differ: {sorted(names.keys() ^ held.keys())[:4]}"
    for name, tensor in names.items():
        assert tensor.shape == held[name].shape and tensor.dtype == held[name].dtype, name
    merged = [name for name in names if not torch.equal(names[name], held[name])]
    assert len(merged) > 0.6 * len(names), f"only {len(merged)} of {len(names)} tensors were merged"
    worst = 0.0
    for folder, model in tasks:
        together = copy.deepcopy(model)
        state = dict(held)
        head = os.path.join(output, "heads", os.path.basename(folder) + ".safetensors")
        if os.path.exists(head):
            state |= load_file(head)
        place = os.path.join(directory, "loaded-" + os.path.basename(folder))
        os.makedirs(place)
        save_file(state, os.path.join(place, "model.safetensors"), metadata={"format": "pt"})
        with open(os.path.join(base, "config.json")) as source, open(os.path.join(place, "config.json"), "w") as target:
            target.write(source.read())
        together, info = type(model).from_pretrained(place, output_loading_info=True, dtype=model.dtype)
        assert not info["missing_keys"] and not info["unexpected_keys"], str(info)[:300]
        values, labels = examples(case, model, 7 + folders.index(folder), True)
        expected = loss(case, together, values, labels)
        found = evaluated(programs, output, folder, base)
        worst = max(worst, abs(found - expected) / max(abs(expected), 1e-30))
    average = os.path.join(directory, "average")
    run(programs, "merge", "--base", base, *arguments, "--output", average, "--method", "average", "--threads", "1")
    held, own = released(average), [released(folder) for folder in folders]
    error = 0.0
    for name, tensor in held.items():
        if not tensor.is_floating_point() or any(name not in tensors for tensors in own):
            continue
        mean = sum(tensors[name].float() for tensors in own) / len(own)
        error = max(error, ((tensor.float() - mean).abs().max() / mean.abs().max().clamp(min=1e-30)).item())
    assert error < (1e-2 if case["dtype"] == "bf16" else 1e-6), f"the average is {error:.1e} off"
    return worst


def export(case, base):
    """Families that are not built go through an exported graph."""
    tool = os.path.join(os.path.dirname(os.path.abspath(__file__)), "export_model.py")
    result = subprocess.run([sys.executable, tool, base], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr.strip().splitlines()[-1]


def check(programs, case, directory, merges):
    base, tasks = make(case, directory)
    if case.get("graph"):
        export(case, base)
    difference = parity(programs, case, base, tasks)
    assert difference < TOLERANCE, f"loss {difference:.1e} off"
    release = round_trip(programs, case, base, tasks, directory) if merges else 0
    assert release < TOLERANCE, f"loss of the release {release:.1e} off"
    return f"parity {difference:.0e}, release {release:.0e}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="cases whose names contain one of these; default: all")
    parser.add_argument("--programs", default=".build/debug", help="folder of supermerge; default: %(default)s")
    parser.add_argument("--subset", action="store_true", help="the cases marked for continuous integration")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument("--keep", help="folder to leave the checkpoints in")
    parser.add_argument("--no-merge", action="store_true", help="compare losses alone")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no further case after so long")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity(transformers.logging.CRITICAL)
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    chosen = {
        name: case for name, case in cases().items()
        if not arguments.names or any(part in name for part in arguments.names)
    }
    if arguments.subset:
        chosen = {name: case for name, case in chosen.items() if case["architecture"] in case.get("ci", [])}
    if arguments.list:
        print("\n".join(chosen))
        return 0
    started, passed, failed = time.monotonic(), 0, 0
    for name, case in chosen.items():
        if time.monotonic() - started > arguments.seconds:
            print(f"stopped after {arguments.seconds:.0f} s; {len(chosen) - passed - failed} cases were not tried")
            failed += 1
            break
        try:
            if arguments.keep:
                place = os.path.join(arguments.keep, name.replace(" ", "-"))
                os.makedirs(place)
                said = check(arguments.programs, case, place, not arguments.no_merge)
            else:
                with tempfile.TemporaryDirectory() as place:
                    said = check(arguments.programs, case, place, not arguments.no_merge)
            passed += 1
            print(f"ok      {name}: {said}", flush=True)
        except (Refused, AssertionError) as error:
            failed += 1
            print(f"FAILED  {name}: {str(error)[:400]}", flush=True)
        except Exception as error:
            failed += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            print(f"FAILED  {name}: {type(error).__name__}: {str(error)[:300]} ({where.name}:{where.lineno})", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
