"""Ids and speed of encoded tables against the tokenizers library, for each published kind of tokenizer.json.

The tables go the whole way that a task's examples go: admitted, read, encoded, padded and written by `supermerge
encode`. Its processor time over `texts` texts, less that over a few, is held against what one thread of the library takes to
encode them.
"""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LONGEST = 512
FEW = 64


def generator():
    sys.path.insert(0, f"{HERE}/../Tools")
    import make_encoding_fixtures

    return make_encoding_fixtures


def library(tokenizer, table, output):
    """Encodes a table with the tokenizers library in a process of its own: seconds for each round, and the ids."""
    os.environ.update(TOKENIZERS_PARALLELISM="false", RAYON_NUM_THREADS="1")
    import time

    import numpy
    from tokenizers import Tokenizer

    made = Tokenizer.from_file(tokenizer)
    made.no_padding()
    made.enable_truncation(LONGEST)
    with open(table) as file:
        texts = [json.loads(line)["text"] for line in file]
    seconds = []
    for _ in range(3):
        began = time.process_time()
        encodings = made.encode_batch(texts)
        seconds.append(time.process_time() - began)
    rows = [encoding.ids for encoding in encodings]
    numpy.savez(output, ids=numpy.concatenate(rows), lengths=[len(row) for row in rows])
    print(json.dumps(sorted(seconds)[1]))


def models(folder, size):
    """A base and a fine-tune; their weights play no part."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(1)
    model = BertForSequenceClassification(BertConfig(
        vocab_size=size, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=LONGEST, pad_token_id=0, id2label={0: "no", 1: "yes"}))
    model.save_pretrained(f"{folder}/base")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.01 * torch.randn_like(parameter)
    model.save_pretrained(f"{folder}/task")


def table(path, texts):
    with open(path, "w") as file:
        for number, text in enumerate(texts):
            file.write(json.dumps({"text": text, "label": number % 2}) + "\n")


def processor_seconds(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def differences(path, expected):
    """Rows whose ids are not the library's."""
    import numpy
    from safetensors.numpy import load_file

    ours, theirs = load_file(path), numpy.load(expected)
    lengths = theirs["lengths"]
    starts = numpy.concatenate([[0], numpy.cumsum(lengths)])
    found = ours["attention_mask"].sum(1)
    assert len(found) == len(lengths), (len(found), len(lengths))
    return sum(
        int(found[row] != lengths[row])
        or int((ours["input_ids"][row, :lengths[row]] != theirs["ids"][starts[row]:starts[row + 1]]).any())
        for row in range(len(lengths)))


def measure(program, python, texts, slices):
    with tempfile.TemporaryDirectory() as folder:
        kinds = f"{folder}/kinds"
        subprocess.run(
            [python, f"{HERE}/../Tools/make_encoding_fixtures.py", kinds, "--texts", "40", "--vocabulary", "8000"],
            check=True, stderr=subprocess.DEVNULL)
        models(folder, 9000)
        results = {}
        for kind in sorted(name[:-5] for name in os.listdir(kinds) if name.endswith(".json") and name != "texts.json"):
            results[kind] = one(program, python, folder, f"{kinds}/{kind}.json", texts, slices)
            print(kind, results[kind], file=sys.stderr)
        return {"texts": texts * slices, "longest": LONGEST, "kinds": results}


def one(program, python, folder, tokenizer, texts, slices):
    with open(tokenizer) as file:
        described = json.load(file)
    with open(f"{folder}/base/tokenizer.json", "w") as file:
        json.dump(described, file)
    first = min(described["added_tokens"], key=lambda token: token["id"], default={"content": "the"})["content"]
    with open(f"{folder}/base/tokenizer_config.json", "w") as file:
        json.dump({
            "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": LONGEST, "pad_token": first}, file)
    generated = generator()
    examples, output, expected = f"{folder}/task/validation.jsonl", f"{folder}/ours", f"{folder}/theirs.npz"
    command = [program, "encode", f"{folder}/task", "--base", f"{folder}/base", "--output", output]
    table(examples, generated.texts(random.Random(0), FEW))
    fixed = sorted(processor_seconds(command) for _ in range(3))[1]
    differing, ratios, ours = 0, [], []
    for number in range(slices):
        table(examples, generated.texts(random.Random(number + 1), texts))
        ours.append(processor_seconds(command) - fixed)
        run = [python, os.path.abspath(__file__), tokenizer, examples, expected]
        theirs = float(subprocess.run(run, check=True, capture_output=True, text=True).stdout)
        ratios.append(ours[-1] / theirs)
        differing += differences(output, expected)
    middle = sorted(ratios)[len(ratios) // 2]
    return {"differing": differing, "ratio": middle, "ratios": sorted(ratios), "seconds": sorted(ours)[len(ours) // 2]}


if __name__ == "__main__":
    library(*sys.argv[1:])
