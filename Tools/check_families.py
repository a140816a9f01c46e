#!/usr/bin/env python3
"""Holds the graphs that are built from config.json against transformers, from a checkpoint to a release.

    check_families.py [--programs .build/debug] [--subset] [--list] [--keep DIR] [--no-merge] [--record FILE [--resume]] [NAME…]
    check_families.py --page docs/families.md --record FILE

For each case of families/*.json a tiny model (hidden size 32, windows of 8) with random weights is saved by
save_pretrained, with the config.json of a published checkpoint in small; then two perturbed task checkpoints with 12
examples each.

* `supermerge evaluate` computes PyTorch's logits of the first task's texts, all of one length, and of the second
  task's, which are padded, to 1e-5. They are the targets of a regression, whose loss is the mean square of the
  difference. With the first head of a configuration its loss of padded texts is PyTorch's, too.
* `supermerge merge` in three steps changes every tensor that the tasks changed, and nothing of the trunk is a task's
  head.
* transformers loads the release with a task's head without missing or extra names, and `evaluate` computes its
  logits.
* `--method average` gives the mean, with the first head of a configuration.

Cases whose head ends in "bf16" save weights in bfloat16; the reference computes in float32 with the same numbers.
`--record` adds a line of JSON for each case to a file, of which `--page` makes the figures of docs/families.md; the
last of a case counts.
"""

import argparse
import collections
import copy
import glob
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
import traceback

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import load_file, save_file

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "families")
TOLERANCE = 1e-5
EXAMPLES = 12
# Tokens of an example; the shortest whose loss is compared, and whose logits are, padding's too: within a window of every token.
LENGTH, SHORTEST, PADDED = 16, 5, 12
MARKS = ("<!-- checked -->", "<!-- /checked -->")

