"""Trains a small T5 from nothing on labelled texts, and fine-tunes it on two tasks: small_t5.py DATA OUT.

OUT/base, OUT/full/<task> and OUT/test are laid out as in the zoo. A task is its name and a text in, one word of an answer out:
the logits of the decoder's first token, without a head. Needs PyTorch, transformers and safetensors.
"""

import collections
import json
import os
import random
import subprocess
import sys

import torch
import transformers
from safetensors.torch import save_file

ANSWERS = {
    "agnews": ["world", "sports", "business", "science"], "pros_cons": ["negative", "positive"],
    "tweet_sentiment": ["negative", "neutral", "positive"], "mpqa": ["negative", "positive"],
    "sst2": ["negative", "positive"],
    "trec6": ["abbreviation", "entity", "description", "person", "place", "number"],
}
TRAINED = ["agnews", "pros_cons", "tweet_sentiment", "mpqa"]
FINE_TUNED = ["sst2", "trec6"]
WORDS, LENGTH, BATCH, VALIDATED = 4000, 32, 32, 256
STEPS, TUNING = int(os.environ.get("T5_STEPS", 800)), int(os.environ.get("T5_TUNING_STEPS", 300))
PAD, END, UNKNOWN = 0, 1, 2


def read(data, task, part):
    with open(f"{data}/{task}.{part}.jsonl") as file:
        rows = [json.loads(line) for line in file]
    return [(f"{task}: {row['text']}".lower().split(), ANSWERS[task][row["label"]]) for row in rows]


def vocabulary(sets):
    """The commonest words, and every answer."""
    counts = collections.Counter(word for rows in sets for words, _ in rows for word in words)
    answers = sorted({answer for task in ANSWERS.values() for answer in task})
    words = [word for word, _ in counts.most_common(WORDS) if word not in answers]
    return {word: index + 3 for index, word in enumerate([*answers, *words])}


def tensors(rows, ids):
    """Inputs and labels as the graph takes them."""
    tokens = torch.full((len(rows), LENGTH), PAD, dtype=torch.int32)
    for index, (words, _) in enumerate(rows):
        row = [ids.get(word, UNKNOWN) for word in words[: LENGTH - 1]] + [END]
        tokens[index, : len(row)] = torch.tensor(row)
    return {
        "input_ids": tokens, "attention_mask": (tokens != PAD).to(torch.uint8),
        "decoder_input_ids": torch.full((len(rows), 1), PAD, dtype=torch.int32),
        "labels": torch.tensor([ids[answer] for _, answer in rows], dtype=torch.int32),
    }


def train(model, examples, steps, rate, seed):
    """AdamW, falling linearly; the examples of each batch drawn at random."""
    chance = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1, 0.02, steps)
    model.train()
    for step in range(steps):
        rows = torch.randint(len(examples["labels"]), (BATCH,), generator=chance)
        loss = torch.nn.functional.cross_entropy(logits(model, examples, rows), examples["labels"][rows].long())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimiser.step()
        schedule.step()
        if step % 100 == 99:
            print(f"step {step + 1} of {steps}: loss {loss.item():.3f}", file=sys.stderr)
    return model.eval()


def logits(model, examples, rows):
    inputs = {name: examples[name][rows].long() for name in ("input_ids", "attention_mask", "decoder_input_ids")}
    return model(**inputs, use_cache=False).logits[:, 0]


def main(data, out):
    torch.manual_seed(0)
    torch.set_num_threads(int(os.environ.get("THREADS", 0)) or os.cpu_count())
    training = {task: read(data, task, "train") for task in [*TRAINED, *FINE_TUNED]}
    ids = vocabulary(training.values())
    config = transformers.T5Config(
        vocab_size=len(ids) + 3, d_model=128, d_kv=32, d_ff=256, num_layers=2, num_decoder_layers=2, num_heads=4,
        dropout_rate=0.1, decoder_start_token_id=PAD)
    model = transformers.T5ForConditionalGeneration(config)
    mixed = [row for task in TRAINED for row in training[task]]
    train(model, tensors(mixed, ids), STEPS, 2e-3, 0)
    model.save_pretrained(f"{out}/base")
    tool = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../Tools/export_model.py")
    subprocess.run([sys.executable, tool, f"{out}/base"], check=True, stdout=sys.stderr)
    os.makedirs(f"{out}/test", exist_ok=True)
    for task in FINE_TUNED:
        rows = training[task]
        random.Random(task).shuffle(rows)
        tuned = transformers.T5ForConditionalGeneration.from_pretrained(f"{out}/base")
        train(tuned, tensors(rows[VALIDATED:], ids), TUNING, 1e-3, 1)
        tuned.save_pretrained(f"{out}/full/{task}")
        for name in set(os.listdir(f"{out}/full/{task}")) - {"model.safetensors"}:
            os.remove(f"{out}/full/{task}/{name}")
        save_file(tensors(rows[:VALIDATED], ids), f"{out}/full/{task}/validation.safetensors", {"format": "pt"})
        save_file(tensors(read(data, task, "test"), ids), f"{out}/test/{task}.safetensors", {"format": "pt"})


if __name__ == "__main__":
    main(*sys.argv[1:])
