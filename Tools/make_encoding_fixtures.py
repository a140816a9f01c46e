#!/usr/bin/env python3
"""Trains a tokenizer of each published kind and writes it with texts and the ids that the `tokenizers` library gives
them.

    Tools/make_encoding_fixtures.py FOLDER [--texts N] [--vocabulary N] [--seed N]

The committed fixtures of TokenizersTests are those of `--texts 60 --vocabulary 320`; the parity test makes larger ones.
Needs tokenizers and sentencepiece. Each FOLDER/<kind>.json is a tokenizer.json, <kind>.ids has a line of ids for each
text of texts.json, <kind>.offsets the first and the last character of each token, without special ones.
"""

import argparse
import io
import json
import os
import random

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
WORDS = """the of and a to in is was he for it with as his on be at by I this had not are but from or have an they which one you were all
her she there would their we him been has when who will no more if out so up said what its about than into them can only other time new
some could these two may first then do any like my now over such our man me even most made after also did many off before must well back
through years much where your way down should because long each just state those people too mr how little good world make very year
still see own work men day get here between both being under never same another know while last might us great old against go came right
used take three""".split()
ODD = [
    "日本語のテキスト、漢字かな交じり文。", "中文文本测试，包括标点符号！", "Привет, мир! Как дела?", "مرحبا بالعالم", "नमस्ते दुनिया",
    "안녕하세요 세계", "Ünïcödé ñandú façade", "e\u0301 a\u0308 o\u0302", "👩‍👩‍👧‍👦 emoji 😀🏽 🇩🇪", "def f(x):\n    return x**2 + 3\n\n\tif y: pass",
    "a" * 300, "\u200bzero\u200dwidth\ufeff", "ﬁ ligature ① ㎏ Ⅷ ½", "  multiple   spaces \t tabs\r\n\r\nlines\n\n\n",
    "don't I'll we've they're it's THEY'RE", "12345 1,234.56 ١٢٣ ½", "ΑΣ ΣΑΣ ς", "İstanbul ıı", "\x01\x07\x0b\x7f\x85\u00a0\u2028\u3000",
    "ǅ ŉ ẞ", "﷽ ｆｕｌｌｗｉｄｔｈ ﾊﾝｶｸ", "<s> </s> [MASK] [CLS] <unk> <mask> [SEP]", "x<mask> y", "▁already ▁here",
    "a\u0300\u0301\u0302\u0303" * 5, "\u0365mark first", "  leading", "trailing  ", "wholeword whole word", "", " ",
    "\u09fe\u0301 \u1e78\u1acf \u0f73\u0327 \u166d\u2e43 \u08e2 \U000111c9 \U00010940",
]
BLOCKS = [
    (0x20, 0x7F), (0xA0, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x700), (0x900, 0xA00), (0x1E00, 0x2070), (0x2070, 0x2C00),
    (0x3000, 0x3100), (0x4E00, 0x5E00), (0xAC00, 0xAD00), (0xF900, 0xFFFE), (0x1F300, 0x1FA00), (1, 0x20), (0x7F, 0xA1),
]


def noise(random):
    text = ""
    for _ in range(random.randint(1, 12)):
        low, high = random.choice(BLOCKS)
        text += "".join(chr(random.randrange(low, high)) for _ in range(random.randint(1, 6)))
        text += random.choice(["", "", " ", "  ", "\n", "\t", ".", "'s"])
    return text


def sentence(random):
    words = [random.choice(WORDS) for _ in range(random.randint(1, 20))]
    words = [word.capitalize() if random.random() < 0.15 else word for word in words]
    return random.choice([" ", " ", " ", ", "]).join(words) + random.choice([".", "!", "?", "", " ..."])


def texts(random, count):
    kinds = [
        lambda: sentence(random), lambda: noise(random), lambda: random.choice(ODD) + noise(random) + random.choice(ODD),
        lambda: "".join(random.choice("abcdefghijklmnop") for _ in range(random.randint(1, 200)))]
    return ODD + [random.choices(kinds, weights=[4, 4, 2, 1])[0]() for _ in range(count - len(ODD))]


def template(start, end, pair, special):
    return processors.TemplateProcessing(
        single=f"{start} $A {end}".strip(), pair=pair, special_tokens=[(name, id) for name, id in special])


def word_piece(corpus, size, lowercase):
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made.train_from_iterator(corpus, trainers.WordPieceTrainer(vocab_size=size, special_tokens=special, show_progress=False))
    made.post_processor = template("[CLS]", "[SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", [("[CLS]", 2), ("[SEP]", 3)])
    return made