# Objectives by the end of a class's name, and how the examples of each look.
OBJECTIVES = {
    "ForCausalLM": "language-modeling",
    "LMHeadModel": "language-modeling",
    "ForSequenceClassification": "classification",
    "ForTokenClassification": "token-classification",
    "ForImageClassification": "classification",
    "ForConditionalGeneration": "sequence-to-sequence",
    "MTModel": "sequence-to-sequence",
    "ForSemanticSegmentation": "token-classification",
    "ForMaskedLM": "masked",
    "ForQuestionAnswering": "question-answering",
    "ForMultipleChoice": "choice",
    "WithTeacher": "classification",
    "CLIPModel": "captions",
    "SiglipModel": "captions",
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
                    found[name] = {
                        **entry,
                        "architecture": architecture,
                        "dtype": dtype or "f32",
                        "name": name,
                        "first": head == entry["heads"][0],
                    }
    return found


def objective(case):
    if "goal" in case:
        return case["goal"]
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
    model = kind(parsed.get_text_config() if case.get("whole") else parsed)
    fill(model, 1)
    model.tie_weights()
    model.eval()
    dtype = torch.bfloat16 if case["dtype"] == "bf16" else torch.float32
    model.to(dtype)
    saved = model
    if case.get("bare"):
        saved = model.base_model
    elif case.get("whole"):  # the base of texts and images, of which the tasks are the language part
        saved = getattr(transformers, case["whole"])(copy.deepcopy(parsed))
        fill(saved, 3)
        saved.model.language_model.load_state_dict(model.base_model.state_dict())
        saved.lm_head.load_state_dict(model.lm_head.state_dict())
        saved.tie_weights()
        saved.eval().to(dtype)
        config = config | {"architectures": [case["whole"]]}
    elif case.get("pretraining"):  # the base as it was pretrained, whose head no task has
        saved = getattr(transformers, case["pretraining"])(copy.deepcopy(parsed))
        fill(saved, 3)
        trunk = model.base_model.state_dict()
        assert not saved.base_model.load_state_dict(trunk, strict=False).unexpected_keys
        saved.tie_weights()
        saved.eval().to(dtype)
        config = config | {"architectures": [case["pretraining"]]}
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


def examples(case, model, seed, shortest):
    """Inputs and labels of 12 examples of `shortest` to 16 tokens."""
    generator = torch.Generator().manual_seed(seed)
    config = model.config
    goal = objective(case)
    text = config.get_text_config()

    def tokens(high, shape):
        return torch.randint(case.get("lowest", 5), case.get("highest", high), shape, generator=generator)

    if "pixel_values" in model.main_input_name or goal == "captions":
        size = case.get("image", [32, 32])
        values = {"pixel_values": torch.randn(EXAMPLES, 3, *size, generator=generator)}
        if goal == "captions":  # three texts for each image, which end in the last token of the vocabulary
            lengths = torch.randint(shortest, LENGTH + 1, (EXAMPLES, 3, 1), generator=generator)
            places = torch.arange(LENGTH)
            ids = torch.where(
                places < lengths - 1, tokens(text.vocab_size - 1, (EXAMPLES, 3, LENGTH)), text.vocab_size - 1
            )
            values |= {"input_ids": ids}
            if case["architecture"] == "CLIPModel":  # SigLIP reads no mask
                values |= {"attention_mask": (places < lengths).long()}
        if case.get("dense"):
            labels = torch.randint(0, 3, (EXAMPLES, *case["dense"]), generator=generator)
        else:
            labels = torch.randint(0, 3, (EXAMPLES,), generator=generator)
        return values, labels
    length = LENGTH
    lengths = torch.randint(shortest, length + 1, (EXAMPLES,), generator=generator)
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
    elif goal == "question-answering":  # where the answer starts and ends
        labels = torch.randint(0, 5, (EXAMPLES, 2), generator=generator)
    else:
        labels = torch.randint(0, 3, (EXAMPLES,), generator=generator)
    return values, labels


def reference_logits(case, model, values, labels):
    """What PyTorch computes, in float32."""
    # Made anew, so that what is computed from the configuration (angles of positions) was never in bfloat16.
    config = copy.deepcopy(model.config)
    config.dtype = torch.float32
    reference = type(model)(config).float()
    reference.load_state_dict({name: tensor.float() for name, tensor in model.state_dict().items()})
    reference.tie_weights()
    reference.eval()
    if hasattr(config, "use_cache"):
        config.use_cache = False
    inputs = dict(values)
    if objective(case) == "sequence-to-sequence":
        inputs["labels"] = labels
    with torch.no_grad():
        if objective(case) == "captions":
            pixels, texts = inputs.pop("pixel_values"), [dict(zip(inputs, row)) for row in zip(*inputs.values())]
            return torch.cat([
                reference(pixel_values=image[None], **row).logits_per_image for image, row in zip(pixels, texts)])
        result = reference(**inputs)
    if objective(case) == "question-answering":
        return torch.stack([result.start_logits, result.end_logits], 1).float()
    if case.get("dense"):  # classes of pixels, at the image's size
        return F.interpolate(result.logits.float(), case["dense"], mode="bilinear").permute(0, 2, 3, 1).contiguous()
    return result.logits.float()


def loss(case, model, values, labels):
    """The cross-entropy that `evaluate` defines."""
    logits = reference_logits(case, model, values, labels)
    if objective(case) == "language-modeling":
        logits, labels = logits[:, :-1], labels[:, 1:]
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1), ignore_index=-100).item()


def write_examples(folder, case, values, labels, goal=None):
    save_file({**{name: value.contiguous() for name, value in values.items()}, "labels": labels.contiguous()},
              os.path.join(folder, "validation.safetensors"))
    same = {
        "masked": "masked-language-modeling",
        "choice": "classification",
        "captions": "classification",
        "question-answering": "token-classification",
    }
    goal = goal or same.get(objective(case), objective(case))
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


def logits_difference(programs, case, base, task, weights, model):
    """How far the logits of the weights in a folder are from PyTorch's of a model, by the root of the mean square: those of the first
    task's texts, which are not padded, or the second's, of which every token sees another within a window."""
    folder, index = task
    values, labels = examples(case, model, 7 + index, PADDED if index else LENGTH)
    logits = reference_logits(case, model, values, labels)
    if objective(case) == "sequence-to-sequence":
        values |= {"decoder_input_ids": decoder_inputs(model, labels)}
    write_examples(folder, case, values, logits, "regression")
    return evaluated(programs, weights, folder, base) ** 0.5 / logits.square().mean().sqrt().item()


