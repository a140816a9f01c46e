#!/usr/bin/env python3
"""Compares the texts that `supermerge evaluate` lets models write with those of transformers' generate(do_sample=False).

    Tools/check_generation.py SUPERMERGE TOKENIZER [--family NAME] [--steps N]

For each family a small model is trained for some steps to say what a prompt asks for, so that it writes texts of different lengths, right
and wrong ones, and saved as a base with TOKENIZER, a tokenizer.json. Its examples are a validation.jsonl of prompts and completions, and
once more the tensors that transformers' tokenizer makes of them. Tokens must be the same for every example, and the metrics of both
forms equal. Prints one JSON object; fails where anything differs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import torch
import transformers
from safetensors.torch import save_file

MOST = 24
WORDS = "one two three four five six seven eight nine ten red blue green small large old new here there now".split()
RULES = {
    "plain": {},
    "ruled": {"repetition_penalty": 1.3, "no_repeat_ngram_size": 3, "min_new_tokens": 3, "suppress_tokens": [7]},
}


def pairs(count, generator):
    """Prompts of words, and the same words backwards up to four of them."""
    for _ in range(count):
        length = int(torch.randint(1, 9, (1,), generator=generator))
        words = [WORDS[int(torch.randint(0, len(WORDS), (1,), generator=generator))] for _ in range(length)]
        yield "say " + " ".join(words) + ":", " " + " ".join(words[::-1][:4])


def configuration(family, words):
    small = {"vocab_size": words, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    seq2seq = small | {"decoder_start_token_id": 0}
    kinds = {
        "llama": lambda: transformers.LlamaConfig(
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=96,
            **small,
        ),
        "gpt2": lambda: transformers.GPT2Config(n_embd=48, n_layer=2, n_head=4, n_positions=96, **small),
        "t5": lambda: transformers.T5Config(d_model=48, d_kv=12, d_ff=96, num_layers=2, num_heads=4, **seq2seq),
        "bart": lambda: transformers.BartConfig(
            d_model=48,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=96,
            decoder_ffn_dim=96,
            max_position_embeddings=96,
            forced_bos_token_id=1,
            forced_eos_token_id=2,
            **seq2seq,
        ),
    }
    return kinds[family]()


def tensors(rows, tokenizer, is_decoder):
    """Inputs and labels of all pairs, padded at the end; −100 on prompts and padding."""
    sources, targets = [], []
    for prompt, completion in rows:
        source = tokenizer(prompt).input_ids
        target = tokenizer(completion, add_special_tokens=is_decoder).input_ids
        if not target or target[-1] != 2:
            target = target + [2]
        sources.append(source if is_decoder else source + target)
        targets.append(target if is_decoder else [-100] * len(source) + target)
    def padded(lists, value):
        width = max(map(len, lists))
        return torch.tensor([row + [value] * (width - len(row)) for row in lists])
    ids = padded(sources, 0)
    return {
        "input_ids": ids, "attention_mask": padded([[1] * len(row) for row in sources], 0),
        "labels": padded(targets, -100)}


def evaluate(program, model, task, base, *more):
    predictions = os.path.join(task, "..", "predictions.jsonl")
    run = subprocess.run(
        [program, "evaluate", "--model", model, "--task", task, "--base", base, "--threads", "1", "--json",
         "--predictions", predictions, *more], capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stderr)
    with open(predictions) as file:
        return json.loads(run.stdout), [json.loads(line) for line in file]


def check(program, tokenizer_file, family, rule, steps, root):
    generator = torch.Generator().manual_seed(3)
    torch.manual_seed(3)
    base, task = os.path.join(root, "base"), os.path.join(root, "task")
    os.makedirs(task)
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=tokenizer_file, pad_token=TOKENS[0], eos_token=TOKENS[2])
    is_decoder = family in ("t5", "bart")
    config = configuration(family, max(512, len(tokenizer)))
    kind = transformers.AutoModelForSeq2SeqLM if is_decoder else transformers.AutoModelForCausalLM
    model = kind.from_config(config)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(steps):
        batch = tensors(list(pairs(16, generator)), tokenizer, is_decoder)
        model(**batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval()
    for key, value in RULES[rule].items():
        setattr(model.generation_config, key, value)
    model.save_pretrained(base)
    tokenizer.save_pretrained(base)
    rows = list(pairs(24, generator))
    with open(os.path.join(task, "validation.jsonl"), "w") as file:
        file.writelines(json.dumps({"prompt": a, "completion": b}) + "\n" for a, b in rows)
    found = {}
    for metric in ("exact-match", "f1-squad", "rouge-l", "contains"):
        with open(os.path.join(task, "task.yaml"), "w") as file:
            file.write(f"objective: generation\nmetric: {metric}\nmax-new-tokens: {MOST}\n")
        score, texts = evaluate(program, base, task, base)
        found[metric] = score["value"]
        assert score["metric"] == metric and score["examples"] == len(rows)
    data = os.path.join(root, "tensors.safetensors")
    save_file(tensors(rows, tokenizer, is_decoder), data)
    again, _ = evaluate(program, base, task, base, "--data", data)
    assert again["value"] == found["contains"], (again, found)
    lengths = set()
    for (prompt, completion), text in zip(rows, texts):
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        with torch.no_grad():
            wanted = model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=False, num_beams=1, max_new_tokens=MOST)[0]
        wanted = wanted[1 if is_decoder else ids.shape[1]:].tolist()
        assert text["tokens"] == wanted, f"{family}, {rule}: {prompt}: {text['tokens']}, not {wanted}"
        assert text["text"] == tokenizer.decode(wanted, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        lengths.add(len(wanted))
    return found | {"lengths": len(lengths), "examples": len(rows)}


TOKENS = ["<pad>", "<s>", "</s>"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("tokenizer")
    parser.add_argument("--family", action="append", choices=["llama", "gpt2", "t5", "bart"])
    parser.add_argument("--steps", type=int, default=120)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with open(arguments.tokenizer) as file:
        for token in json.load(file)["added_tokens"]:
            if token["id"] < 3:
                TOKENS[token["id"]] = token["content"]
    report = {}
    for family in arguments.family or ["llama", "gpt2", "t5", "bart"]:
        for rule in RULES:
            with tempfile.TemporaryDirectory() as root:
                report[f"{family} {rule}"] = check(
                    arguments.program, arguments.tokenizer, family, rule, arguments.steps, root)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