def byte_level(corpus, size, pattern=None, normalizer=None, prefix=False, ignore_merges=False, post=None):
    made = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    made.decoder = decoders.ByteLevel()
    if normalizer:
        made.normalizer = normalizer
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix) if pattern is None else pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    made.train_from_iterator(corpus, trainers.BpeTrainer(
        vocab_size=size, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    if post:
        made.post_processor = post
    made.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    return made


def sentencepiece_model(folder, corpus, size, kind, **options):
    with open(f"{folder}/corpus.txt", "w") as file:
        file.write("\n".join(line.replace("\n", " ") for line in corpus if "\0" not in line))
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        input=f"{folder}/corpus.txt", model_writer=model, vocab_size=size, model_type=kind, character_coverage=0.98, minloglevel=2,
        hard_vocab_limit=False, **options)
    os.remove(f"{folder}/corpus.txt")
    found = sentencepiece_model_pb2.ModelProto()
    found.ParseFromString(model.getvalue())
    return found


def unigrams(folder, corpus, size, rules):
    found = sentencepiece_model(folder, corpus, size, "unigram", **rules)
    pieces = [(piece.piece, piece.score) for piece in found.pieces]
    charsmap = found.normalizer_spec.precompiled_charsmap
    kinds = {
        "xlm-r": (
            normalizers.Precompiled(charsmap),
            pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")]),
            template("<s>", "</s>", "<s> $A </s> </s> $B </s>", [("<s>", 1), ("</s>", 2)])),
        "t5": (
            normalizers.Sequence([
                normalizers.Precompiled(charsmap), normalizers.Strip(left=False, right=True),
                normalizers.Replace(Regex(" {2,}"), "▁")]),
            pre_tokenizers.Metaspace(prepend_scheme="always"), template("", "</s>", "$A </s> $B </s>", [("</s>", 2)])),
        "deberta-v3": (
            normalizers.Sequence([
                normalizers.Strip(), normalizers.Precompiled(charsmap), normalizers.Replace(Regex(" {2,}"), " ")]),
            pre_tokenizers.Sequence([pre_tokenizers.Metaspace(prepend_scheme="always")]), None),
        "albert": (
            normalizers.Sequence([
                normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(), normalizers.StripAccents(),
                normalizers.Lowercase(), normalizers.Precompiled(charsmap), normalizers.Replace(Regex(" {2,}"), " ")]),
            pre_tokenizers.Metaspace(prepend_scheme="first"), None),
    }
    made = {}
    for name, (normalizer, pre, post) in kinds.items():
        tokenizer = Tokenizer(models.Unigram(pieces, 0, False))
        tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = normalizer, pre, decoders.Metaspace()
        if post:
            tokenizer.post_processor = post
        tokenizer.add_special_tokens(["<s>", "</s>", AddedToken("<mask>", lstrip=True)])
        made[name] = tokenizer
    return made


def byte_fallback(folder, corpus, size):
    """Llama 2 and Gemma: sentencepiece's BPE."""
    found = sentencepiece_model(folder, corpus, size, "bpe", byte_fallback=True, normalization_rule_name="identity")
    ids = {piece.piece: id for id, piece in enumerate(found.pieces)}
    merges = []
    for piece, id in sorted(ids.items(), key=lambda item: item[1]):
        parts = [(piece[:cut], piece[cut:]) for cut in range(1, len(piece))]
        merges += sorted((part for part in parts if part[0] in ids and part[1] in ids), key=lambda part: (ids[part[0]], ids[part[1]]))
    made = {}
    for name in ("llama2", "gemma"):
        tokenizer = Tokenizer(models.BPE(ids, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
        if name == "llama2":
            tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
            tokenizer.post_processor = template("<s>", "", "<s> $A <s>:1 $B:1", [("<s>", 1)])
        else:
            tokenizer.normalizer = normalizers.Replace(" ", "▁")
            tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
        tokenizer.decoder = decoders.Sequence([
            decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
        tokenizer.add_special_tokens(["<s>", "</s>", "<unk>"])
        tokenizer.add_tokens(["new_word", AddedToken("whole", single_word=True)])
        made[name] = tokenizer
    return made


def word_level(corpus):
    words = dict.fromkeys(word for line in corpus[:400] for word in line.split())
    made = Tokenizer(models.WordLevel({"<unk>": 0, **{word: id + 1 for id, word in enumerate(words)}}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Punctuation("isolated")])
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--texts", type=int, default=60)
    parser.add_argument("--vocabulary", type=int, default=320)
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    chance = random.Random(options.seed)
    corpus = [sentence(chance) for _ in range(3000)] + ODD * 3
    size = options.vocabulary
    rules = f"{options.folder}/rules.tsv"
    with open(rules, "w") as file:
        for source, target in (("ﬁ", "fi"), ("①", "1"), ("㎏", "kg"), ("　", " "), ("\t", " "), ("\u200b", " "), ("\x07", "")):
            file.write(" ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n")
    small = {"normalization_rule_tsv": rules} if size < 1000 else {}
    made = {
        "bert-uncased": word_piece(corpus, size, True), "bert-cased": word_piece(corpus, size, False), "gpt2": byte_level(corpus, size),
        "roberta": byte_level(corpus, size, prefix=True, post=processors.RobertaProcessing(("</s>", 2), ("<s>", 0))),
        "llama3": byte_level(corpus, size, LLAMA3, ignore_merges=True, post=processors.Sequence([
            processors.ByteLevel(trim_offsets=False), template("<s>", "", "<s> $A <s>:1 $B:1", [("<s>", 0)])])),
        "qwen": byte_level(corpus, size, QWEN, normalizers.NFC()), "modernbert": byte_level(corpus, size, normalizer=normalizers.NFC()),
        **unigrams(options.folder, corpus, size, small), **byte_fallback(options.folder, corpus, max(size, 600)),
        "word-level": word_level(corpus)}
    os.remove(rules)
    found = texts(chance, options.texts)
    with open(f"{options.folder}/texts.json", "w") as file:
        json.dump(found, file)
    for name, tokenizer in made.items():
        tokenizer.save(f"{options.folder}/{name}.json", pretty=False)
        with open(f"{options.folder}/{name}.ids", "w") as file:
            for text in found:
                encoding = tokenizer.encode(text)
                decoded = tokenizer.decode(encoding.ids)
                file.write(json.dumps({"ids": encoding.ids, "text": decoded}) + "\n")
        with open(f"{options.folder}/{name}.offsets", "w") as file:
            for text in found:
                offsets = tokenizer.encode(text, add_special_tokens=False).offsets
                file.write(json.dumps([place for pair in offsets for place in pair]) + "\n")


if __name__ == "__main__":
    main()
