#!/usr/bin/env python3
"""Makes Tests/MergingTests/Fixtures/objectives: what PyTorch and transformers make of every objective and metric.

The models are the tiny T5 and Llama of make_fixtures.py with the weights of their fixtures. `NAME.safetensors` is a validation
set; reference.json holds for each its loss and metrics. Losses of tokens are those that transformers itself computes from
`labels` (T5 moves them right for its decoder, Llama shifts them); choices are scored one at a time, each by the log softmax of its
own tokens. `metrics` are sums over lists of labels and predictions, written out here.
"""

import json
import math
import os

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

import make_fixtures

OUT = os.path.join(os.path.dirname(__file__), "..", "Tests", "MergingTests", "Fixtures", "objectives")
WORDS, IGNORED = 32, -100


def model(name):
    tiny = make_fixtures.MODELS[name]
    tiny.load_state_dict(load_file(os.path.join(make_fixtures.FIXTURES, name, "model.safetensors")), strict=False)
    tiny.tie_weights()
    return tiny.eval()


def binary_f1(labels, guesses, of):
    both = sum(a == of and b == of for a, b in zip(labels, guesses))
    either = sum(a == of for a in labels) + sum(b == of for b in guesses)
    return 2 * both / either if either else 0.0


def metrics(labels, guesses):
    """Accuracy, F1 of class 1 and over all classes, and Matthews as the correlation of indicators (Gorodkin, equation 8)."""
    classes = sorted({*labels, *guesses})
    x = torch.tensor([[float(a == k) for k in classes] for a in labels], dtype=torch.float64)
    y = torch.tensor([[float(b == k) for k in classes] for b in guesses], dtype=torch.float64)
    x, y = x - x.mean(0), y - y.mean(0)
    scale = math.sqrt(float((x * x).sum() * (y * y).sum()))
    return {
        "accuracy": sum(a == b for a, b in zip(labels, guesses)) / len(labels),
        "f1": binary_f1(labels, guesses, 1),
        "f1-macro": sum(binary_f1(labels, guesses, k) for k in classes) / len(classes),
        "matthews": float((x * y).sum()) / scale if scale else 0.0,
    }


def of_tokens(logits, labels):
    kept = labels != IGNORED
    guesses = logits.argmax(-1)[kept].tolist()
    found = metrics(labels[kept].tolist(), guesses)
    loss = F.cross_entropy(logits[kept], labels[kept]).item()
    return {"loss": loss, "perplexity": math.exp(loss), "token-accuracy": found.pop("accuracy")} | found


def prompts(generator, examples, tokens):
    ids = torch.randint(2, WORDS, (examples, tokens), generator=generator)
    mask = torch.ones_like(ids)
    for row in range(examples):
        mask[row, tokens - row % 3 :] = 0
    return ids, mask


def sequence_to_sequence(t5, generator):
    ids, mask = prompts(generator, 6, 7)
    labels = torch.randint(1, WORDS, (6, 5), generator=generator)
    for row in range(6):
        labels[row, 1 + row % 5 :] = IGNORED
    out = t5(input_ids=ids, attention_mask=mask, labels=labels)
    expected = of_tokens(out.logits, labels)
    assert abs(expected["loss"] - out.loss.item()) < 1e-5
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}, expected | {"loss": out.loss.item()}


def language(llama, generator):
    ids, mask = prompts(generator, 6, 8)
    labels = ids.masked_fill(mask == 0, IGNORED)
    labels[:, :2] = IGNORED
    out = llama(input_ids=ids, attention_mask=mask, labels=labels)
    expected = of_tokens(out.logits[:, :-1], labels[:, 1:])
    assert abs(expected["loss"] - out.loss.item()) < 1e-5
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}, expected | {"loss": out.loss.item()}


def ranked(scores, labels):
    expected = {}
    for name, values in scores.items():
        right = (values.argmax(-1) == labels).float().mean().item()
        expected[name] = {
            "loss": F.cross_entropy(values, labels).item(), "rank-accuracy": right,
            "scores": [[None if math.isinf(v) else v for v in row] for row in values.tolist()],
        }
    return expected


