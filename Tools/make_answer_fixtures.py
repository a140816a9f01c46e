#!/usr/bin/env python3
"""Makes the fixtures of question answering: Tests/ExamplesTests/Fixtures/answers.json and
Tests/MergingTests/Fixtures/answers.json.

The first holds, for tokenizers of Tests/TokenizersTests/Fixtures, questions and texts with the ids, types and positions
that the `tokenizers` library and the rules of transformers' example for SQuAD (run_qa.py) give them. The second holds
scores of tokens with the text that the example takes out of them, all pairs considered, and the exact match and F1 of
SQuAD's official evaluation.
"""

import json
import os
import random

from tokenizers import Tokenizer

from make_encoding_fixtures import ODD, sentence
from make_text_fixtures import compute_f1, normalize_answer

TESTS = os.path.join(os.path.dirname(__file__), "..", "Tests")
KINDS = ["bert-uncased", "bert-cased", "roberta", "xlm-r", "deberta-v3", "albert", "llama2", "gemma"]
LONGEST = 30


def context(chance):
    parts = [chance.choice(ODD) if chance.random() < 0.3 else sentence(chance) for _ in range(chance.randint(1, 4))]
    return " ".join(parts)


def span(chance, text):
    """The first and the last character of some words; none of a text without any."""
    words, start = [], None
    for place, character in enumerate(text + " "):
        if not character.isspace():
            start = place if start is None else start
        elif start is not None:
            words.append((start, place))
            start = None
    if not words:
        return None
    first = chance.randrange(len(words))
    last = min(len(words) - 1, first + chance.randint(0, 3))
    return words[first][0], words[last][1]


def positions(encoding, start, end, cls):
    """As run_qa.py has it; None where the answer is cut off."""
    if start is None:
        place = encoding.ids.index(cls) if cls in encoding.ids else 0
        return [place, place]
    inside = [place for place, sequence in enumerate(encoding.sequence_ids) if sequence == 1]
    if not inside:
        return None
    first, last = inside[0], inside[-1]
    if not (encoding.offsets[first][0] <= start and encoding.offsets[last][1] >= end):
        return None
    while first < len(encoding.offsets) and encoding.sequence_ids[first] == 1 and encoding.offsets[first][0] <= start:
        first += 1
    while last >= 0 and encoding.sequence_ids[last] == 1 and encoding.offsets[last][1] >= end:
        last -= 1
    # Tokens of one character's bytes have the whole of it for their place.
    return sorted([first - 1, last + 1])


def encodings(chance):
    found = []
    for kind in KINDS:
        tokenizer = Tokenizer.from_file(os.path.join(TESTS, "TokenizersTests", "Fixtures", f"{kind}.json"))
        for _ in range(25):
            question, text = sentence(chance)[:40], context(chance)
            maximum = chance.choice([48, 96, 512])
            tokenizer.enable_truncation(maximum, strategy="only_second")
            answer = span(chance, text) if chance.random() < 0.85 else None
            start, end = answer or (None, None)
            try:
                encoding = tokenizer.encode(question.lstrip(), text)
            except Exception:
                continue
            if 1 not in encoding.sequence_ids:
                continue
            if answer and encoding.offsets[encoding.sequence_ids.index(1)][0] > start:
                # What the answer begins with has no token.
                continue
            found.append({
                "kind": kind, "maximum": maximum, "question": question, "context": text, "start": start,
                "answer": None if start is None else text[start:end], "ids": encoding.ids, "types": encoding.type_ids,
                "positions": positions(encoding, start, end, 2)})
    return found


def marked(starts, ends, offsets, text, allows_none):
    best = None
    for first in range(len(starts)):
        for last in range(first, min(first + LONGEST, len(starts))):
            if offsets[first] is None or offsets[last] is None:
                continue
            score = starts[first] + ends[last]
            if best is None or score > best[0]:
                best = (score, text.encode()[offsets[first][0]:offsets[last][1]].decode())
    if best is None or allows_none and starts[0] + ends[0] > best[0]:
        return ""
    return best[1]


def predictions(chance):
    found = []
    for _ in range(120):
        text = context(chance)
        question = chance.randint(2, 6)
        offsets, position = [None] * question, 0
        for word in text.split(" "):
            size = len(word.encode())
            offsets.append((position, position + size))
            position += size + 1
        offsets += [None] * chance.randint(1, 3)
        # Quarters are summed exactly, whatever the type.
        starts, ends = ([chance.randint(-40, 40) / 4 for _ in offsets] for _ in range(2))
        allows_none = chance.random() < 0.5
        guess = marked(starts, ends, offsets, text, allows_none)
        answers = [
            text[slice(*span(chance, text))] if span(chance, text) else text for _ in range(chance.randint(1, 3))
        ]
        if chance.random() < 0.3:
            answers = [guess + "."]
        if allows_none and chance.random() < 0.4:
            answers = []
        golds = answers or [""]
        found.append({
            "starts": starts, "ends": ends, "offsets": [place for pair in offsets for place in (pair or (-1, -1))],
            "context": text, "answers": answers, "allows-none": allows_none, "text": guess,
            "exact-match": max(float(normalize_answer(guess) == normalize_answer(gold)) for gold in golds),
            "f1-squad": max(float(compute_f1(gold, guess)) for gold in golds)})
    return found


def main():
    chance = random.Random(20)
    for name, made in (("ExamplesTests", encodings(chance)), ("MergingTests", predictions(chance))):
        with open(os.path.join(TESTS, name, "Fixtures", "answers.json"), "w") as file:
            json.dump(made, file, ensure_ascii=False, indent=None)
            file.write("\n")


if __name__ == "__main__":
    main()