def parity(programs, case, base, tasks):
    worst = 0.0
    for index, (folder, model) in enumerate(tasks):
        worst = max(worst, logits_difference(programs, case, base, (folder, index), folder, model))
    if not case["first"]:
        return worst
    values, labels = examples(case, model, 7, SHORTEST)
    write_examples(folder, case, values, labels)
    expected, found = loss(case, model, values, labels), evaluated(programs, folder, folder, base)
    return max(worst, abs(found - expected) / max(abs(expected), 1e-30))


def decoder_inputs(model, labels):
    """What transformers gives the decoder for these labels."""
    seen = {}
    hook = model.get_decoder().register_forward_pre_hook(
        lambda _, given, named: seen.update(ids=named.get("input_ids", given[0] if given else None)), with_kwargs=True)
    with torch.no_grad():
        model(input_ids=torch.full((len(labels), 2), 6), labels=labels)
    hook.remove()
    return seen["ids"]


def counterpart(name, tensors):
    """The name of the same tensor in a checkpoint that has a prefix more or fewer."""
    return next(
        (other for other in tensors if other == name or other.endswith("." + name) or name.endswith("." + other)), None
    )


def check_share(base, release, tasks, heads):
    """Every tensor that a task changed is merged, and heads hold nothing of the trunk."""
    own = [released(folder) for folder, _ in tasks]
    for name, tensor in base.items():
        found = [(tensors, counterpart(name, tensors)) for tensors in own]
        if not tensor.is_floating_point() or "running_" in name or any(other is None for _, other in found):
            continue
        changed = any(
            not torch.equal(tensor, tensors[other]) for tensors, other in found if tensors[other].shape == tensor.shape
        )
        assert not changed or not torch.equal(tensor, release[name]), f"{name} was not merged"
    trunk = [name for name, _ in tasks[0][1].base_model.named_parameters()]
    for head in heads:
        strays = [name for name in head if counterpart(name, base) and counterpart(name, trunk)]
        assert not strays, f"{strays[0]} of the trunk is in a head"


def round_trip(programs, case, base, tasks, directory):
    """Merges by three steps and by the average; the largest difference of the releases' logits."""
    folders = [folder for folder, _ in tasks]
    output = os.path.join(directory, "release")
    arguments = [item for folder in folders for item in ("--task", folder)]
    run(programs, "merge", "--base", base, *arguments, "--output", output, "--steps", "3", "--threads", "1")
    names, held = released(base), released(output)
    assert names.keys() == held.keys(), f"names differ: {sorted(names.keys() ^ held.keys())[:4]}"
    for name, tensor in names.items():
        assert tensor.shape == held[name].shape and tensor.dtype == held[name].dtype, name
    heads = [load_file(path) for path in glob.glob(f"{output}/heads/*.safetensors")]
    check_share(names, held, tasks, heads)
    folder, model = tasks[1]
    state = dict(held)
    head = os.path.join(output, "heads", os.path.basename(folder) + ".safetensors")
    if os.path.exists(head):
        state |= load_file(head)
    place = os.path.join(directory, "loaded")
    os.makedirs(place)
    save_file(state, os.path.join(place, "model.safetensors"), metadata={"format": "pt"})
    with open(os.path.join(base, "config.json")) as source, open(os.path.join(place, "config.json"), "w") as target:
        target.write(source.read())
    kind = getattr(transformers, case["whole"]) if case.get("whole") else type(model)
    together, info = kind.from_pretrained(place, output_loading_info=True, dtype=model.dtype)
    unexpected = [] if case.get("pretraining") else info["unexpected_keys"]
    assert not info["missing_keys"] and not unexpected, str(info)[:300]
    worst = logits_difference(programs, case, base, (folder, 1), output, together)
    if not case["first"]:
        return worst
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
    assert difference < TOLERANCE, f"logits or loss {difference:.1e} off"
    release = round_trip(programs, case, base, tasks, directory) if merges else 0
    assert release < TOLERANCE, f"logits of the release {release:.1e} off"
    return {"parity": difference, "release": release}