def decoder_choices(t5, generator):
    """Prompts that are the same for all choices, whose tokens a decoder gives out; some examples have fewer choices."""
    ids, mask = prompts(generator, 5, 6)
    choices = torch.full((5, 4, 4), IGNORED)
    scores = {name: torch.full((5, 4), -math.inf) for name in ("sum", "mean")}
    for row in range(5):
        for choice in range(4 if row % 2 else 3):
            tokens = torch.randint(1, WORDS, (1 + (row + choice) % 4,), generator=generator)
            choices[row, choice, : len(tokens)] = tokens
            given = torch.cat([torch.tensor([0]), tokens[:-1]])[None]
            logits = t5(input_ids=ids[row : row + 1], attention_mask=mask[row : row + 1], decoder_input_ids=given).logits
            likelihoods = F.log_softmax(logits[0], -1).gather(1, tokens[:, None])
            scores["sum"][row, choice] = likelihoods.sum()
            scores["mean"][row, choice] = likelihoods.mean()
    labels = torch.tensor([0, 3, 2, 1, 0])
    tensors = {"input_ids": ids, "attention_mask": mask, "choices": choices, "labels": labels}
    return tensors, ranked(scores, labels)


def causal_choices(llama, generator):
    """Prompts that go on with each choice; only the choice's tokens are scored."""
    ids = torch.zeros(4, 3, 9, dtype=torch.int64)
    mask = torch.zeros_like(ids)
    choices = torch.full_like(ids, IGNORED)
    scores = {name: torch.full((4, 3), -math.inf) for name in ("sum", "mean")}
    for row in range(4):
        prompt = torch.randint(1, WORDS, (3 + row % 2,), generator=generator)
        for choice in range(3):
            tokens = torch.randint(1, WORDS, (1 + (row + 2 * choice) % 5,), generator=generator)
            whole = torch.cat([prompt, tokens])
            ids[row, choice, : len(whole)] = whole
            mask[row, choice, : len(whole)] = 1
            choices[row, choice, len(prompt) : len(whole)] = tokens
            logits = llama(input_ids=whole[None]).logits[0, len(prompt) - 1 : -1]
            likelihoods = F.log_softmax(logits, -1).gather(1, tokens[:, None])
            scores["sum"][row, choice] = likelihoods.sum()
            scores["mean"][row, choice] = likelihoods.mean()
    labels = torch.tensor([2, 0, 1, 1])
    tensors = {"input_ids": ids, "attention_mask": mask, "choices": choices, "labels": labels}
    return tensors, ranked(scores, labels)


def lists(generator):
    """Labels and predictions of two classes, of four, of one that never occurs, and of one alone."""
    cases = []
    for labelled, predicted, count in ((2, 2, 40), (4, 4, 60), (3, 5, 30), (1, 3, 12), (1, 1, 5)):
        labels = torch.randint(0, labelled, (count,), generator=generator)
        guesses = torch.randint(0, predicted, (count,), generator=generator)
        guesses = torch.where(torch.rand(count, generator=generator) < 0.5, labels, guesses)
        cases.append({"labels": labels.tolist(), "guesses": guesses.tolist()} | metrics(labels.tolist(), guesses.tolist()))
    x = torch.randn(20, generator=generator, dtype=torch.float64)
    y = x + torch.randn(20, generator=generator, dtype=torch.float64)
    pearson = {"x": x.tolist(), "y": y.tolist(), "value": torch.corrcoef(torch.stack([x, y]))[0, 1].item()}
    return {"classes": cases, "pearson": pearson}


def distillation(generator):
    """KL from a teacher that masks classes with -inf, and the student's gradient."""
    student = torch.randn(4, 5, generator=generator)
    teacher = torch.randn(4, 5, generator=generator)
    teacher[:, 3] = -math.inf
    teacher[1, 0] = -math.inf
    student.requires_grad_()
    wanted = F.softmax(teacher / 2, -1)
    kept = wanted > 0
    terms = torch.where(kept, wanted, 1.0).log() - F.log_softmax(student / 2, -1)
    loss = 4 * (wanted[kept] * terms[kept]).sum() / 4
    loss.backward()
    return {
        "student": student.detach().flatten().tolist(), "loss": loss.item(), "gradient": student.grad.flatten().tolist(),
        "teacher": [None if math.isinf(v) else v for v in teacher.flatten().tolist()],
    }


def main():
    generator = torch.Generator().manual_seed(4)
    os.makedirs(OUT, exist_ok=True)
    t5, llama = model("t5"), model("llama")
    reference = {"metrics": lists(generator), "distillation": distillation(generator)}
    with torch.no_grad():
        for name, made in {
            "sequence-to-sequence": sequence_to_sequence(t5, generator), "language-modeling": language(llama, generator),
            "decoder-choices": decoder_choices(t5, generator), "causal-choices": causal_choices(llama, generator),
        }.items():
            save_file(made[0], os.path.join(OUT, f"{name}.safetensors"))
            reference[name] = made[1]
    with open(os.path.join(OUT, "reference.json"), "w") as file:
        json.dump(reference, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
