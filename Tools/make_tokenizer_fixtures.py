#!/usr/bin/env python3
"""Writes Tests/RegistryTests/Fixtures/tokenizers.json: changes of `tokenizer.json` and whether texts get other ids after.

`bases` holds small tokenizers as the tokenizers library writes them, `changes` others and the base that each is held against; `differs`
says whether any of a few texts, among them every token of both, gets other ids.
"""

import copy
import json
import os

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Tests", "RegistryTests", "Fixtures")
CORPUS = ["The quick brown fox jumps over the lazy dog", "a model is merged with its base", "Ünïcode wörds, and: marks!"] * 20
TEXTS = CORPUS[:3] + ["  two  spaces", "The<s>fox", "<|im_start|> user", "quick</s>", "[CLS] fox", "lazy dog\n\n"]


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=320, special_tokens=["<s>", "</s>", "<unk>"],
                                                              initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return tokenizer


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=120, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]"]))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.train_from_iterator(CORPUS, trainers.UnigramTrainer(vocab_size=90, special_tokens=["<s>", "</s>", "<unk>"], unk_token="<unk>"))
    return tokenizer


def changed(tokenizer, change):
    values = json.loads(tokenizer.to_str())
    change(values)
    return values


def add(*tokens, **flags):
    def change(tokenizer):
        other = Tokenizer.from_str(tokenizer.to_str())
        other.add_special_tokens([AddedToken(token, **flags) for token in tokens])
        return json.loads(other.to_str())

    return change


def put(path, value):
    def change(tokenizer):
        values = json.loads(tokenizer.to_str())
        target = values
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = value
        return values

    return change


def merges_as_text(tokenizer):
    values = json.loads(tokenizer.to_str())
    values["model"]["merges"] = [" ".join(pair) for pair in values["model"]["merges"]]
    return values


def fewer_merges(tokenizer):
    values = json.loads(tokenizer.to_str())
    values["model"]["merges"] = values["model"]["merges"][:-40]
    return values


def swapped(tokenizer):
    values = json.loads(tokenizer.to_str())
    vocabulary = values["model"]["vocab"]
    first, second = sorted(vocabulary, key=vocabulary.get)[-2:]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    return values


def without(*path):
    def change(tokenizer):
        values = json.loads(tokenizer.to_str())
        target = values
        for key in path[:-1]:
            target = target[key]
        target.pop(path[-1], None)
        return values

    return change


COMMON = [put(["truncation"], {"direction": "Right", "max_length": 512, "strategy": "LongestFirst", "stride": 0}),
          put(["padding"], {"strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0,
                            "pad_token": "x"}),
          put(["decoder"], None), add("<|im_start|>"), put(["normalizer"], {"type": "Lowercase"} ),
          put(["pre_tokenizer"], {"type": "WhitespaceSplit"})]
CASES = {
    "byte-level": (byte_level, COMMON + [merges_as_text, fewer_merges, swapped, put(["post_processor"], None), put(["model", "dropout"], None),
                                         without("model", "ignore_merges"), put(["pre_tokenizer", "add_prefix_space"], True),
                                         put(["pre_tokenizer", "trim_offsets"], False), without("pre_tokenizer", "use_regex")]),
    "word-piece": (word_piece, COMMON[:-2] + [swapped, put(["normalizer", "lowercase"], False), put(["normalizer", "strip_accents"], False),
                                              put(["model", "continuing_subword_prefix"], "@@"), put(["post_processor"], None)]),
    "unigram": (unigram, COMMON[:4] + [put(["pre_tokenizer", "prepend_scheme"], "never"),
                                       without("pre_tokenizer", "split")]),
}


def ids(values, texts):
    values = copy.deepcopy(values)
    values["truncation"] = values["padding"] = None
    tokenizer = Tokenizer.from_str(json.dumps(values))
    return [tokenizer.encode(text).ids for text in texts]


def tokens(values):
    vocabulary = values["model"]["vocab"]
    return list(vocabulary) if isinstance(vocabulary, dict) else [piece for piece, _ in vocabulary]


def main():
    bases, changes = {}, []
    for name, (make, variants) in CASES.items():
        tokenizer = make()
        base = bases[name] = json.loads(tokenizer.to_str())
        for variant in variants:
            own = variant(tokenizer)
            texts = TEXTS + tokens(base) + tokens(own)
            differs = ids(base, texts) != ids(own, texts)
            parts = {key: own.get(key) for key in set(base) | set(own) if base.get(key) != own.get(key)}
            changes.append({"base": name, "parts": parts, "differs": differs})
            print(differs, name, json.dumps(parts)[:120])
    os.makedirs(OUT, exist_ok=True)
    with open(f"{OUT}/tokenizers.json", "w") as file:
        lines = [json.dumps(item, sort_keys=True, separators=(",", ":")) for item in changes]
        file.write('{"bases":' + json.dumps(bases, sort_keys=True, separators=(",", ":")) + ',\n"changes":[\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
