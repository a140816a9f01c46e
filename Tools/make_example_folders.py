#!/usr/bin/env python3
"""Makes folders as people have them, and the tensors that transformers makes of their examples.

    Tools/make_example_folders.py FOLDER KIND TOKENIZER [--steps N]

KIND is bert (sentiment), xlm-r (topics), t5 (summaries), llama (conversations) or answers (BERT for questions).
FOLDER/base is a small base as transformers saves it, FOLDER/tasks/first and second are fine-tunes with
model.safetensors, config.json and validation.jsonl, and FOLDER/tensors/<task>.safetensors holds what transformers'
tokenizer, or the rules of its examples, make of that table. TOKENIZER is a tokenizer.json of
Tests/TokenizersTests/Fixtures.
"""

import argparse
import copy
import json
import os
import random

import torch
import transformers
from safetensors.torch import save_file

FILLING = (
    "the of and to in is was he for it with as his on be at by had this not are but from have an they which".split()
)
TEMPLATE = os.path.join(os.path.dirname(__file__), "..", "Tests", "ExamplesTests", "Fixtures", "chat", "mistral.jinja")
CLASSES = {
    "bert": [["negative", "positive"], ["calm", "angry", "glad"]],
    "xlm-r": [["sport", "money", "food"], ["town", "country"]],
}
# What is written of a text with a certain word.
WRITTEN = [{"bread": "the", "soup": "which"}, {"paris": "with", "london": "have"}]
# Far from zero, so that fine-tunes stay near to the base.
SIZE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "initializer_range": 0.15,
}


def special(path):
    with open(path) as file:
        tokens = {token["id"]: token["content"] for token in json.load(file)["added_tokens"]}
    return [tokens.get(number) for number in range(5)]


def tokenizer_of(kind, path):
    names = special(path)
    tokens = {
        "bert": {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"},
        "xlm-r": {"pad_token": "<unk>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>"},
        "t5": {"pad_token": "<unk>", "eos_token": "</s>"},
        "llama": {"bos_token": names[0], "pad_token": names[1], "eos_token": names[2]},
    }["bert" if kind == "answers" else kind]
    made = transformers.PreTrainedTokenizerFast(tokenizer_file=path, model_max_length=96, **tokens)
    if kind == "llama":
        with open(TEMPLATE) as file:
            made.chat_template = file.read()
    return made


def model_of(kind, tokenizer, labels):
    words = max(320, len(tokenizer))
    if kind in ("bert", "answers"):
        config = transformers.BertConfig(vocab_size=words, max_position_embeddings=96, pad_token_id=0, **SIZE)
        if kind == "answers":
            return transformers.BertForQuestionAnswering(config)
    if kind == "xlm-r":
        config = transformers.XLMRobertaConfig(
            vocab_size=words, max_position_embeddings=98, pad_token_id=0, type_vocab_size=1, layer_norm_eps=1e-5, **SIZE
        )
    if kind == "t5":
        return transformers.T5ForConditionalGeneration(transformers.T5Config(
            vocab_size=words, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2, pad_token_id=0, eos_token_id=2,
            decoder_start_token_id=0))
    if kind == "llama":
        return transformers.LlamaForCausalLM(
            transformers.LlamaConfig(
                vocab_size=words,
                num_key_value_heads=2,
                max_position_embeddings=96,
                bos_token_id=0,
                pad_token_id=1,
                eos_token_id=2,
                tie_word_embeddings=False,
                **SIZE,
            )
        )
    config.id2label = dict(enumerate(labels))
    config.label2id = {name: number for number, name in enumerate(labels)}
    auto = transformers.AutoModelForSequenceClassification
    return auto.from_config(config)


def words(chance, low, high):
    return [chance.choice(FILLING) for _ in range(chance.randint(low, high))]


def examples(kind, task, count, chance):
    for _ in range(count):
        text = words(chance, 3, 9)
        if kind in CLASSES:
            labels = CLASSES[kind][task]
            label = chance.choice(labels)
            text.insert(chance.randrange(len(text)), label)
            yield {"text": " ".join(text) + chance.choice(["", ".", "!"]), "label": label}
        elif kind == "t5":
            word = chance.choice(list(WRITTEN[task]))
            text.insert(chance.randrange(len(text)), word)
            yield {"document": "summarize: " + " ".join(text), "summary": WRITTEN[task][word]}
        elif kind == "answers":
            food = chance.choice([["bread", "soup"], ["paris", "london"]][task])
            place = chance.randrange(len(text))
            start = sum(len(word) + 1 for word in text[:place])
            text.insert(place, food)
            none = chance.random() < 0.2
            if none:
                text[place] = "nothing"
            yield {
                "question": ["What food?", "Which town?"][task], "context": " ".join(text),
                "answers": {"text": [] if none else [food], "answer_start": [] if none else [start]}}
        else:
            word = chance.choice(list(WRITTEN[task]))
            text.insert(chance.randrange(len(text)), word)
            yield {"messages": [
                {"role": "user", "content": " ".join(text)}, {"role": "assistant", "content": WRITTEN[task][word]}]}


def padded(rows, value):
    width = max(map(len, rows))
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def common(first, second):
    count = 0
    while count < min(len(first), len(second)) and first[count] == second[count]:
        count += 1
    return count


def conversation(row, tokenizer):
    def ids(messages, prompt):
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)
        return tokenizer(text, add_special_tokens=False).input_ids
    whole = ids(row["messages"], False)
    start = common(whole, ids(row["messages"][:-1], True))
    return whole, [-100] * start + whole[start:]