def outcome(programs, case, directory, merges):
    """What came of a case: "right" with its differences, "refused" or "wrong" with a message."""
    try:
        return {"outcome": "right", **check(programs, case, directory, merges)}
    except Refused as error:
        return {"outcome": "refused", "message": str(error)}
    except AssertionError as error:
        return {"outcome": "wrong", "message": str(error)}
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return {"outcome": "wrong", "message": f"{type(error).__name__}: {error} ({where.name}:{where.lineno})"}


def results(record):
    """The last outcome of each case that there is."""
    with open(record) as file:
        lines = [json.loads(line) for line in file]
    known = cases()
    return {line["name"]: line for line in lines if line["name"] in known}


def summary(found):
    """The paragraph of docs/families.md."""
    known = cases()
    counts = collections.Counter(line["outcome"] for line in found.values())
    right = [line for line in found.values() if line["outcome"] == "right"]
    exported = sum(1 for line in right if known[line["name"]].get("graph"))
    text = (
        f"Checked on {max(line['date'] for line in found.values())} with transformers {transformers.__version__} and PyTorch "
        f"{torch.__version__.split('+')[0]}: {len(found)} of the {len(known)} cases of `Tools/families` (configuration × head × type "
        f"of the weights); {counts['right']} right, {exported} of them through an exported graph, {counts['refused']} refused, "
        f"{counts['wrong']} wrong. Logits differ by {max(line['parity'] for line in right):.0e} of their size at most, and those of "
        f"releases by {max(line['release'] for line in right):.0e}."
    )
    return "\n".join(textwrap.wrap(text, 120))


def write_page(page, record):
    with open(page) as file:
        text = file.read()
    before, after = text.index(MARKS[0]) + len(MARKS[0]), text.index(MARKS[1])
    with open(page, "w") as file:
        file.write(text[:before] + "\n" + summary(results(record)) + "\n" + text[after:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="cases whose names contain one of these; default: all")
    parser.add_argument("--programs", default=".build/debug", help="folder of supermerge; default: %(default)s")
    parser.add_argument("--subset", action="store_true", help="the cases marked for continuous integration")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument("--keep", help="folder to leave the checkpoints in")
    parser.add_argument("--no-merge", action="store_true", help="compare losses alone")
    parser.add_argument("--record", help="file of outcomes")
    parser.add_argument("--resume", action="store_true", help="leave out the cases that --record has")
    parser.add_argument("--page", help="page to write the figures of --record to; checks nothing")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="start no further case after so long")
    arguments = parser.parse_args()
    if arguments.page:
        write_page(arguments.page, arguments.record)
        return 0
    transformers.logging.set_verbosity(transformers.logging.CRITICAL)
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    chosen = {
        name: case for name, case in cases().items()
        if not arguments.names or any(part in name for part in arguments.names)
    }
    if arguments.subset:
        chosen = {name: case for name, case in chosen.items() if case["architecture"] in case.get("ci", [])}
    if arguments.resume and os.path.exists(arguments.record):
        chosen = {name: case for name, case in chosen.items() if name not in results(arguments.record)}
    if arguments.list:
        print("\n".join(chosen))
        return 0
    started, counts = time.monotonic(), collections.Counter()
    for name, case in chosen.items():
        if time.monotonic() - started > arguments.seconds:
            print(f"stopped after {arguments.seconds:.0f} s; {len(chosen) - counts.total()} cases were not tried")
            break
        with tempfile.TemporaryDirectory() as place:
            if arguments.keep:
                place = os.path.join(arguments.keep, name.replace(" ", "-"))
                os.makedirs(place)
            line = {
                "name": name,
                "date": time.strftime("%F"),
                **outcome(arguments.programs, case, place, not arguments.no_merge),
            }
        counts[line["outcome"]] += 1
        if arguments.record:
            with open(arguments.record, "a") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        said = line.get("message") or f"logits {line['parity']:.0e}, release {line['release']:.0e}"
        print(f"{line['outcome']:7} {name}: {said[:400]}", flush=True)
    print(", ".join(f"{counts[word]} {word}" for word in ("right", "refused", "wrong")))
    return 0 if counts["right"] == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
