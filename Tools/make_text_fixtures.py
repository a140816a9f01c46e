#!/usr/bin/env python3
"""Makes Tests/MergingTests/Fixtures/texts.json: what rouge_score, seqeval and the official evaluation of SQuAD give.

Needs rouge_score and seqeval. The functions of SQuAD are those of its evaluate-v2.0.py; `contains` is Python's `in` on texts that are
normalised so.
"""

import collections
import json
import os
import random
import re
import string

OUT = os.path.join(os.path.dirname(__file__), "..", "Tests", "MergingTests", "Fixtures", "texts.json")
WORDS = """the a an The A quick brown fox jumps over lazy dog U.S. don't 1,234 état naïve Straße 東京 a\u0301 the. (a) "an" theater
another _a_ a-b the_end İstanbul x\u2019s \u00a0 \u200b 3.14 50% Ünïcödé ½ ² end\u2014of an\u0308""".split(" ")
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "E-LOC", "S-ORG", "I-ORG", "B-ORG"]


def normalize_answer(s):
    def remove_articles(text):
        return re.sub(re.compile(r"\b(a|an|the)\b", re.UNICODE), " ", text)

    def remove_punc(text):
        exclude = set(string.punctuation)
        return "".join(ch for ch in text if ch not in exclude)

    return " ".join(remove_articles(remove_punc(s.lower())).split())


def compute_f1(gold, text):
    gold_toks, pred_toks = normalize_answer(gold).split(), normalize_answer(text).split()
    common = collections.Counter(gold_toks) & collections.Counter(pred_toks)
    num_same = sum(common.values())
    if len(gold_toks) == 0 or len(pred_toks) == 0:
        return int(gold_toks == pred_toks)
    if num_same == 0:
        return 0
    precision, recall = 1.0 * num_same / len(pred_toks), 1.0 * num_same / len(gold_toks)
    return (2 * precision * recall) / (precision + recall)


def case(text, references, scorer):
    return {
        "text": text, "references": references,
        "exact-match": max(float(normalize_answer(text) == normalize_answer(r)) for r in references),
        "f1-squad": max(float(compute_f1(r, text)) for r in references),
        "contains": max(
            float(normalize_answer(r) in normalize_answer(text) if normalize_answer(r) else not normalize_answer(text))
            for r in references),
        "rouge-l": max(scorer.score(r, text)["rougeL"].fmeasure for r in references),
    }


def some(chance, most):
    return " ".join(chance.choice(WORDS) for _ in range(chance.randint(0, most)))


def main():
    # Here, as make_answer_fixtures.py takes the functions of SQuAD alone.
    from rouge_score import rouge_scorer
    from seqeval.metrics import f1_score

    chance = random.Random(7)
    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
    cases = [
        case("The cat sat.", ["a cat sat"], scorer), case("", ["the"], scorer), case("", ["x"], scorer),
        case("It is Paris, France", ["paris", "London"], scorer), case("an apple a day", ["apple day"], scorer),
        case("theatre", ["the atre"], scorer), case("A\tB\nC\x1cD\x85E", ["b c d e"], scorer),
    ]
    for _ in range(200):
        text = some(chance, 8)
        references = [some(chance, 8) for _ in range(chance.randint(1, 3))]
        if chance.random() < 0.5:
            words = text.split(" ")
            chance.shuffle(words)
            references.append(" ".join(words[: chance.randint(0, len(words))]))
        if chance.random() < 0.2:
            references.append(text.upper())
        cases.append(case(text, references, scorer))
    spans = []
    for _ in range(60):
        rows = [[chance.choice(TAGS) for _ in range(chance.randint(1, 9))] for _ in range(chance.randint(1, 4))]
        guesses = [[tag if chance.random() < 0.7 else chance.choice(TAGS) for tag in row] for row in rows]
        spans.append({"labels": rows, "guesses": guesses, "f1": float(f1_score(rows, guesses, zero_division=0))})
    with open(OUT, "w") as file:
        json.dump({"texts": cases, "spans": spans}, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