def tensors(kind, rows, tokenizer, config):
    if kind in CLASSES:
        encoded = tokenizer([row["text"] for row in rows], padding=True, truncation=True, return_token_type_ids=True,
            return_tensors="pt")
        names = ["input_ids", "attention_mask"] + (["token_type_ids"] if kind == "bert" else [])
        return {name: encoded[name] for name in names} | {
            "labels": torch.tensor([config.label2id[row["label"]] for row in rows])}
    if kind == "t5":
        encoded = tokenizer([row["document"] for row in rows], padding=True, return_tensors="pt")
        targets = [tokenizer(row["summary"]).input_ids for row in rows]
        return {name: encoded[name] for name in ("input_ids", "attention_mask")} | {"labels": padded(targets, -100)}
    if kind == "answers":
        encoded = tokenizer(
            [row["question"] for row in rows], [row["context"] for row in rows], truncation="only_second", padding=True,
            return_offsets_mapping=True, return_token_type_ids=True, return_tensors="pt")
        spans = []
        for place, row in enumerate(rows):
            if not row["answers"]["text"]:
                spans.append([0, 0])
                continue
            start = row["answers"]["answer_start"][0]
            end = start + len(row["answers"]["text"][0])
            inside = [
                (token, offset) for token, offset in enumerate(encoded["offset_mapping"][place].tolist())
                if encoded.sequence_ids(place)[token] == 1]
            spans.append([
                max(token for token, offset in inside if offset[0] <= start),
                min(token for token, offset in inside if offset[1] >= end)])
        return {name: encoded[name] for name in ("input_ids", "attention_mask", "token_type_ids")} | {
            "labels": torch.tensor(spans)
        }
    pairs = [conversation(row, tokenizer) for row in rows]
    return {
        "input_ids": padded([ids for ids, _ in pairs], tokenizer.pad_token_id),
        "attention_mask": padded([[1] * len(ids) for ids, _ in pairs], 0),
        "labels": padded([labels for _, labels in pairs], -100),
    }


def loss(kind, model, batch):
    if kind == "answers":
        batch = batch | {"start_positions": batch["labels"][:, 0], "end_positions": batch["labels"][:, 1]}
        batch.pop("labels")
    return model(**batch).loss


SETTINGS = {
    "t5": "objective: generation\nmetric: rouge-l\nmax-new-tokens: 12\n",
    "llama": "objective: generation\nmetric: f1\nmax-new-tokens: 12\n",
    "answers": "objective: question-answering\n",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("kind", choices=["bert", "xlm-r", "t5", "llama", "answers"])
    parser.add_argument("tokenizer")
    parser.add_argument("--steps", type=int, help="of a fine-tuning; default: 120, of t5 and llama 250")
    arguments = parser.parse_args()
    kind, root = arguments.kind, arguments.folder
    torch.set_num_threads(1)
    torch.manual_seed(1)
    chance = random.Random(1)
    tokenizer = tokenizer_of(kind, arguments.tokenizer)
    base = model_of(kind, tokenizer, CLASSES.get(kind, [[]])[0])
    # A base without a head for classes: the tower alone.
    (base.base_model if kind in CLASSES else base).save_pretrained(f"{root}/base")
    tokenizer.save_pretrained(f"{root}/base")
    os.makedirs(f"{root}/tensors")
    for task, name in enumerate(["first", "second"]):
        model = model_of(kind, tokenizer, CLASSES.get(kind, [[], []])[task])
        if kind in CLASSES:
            model.base_model.load_state_dict(base.base_model.state_dict())
        else:
            model.load_state_dict(copy.deepcopy(base.state_dict()))
        optimizer = torch.optim.Adam(model.parameters(), 2e-3)
        for _ in range(arguments.steps or (250 if kind in ("t5", "llama") else 120)):
            batch = tensors(kind, list(examples(kind, task, 32, chance)), tokenizer, model.config)
            optimizer.zero_grad()
            loss(kind, model, batch).backward()
            optimizer.step()
        folder = f"{root}/tasks/{name}"
        model.save_pretrained(folder)
        rows = list(examples(kind, task, 64, chance))
        with open(f"{folder}/validation.jsonl", "w") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        if kind in SETTINGS:
            with open(f"{folder}/task.yaml", "w") as file:
                file.write(SETTINGS[kind])
        made = {key: value.contiguous() for key, value in tensors(kind, rows, tokenizer, model.config).items()}
        save_file(made, f"{root}/tensors/{name}.safetensors")


if __name__ == "__main__":
    main()
