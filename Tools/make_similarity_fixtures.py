#!/usr/bin/env python3
"""Makes Tests/MergingTests/Fixtures/similarity: what sentence-transformers makes of pairs of texts with scores.

    make_similarity_fixtures.py                  the fixtures
    make_similarity_fixtures.py REGISTRY         a registry of the same base and tasks, whose examples are tables
    make_similarity_fixtures.py --score MODEL TABLE
                                                 prints loss, pearson and spearman of a model on a table as JSON

The base is a tiny BERT as SentenceTransformer saves it, without a head; `first` and `second` are fine-tunes of it. For each pooling mode
reference.json holds the cosines of `first`, CosineSimilarityLoss and its gradient by a bias, and what EmbeddingSimilarityEvaluator reports.
"""

import csv
import json
import os
import pathlib
import shutil
import sys

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses, modules
from sentence_transformers.sentence_transformer.evaluation import EmbeddingSimilarityEvaluator
from transformers import BertConfig, BertModel, BertTokenizerFast

torch.set_num_threads(1)
OUT = pathlib.Path(__file__).resolve().parent.parent / "Tests/MergingTests/Fixtures/similarity"
WORDS = [f"word{number}" for number in range(40)]
MODES = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", ["mean", "max"]]
WATCHED = "encoder.layer.1.output.dense.bias"
TASKS = {"first": 1, "second": 2}


def texts(seed, count):
    """Pairs of texts of unlike length, and the share of the words that they have in common as their score."""
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for _ in range(count):
        length = int(torch.randint(2, 9, (1,), generator=generator))
        first = torch.randint(0, len(WORDS), (length,), generator=generator).tolist()
        kept = int(torch.randint(0, length + 1, (1,), generator=generator))
        second = first[:kept] + torch.randint(0, len(WORDS), (1 + length // 2,), generator=generator).tolist()
        score = len(set(first) & set(second)) / len(set(first) | set(second))
        rows.append({
            "sentence1": " ".join(WORDS[word] for word in first), "sentence2": " ".join(WORDS[word] for word in second),
            "score": round(score, 3),
        })
    return rows


def tower(folder):
    """Folder of a BERT without a head, and its tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + WORDS
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=16).save_pretrained(folder)
    (folder / "vocab.txt").unlink()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=24, initializer_range=0.3, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)


def model(folder, mode="mean"):
    parts = [modules.Transformer(str(folder)), modules.Pooling(16, mode), modules.Normalize()]
    return SentenceTransformer(modules=parts, device="cpu")


def train(start, rows, steps=60):
    """A fine-tune of the model in `start` by CosineSimilarityLoss."""
    torch.manual_seed(0)
    trained = model(start)
    loss = losses.CosineSimilarityLoss(trained)
    optimizer = torch.optim.Adam(trained.parameters(), lr=0.003)
    for _ in range(steps):
        features = [trained.preprocess([row[name] for row in rows]) for name in ("sentence1", "sentence2")]
        value = loss(features, torch.tensor([row["score"] for row in rows]))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return trained


def score(found, rows):
    """Loss, metrics and cosines of a model, and the loss's gradient by one bias."""
    first, second = ([row[name] for row in rows] for name in ("sentence1", "sentence2"))
    scores = [float(row["score"]) for row in rows]
    told = EmbeddingSimilarityEvaluator(first, second, scores, main_similarity="cosine", show_progress_bar=False)(found)
    features = [found.preprocess(texts) for texts in (first, second)]
    found.zero_grad()
    loss = losses.CosineSimilarityLoss(found)(features, torch.tensor(scores))
    loss.backward()
    gradient = {name: p.grad for name, p in found.named_parameters() if name.endswith(WATCHED)}
    vectors = [found.encode(texts, convert_to_tensor=True, show_progress_bar=False) for texts in (first, second)]
    return {
        "loss": loss.item(), "pearson": float(told["pearson_cosine"]), "spearman": float(told["spearman_cosine"]),
        "cosines": torch.cosine_similarity(*vectors).tolist(), "gradient": next(iter(gradient.values())).tolist(),
    }


def write_table(folder, rows):
    with open(folder / "validation.jsonl", "w") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def write_tensors(folder, found, rows):
    """The same as tensors, [examples, 2, tokens]."""
    pairs = [row[name] for row in rows for name in ("sentence1", "sentence2")]
    encoded = found.tokenizer(pairs, padding=True, truncation=True, return_tensors="pt")
    tensors = {
        name: encoded[name].reshape(len(rows), 2, -1).to(torch.int32).contiguous()
        for name in ("input_ids", "attention_mask")
    }
    save_file({**tensors, "labels": torch.tensor([row["score"] for row in rows])}, folder / "validation.safetensors")


def make(root, base, tasks):
    """The base and the tasks; gives the tasks' rows by name."""
    plain = root / "plain"
    tower(plain)
    model(plain).save(str(base))
    for name in ("README.md", "2_Normalize/README.md"):
        (base / name).unlink(missing_ok=True)
    rows = {}
    for name, seed in TASKS.items():
        rows[name] = texts(seed, 24)
        folder = tasks / name
        folder.mkdir(parents=True, exist_ok=True)
        train(plain, texts(seed + 10, 64))[0].auto_model.save_pretrained(folder)
        (folder / "task.yaml").write_text("objective: similarity\n")
        write_table(folder, rows[name])
    shutil.rmtree(plain)
    return rows


def main():
    if sys.argv[1:2] == ["--score"]:
        path = sys.argv[3]
        with open(path) as file:
            rows = list(csv.DictReader(file)) if path.endswith(".csv") else [json.loads(line) for line in file]
        found = score(SentenceTransformer(sys.argv[2], device="cpu"), rows)
        print(json.dumps({name: found[name] for name in ("loss", "pearson", "spearman")}))
        return
    if len(sys.argv) > 1:
        registry = pathlib.Path(sys.argv[1])
        make(registry.parent / "similarity", registry / "base", registry / "tasks")
        return
    shutil.rmtree(OUT, ignore_errors=True)
    rows = make(OUT, OUT / "base", OUT)
    reference = {}
    for mode in MODES:
        parts = [modules.Transformer(str(OUT / "base")), modules.Pooling(16, mode)]
        found = SentenceTransformer(modules=parts, device="cpu")
        found[0].auto_model.load_state_dict(BertModel.from_pretrained(OUT / "first").state_dict(), strict=False)
        configuration = json.dumps(found[1].get_config_dict())
        reference[mode if isinstance(mode, str) else "+".join(mode)] = score(found, rows["first"]) | {
            "configuration": configuration
        }
    for name in TASKS:
        write_tensors(OUT / name, model(OUT / "base"), rows[name])
        for path in (OUT / name).glob("*.json"):
            if path.name != "config.json":
                path.unlink()
    with open(OUT / "reference.json", "w") as file:
        json.dump(reference, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
