"""Writes Fuzz/Corpus: attacks by name, and what is to come of each. Standard library only; run it after a change and commit the files."""

import base64
import json
import pathlib
import shutil
import struct
import zipfile
import zlib

root = pathlib.Path(__file__).parent / "Corpus"
shutil.rmtree(root, ignore_errors=True)


def put(attack, outcome, name, content):
    folder = root / attack / outcome
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def tensor(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def safetensors(header, data, length=None):
    header = header if isinstance(header, bytes) else (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + bytes(data)


a, b = tensor([1], 0, 4), tensor([1], 4, 8)
plain = json.dumps({"a": a, "b": b})
put("safetensors", "accepted", "plain", safetensors(plain, 8))
put("safetensors", "accepted", "metadata-and-padding", safetensors(json.dumps({"__metadata__": {"format": "pt"}, "a": a}) + "   ", 4))
put("safetensors", "accepted", "empty-tensor", safetensors({"a": tensor([0, 4], 0, 0)}, 0))
put("safetensors", "accepted", "no-tensors", safetensors("{}", 0))
put("safetensors", "accepted", "scalar-in-bf16", safetensors({"a": tensor([], 0, 2, "BF16")}, 2))
put("safetensors", "accepted", "unicode-name", safetensors({"größe.重み": a}, 4))
put("safetensors", "refused", "nothing", b"")
put("safetensors", "refused", "seven-bytes", b"\x02\0\0\0\0\0\0")
put("safetensors", "refused", "length-of-all-ones", safetensors(plain, 8, 2**64 - 1))
put("safetensors", "refused", "length-above-the-limit", safetensors(plain, 8, 100_000_001))
put("safetensors", "refused", "length-zero", safetensors(plain, 8, 0))
put("safetensors", "refused", "length-beyond-the-end", safetensors(plain, 8, 4096))
put("safetensors", "refused", "data-cut-short", safetensors(plain, 7))
put("safetensors", "refused", "data-too-long", safetensors(plain, 9))
put("safetensors", "refused", "a-pickle", b"\x80\x04\x95\x1d\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.")
put("safetensors", "refused", "utf16", safetensors(plain.encode("utf-16-le"), 8))

put("header", "accepted", "plain", plain)
put("header", "accepted", "escaped-name", '{"\\u00e9\\u0061":%s}' % json.dumps(a))
put("header", "accepted", "largest-depth-of-shape", json.dumps({"a": tensor([1] * 64, 0, 4)}))
for name, text in {
    "duplicate-tensor": '{"a":%s,"a":%s}' % (json.dumps(a), json.dumps(b)),
    "duplicate-by-escape": '{"a":%s,"\\u0061":%s}' % (json.dumps(a), json.dumps(b)),
    "duplicate-key": '{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
    "duplicate-metadata": '{"__metadata__":{},"__metadata__":{},"a":%s}' % json.dumps(a),
    "metadata-of-numbers": '{"__metadata__":{"k":1},"a":%s}' % json.dumps(a),
    "unknown-field": '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"exec":"rm"}}',
    "unknown-dtype": json.dumps({"a": tensor([4], 0, 4, "PICKLE")}),
    "hole": json.dumps({"a": a, "b": tensor([1], 8, 12)}),
    "overlap": json.dumps({"a": a, "b": tensor([1], 2, 6)}),
    "backwards": json.dumps({"a": tensor([1], 8, 4)}),
    "negative-offset": json.dumps({"a": tensor([1], -4, 0)}),
    "negative-axis": json.dumps({"a": tensor([-1], 0, 4)}),
    "fraction": '{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}',
    "exponent": '{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}',
    "leading-zero": '{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}',
    "number-above-63-bits": json.dumps({"a": tensor([2**63], 0, 4)}),
    "number-above-64-bits": json.dumps({"a": tensor([2**70], 0, 4)}),
    "product-wraps-around": json.dumps({"a": tensor([2**32, 2**32, 4], 0, 0)}),
    "product-wraps-to-size": json.dumps({"a": tensor([2**62, 4, 1], 0, 4)}),
    "too-many-axes": json.dumps({"a": tensor([1] * 65, 0, 4)}),
    "name-with-nul": '{"a\\u0000b":%s}' % json.dumps(a),
    "name-that-clears-the-terminal": '{"\\u001b[2J":%s}' % json.dumps(a),
    "name-with-line-break": '{"a\\nERROR published":%s}' % json.dumps(a),
    "name-with-c1-control": '{"a\\u009b31m":%s}' % json.dumps(a),
    "name-that-climbs": '{"../../etc/passwd":%s}' % json.dumps(a),
    "name-empty": '{"":%s}' % json.dumps(a),
    "name-too-long": json.dumps({"a" * 5000: a}),
    "lone-surrogate": '{"\\ud800":%s}' % json.dumps(a),
    "leading-space": " " + plain,
    "byte-order-mark": "\ufeff" + plain,
    "trailing-object": plain + "{}",
    "trailing-line-feed": plain + "\n",
    "array": "[%s]" % plain,
    "deep-nesting": '{"a":' + "[" * 20_000,
    "deep-objects": '{"a":' * 20_000,
    "comment": "{/*a*/}",
    "single-quotes": "{'a':1}",
    "nan": '{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}',
    "missing-offsets": '{"a":{"dtype":"F32","shape":[1]}}',
    "three-offsets": '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}',
}.items():
    put("header", "refused", name, text)
put("header", "refused", "bad-utf8", b'{"a\xff":' + json.dumps(a).encode() + b"}")
put("header", "refused", "overlong-utf8", b'{"a\xc0\xaf":' + json.dumps(a).encode() + b"}")

meta = {
    "dtype": 7, "sizes": [{"as_expr": {"expr_str": "s0"}}, {"as_int": 2}], "strides": [{"as_int": 2}, {"as_int": 1}],
    "storage_offset": {"as_int": 0}, "requires_grad": False, "device": {"type": "cpu"}, "layout": 7,
}


def model(argument=None, **changes):
    value = {
        "schema_version": {"major": 8, "minor": 20},
        "graph_module": {
            "signature": {
                "input_specs": [
                    {"parameter": {"arg": {"name": "p_w"}, "parameter_name": "w"}},
                    {"user_input": {"arg": {"as_tensor": {"name": "x"}}}},
                ],
                "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": "mul"}}}}],
            },
            "graph": {
                "inputs": [{"as_tensor": {"name": "p_w"}}, {"as_tensor": {"name": "x"}}],
                "outputs": [{"as_tensor": {"name": "mul"}}],
                "nodes": [{
                    "target": "torch.ops.aten.mul.Tensor", "name": "mul", "metadata": {},
                    "inputs": [
                        {"name": "self", "arg": {"as_tensor": {"name": "x"}}},
                        {"name": "other", "arg": argument or {"as_tensor": {"name": "p_w"}}},
                    ],
                    "outputs": [{"as_tensor": {"name": "mul"}}],
                }],
                "tensor_values": {"p_w": meta, "x": meta, "mul": meta}, "sym_int_values": {}, "sym_bool_values": {},
            },
        },
    }
    return json.dumps({**value, **changes}, separators=(",", ":"))


def subgraph(depth):
    argument = {"as_int": 1}
    for _ in range(depth):
        graph = {"inputs": [], "outputs": [], "tensor_values": {}, "nodes": [
            {"target": "t", "inputs": [{"name": "", "arg": argument}], "outputs": [], "metadata": {}}]}
        argument = {"as_graph": {"name": "g", "graph": graph}}
    return argument


put("graph", "accepted", "product", model())
put("graph", "accepted", "integer-argument", model({"as_int": 2}))
put("graph", "accepted", "two-subgraphs-deep", model(subgraph(2)))
for name, text in {
    "empty": "", "null": "null", "array": "[]", "no-graph": '{"schema_version":{"major":8}}',
    "another-schema": model(schema_version={"major": 9, "minor": 0}),
    "deep-nesting": "[" * 20_000, "subgraphs-without-end": model(subgraph(40)),
    "signature-does-not-fit": model().replace('{"as_tensor":{"name":"p_w"}},{"as_tensor":{"name":"x"}}]', '{"as_tensor":{"name":"x"}}]', 1),
    "key-with-line-break": '{"schema_version":{"major":"a\\nb"}}',
    "custom-object": model().replace('"user_input"', '"custom_obj"'),
    "token": model().replace('"user_input"', '"token"'),
    "integer-too-large": model({"as_int": 10**30}), "float-of-text": model({"as_float": "many"}),
    "two-kinds-at-once": model({"as_int": 1, "as_none": True}), "no-kind": model({"x": 1}).replace('{"x":1}', "{}"),
    "number-for-an-object": model().replace('"graph":{', '"graph":7,"x":{'),
}.items():
    put("graph", "refused", name, text)


def archive(entries, compression=zipfile.ZIP_STORED):
    import io

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, text in entries:
            file.writestr(zipfile.ZipInfo(name), text, compression)
    return buffer.getvalue()


whole = [("g/models/model.json", model()), ("g/data/weights/model_weights_config.json", '{"config":{}}'), ("g/byteorder", "little")]
put("archive", "accepted", "whole", archive(whole))
put("archive", "accepted", "with-a-pickle-nobody-opens", archive(whole + [("g/data/x.pkl", b"\x80\x04.")]))
climbing = '{"config":{"w":{"path_name":"../../etc/passwd","is_param":true,"use_pickle":false}}}'
put("archive", "accepted", "storage-that-nobody-looks-for", archive([whole[0], (whole[1][0], climbing), whole[2]]))
bytes_of_whole = archive(whole)
end = len(bytes_of_whole) - 22
for name, content in {
    "nothing": b"", "text": b"not a zip at all, but long enough to be one",
    "compressed": archive(whole, zipfile.ZIP_DEFLATED), "cut-in-the-middle": bytes_of_whole[: len(bytes_of_whole) // 2],
    "without-its-end": bytes_of_whole[:-1], "no-model": archive(whole[1:]),
    "two-models": archive(whole + [("g/models/other.json", "{}")]),
    "same-entry-twice": archive(whole + whole[2:]),
    "big-endian": archive(whole[:2] + [("g/byteorder", "big")]),
    "name-with-escape": archive([("g/\x1b[2J/models/\n.json", "{")]),
    "name-with-line-break-and-model": archive([("g\n/models/model.json", "{")] + whole[1:]),
    "directory-beyond-the-end": bytes_of_whole[:end + 16] + struct.pack("<I", 2**31 - 1) + bytes_of_whole[end + 20:],
    "directory-larger-than-file": bytes_of_whole[:end + 12] + struct.pack("<I", 2**31 - 1) + bytes_of_whole[end + 16:],
    "zip64-without-record": bytes_of_whole[:end + 8] + b"\xff\xff\xff\xff" + bytes_of_whole[end + 12:],
    "more-entries-than-there-are": bytes_of_whole[:end + 8] + struct.pack("<HH", 60000, 60000) + bytes_of_whole[end + 12:],
}.items():
    put("archive", "refused", name, content)

lora = {"peft_type": "LORA", "r": 4, "lora_alpha": 8}
put("adapter", "accepted", "lora", json.dumps(lora))
put("adapter", "accepted", "ia3", json.dumps({"peft_type": "IA3", "feedforward_modules": ["w"]}))
put("adapter", "accepted", "patterns", json.dumps({**lora, "alpha_pattern": {"q": 3}, "rank_pattern": {"^(.*)$": 2}}))
put("adapter", "accepted", "base-name-that-climbs", json.dumps({**lora, "base_model_name_or_path": "../../etc/passwd"}))
for name, value in {
    "dora": {**lora, "use_dora": True}, "pissa": {**lora, "init_lora_weights": "pissa"},
    "prompt-tuning": {"peft_type": "PROMPT_TUNING"}, "key-of-tomorrow": {**lora, "a_key_of_tomorrow": 1},
    "key-that-clears-the-terminal": {**lora, "\x1b[2J": 1}, "type-with-line-break": {"peft_type": "LORA\nok"},
    "rank-zero": {**lora, "r": 0}, "rank-of-half": {**lora, "r": 0.5}, "rank-of-text": {**lora, "r": "4"},
    "rank-beyond-integers": {**lora, "r": 1e300}, "no-type": {"r": 4},
    "layers-repeated": {**lora, "layer_replication": [[0, 2]]},
    }.items():
    put("adapter", "refused", name, json.dumps(value))
put("adapter", "accepted", "pattern-with-escape", json.dumps({**lora, "alpha_pattern": {"\x1b]0;x\x07.*": 1}}))
for outcome, name, key in [
    ("accepted", "regular-expression", "a.[0-9]"), ("accepted", "regular-expression-that-explodes", "(a+)+(a|aa)*" * 7 + "(a+)+(a|aa)*$"),
    ("accepted", "regular-expression-nested-deeply", "(" * 17 + "a" + ")" * 17), ("refused", "regular-expression-that-looks-ahead", "(?!layer.0).*query"),
    ("refused", "regular-expression-too-long", "(a|b)" * 900), ("refused", "regular-expression-too-large", "((a{100}){100}){100}"),
]:
    put("adapter", outcome, name, json.dumps({**lora, "alpha_pattern": {key: 1}}))
put("adapter", "refused", "deep-nesting", "[" * 20_000)
put("adapter", "refused", "deep-value", '{"peft_type":"LORA","x":' + "[" * 20_000 + "]" * 20_000 + "}")
put("adapter", "refused", "number-too-large", '{"peft_type":"LORA","lora_alpha":1e400}')
put("adapter", "refused", "alpha-infinity", '{"peft_type":"LORA","lora_alpha":Infinity}')
put("adapter", "refused", "alpha-nan-last", '{"peft_type":"LORA","lora_alpha":8,"lora_alpha":NaN}')
put("adapter", "refused", "rank-pattern-infinity", '{"peft_type":"LORA","rank_pattern":{"q":-Infinity}}')
put("adapter", "accepted", "alpha-twice", '{"peft_type":"LORA","lora_alpha":NaN,"lora_alpha":8}')
put("adapter", "accepted", "unused-infinity", '{"peft_type":"LORA","revision":Infinity,"lora_alpha":8}')
put("adapter", "refused", "empty", "")
put("adapter", "refused", "bad-utf8", b'{"peft_type":"LORA\xff"}')

put("task", "accepted", "empty", "")
put("task", "accepted", "everything", "objective: regression\nhead: [a, b]\nweight: 2.5\nmaximum-regression: 0\n")
put("task", "accepted", "comment", "# nothing\n")
put("task", "accepted", "json", '{"objective": "classification"}')
for name, text in {
    "unknown-key": "exec: rm\n", "key-that-clears-the-terminal": '"\\e[2J": 1\n', "key-with-line-break": '"a\\nb": 1\n',
    "billion-laughs": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "alias-to-itself": "&a [*a]\n", "merge-key": "<<: {weight: 2}\n",
    "python-tag": "!!python/object/apply:os.system ['id']\n", "two-documents": "weight: 1\n---\nweight: 2\n",
    "same-key-twice": "weight: 1\nweight: 2\n", "weight-nan": "weight: .nan\n", "weight-nan-word": "weight: nan\n",
    "weight-infinite": "weight: 1e999\n", "weight-negative": "weight: -1\n", "weight-of-a-list": "weight: [1]\n",
    "head-of-mappings": "head: [{a: b}]\n", "head-endless": "head: [" + "a, " * 300 + "a]\n", "head-empty": "head: ['']\n",
    "deep-nesting": "head: " + "[" * 2000, "tab": "\tweight: 1\n", "list": "- weight\n", "text": "just words\n", "nul": "weight: 1\0\n",
    "escape-in-plain-text": "objective: \x1b[2J\n", "unclosed-quote": 'objective: "x\n', "objective-unknown": "objective: '\\x1b'\n",
}.items():
    put("task", "refused", name, text)
put("task", "refused", "bad-utf8", b"weight: \xff\n")
put("task", "refused", "utf16", "weight: 1\n".encode("utf-16"))

put("request", "accepted", "status", "GET /status HTTP/1.1\r\nHost: x\r\n\r\n")
put("request", "accepted", "query", "GET /history?last=-99999999999999999999&after=&&=&a=b=c HTTP/1.1\r\n\r\n")
put("request", "accepted", "climbing-path", "POST /rollback/../../etc/passwd HTTP/1.1\r\n\r\n")
put("request", "accepted", "escapes-in-path", "POST /retry/%1b%5b2J%00 HTTP/1.1\r\n\r\n")
put("request", "refused", "bare-line-ends", "\r\n\r\n")
put("request", "accepted", "host-of-brackets", "GET / HTTP/1.1\r\nHost: [[[[::1\r\nHost: localhost\r\n\r\n")
put("request", "accepted", "two-requests", "GET /status HTTP/1.1\r\n\r\nPOST /pause HTTP/1.1\r\n\r\n")
put("request", "refused", "not-utf8", b"GET /\xff\xfe HTTP/1.1\r\n\r\n")
put("request", "accepted", "combining-line-end", "GET / HTTP/1.1\r\nA: \u0301b\r\n\r\n".encode())
put("request", "refused", "prepended-slash", "GET /rollback/.\u0601/2/\u0301 HTTP/1.1\r\n\r\n".encode())
put("request", "refused", "nothing", "")
put("request", "refused", "half-a-head", "GET /status HTTP/1.1\r\nHost: x\r\n")
put("request", "refused", "line-feeds-alone", "GET /status HTTP/1.1\n\n")
put("request", "refused", "no-end", "A" * 20_000)

# config.json and its like: what Python's json reads, and what only looks like it.
for name, text in {
    "plain": '{"architectures":["A"],"pad_token_id":0}', "key-twice": '{"a":1,"a":{"b":2,"b":3}}', "infinity": '{"a":[0.0,Infinity,-Infinity,NaN]}',
    "integer-of-100-bits": '{"model_max_length":1000000000000000019884624838656}', "exponent-too-large": '{"a":1e999}',
    "surrogate-pair": '{"\\ud83d\\ude00":"\\ud83d\\ude00"}', "depth-of-64": "[" * 64 + "]" * 64, "padded": " \t\r\n{} \n",
}.items():
    put("configuration", "accepted", name, text)
for name, text in {
    "empty": "", "mark-of-utf8": b"\xef\xbb\xbf{}", "utf16": '{"a":1}'.encode("utf-16"), "bad-utf8": b'{"a":"\xc3("}', "two-values": "{} {}",
    "comment": '{"a":1 /* b */}', "trailing-comma": '{"a":1,}', "single-quotes": "{'a':1}", "python-words": '{"a":True}', "minus-nan": '{"a":-NaN}',
    "plus": '{"a":+1}', "leading-zero": '{"a":01}', "hexadecimal": '{"a":0x10}', "half-a-surrogate": '{"a":"\\ud83d"}', "control-character": '{"a":"\x01"}',
    "escape-of-three-digits": '{"a":"\\u12 4"}', "escape-of-wide-digits": '{"a":"\\u\uff11\uff11\uff11\uff11"}', "one-key-composed-twice": '{"\u00e9":1,"e\u0301":2}',
    "integer-of-400-digits": '{"a":1' + "0" * 400 + "}", "depth-of-65": "[" * 65 + "]" * 65, "depth-of-a-million": "[" * 1_000_000,
    "unfinished-key": '{"a', "unfinished-escape": '{"a\\', "names-code": '{"a":[{"auto_map":{}}]}', "names-code-by-escape": '{"\\u0061uto_map":{}}',
    "names-code-in-a-key-that-comes-again": '{"a":{"auto_map":1},"a":2}', "an-lfs-pointer": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
}.items():
    put("configuration", "refused", name, text)

put("jsonl", "accepted", "plain", '{"text": "a", "label": 1}\n{"text": "b", "label": "x"}\n')
put("jsonl", "accepted", "byte-order-mark-and-crlf", b'\xef\xbb\xbf{"text": "a"}\r\n\r\n{"text": "b"}\r\n')
put("jsonl", "accepted", "conversation", json.dumps({"messages": [{"role": "user", "content": "a"}]}))
for name, text in {
    "nothing": "",
    "blank-lines": "\n \n\r\n",
    "a-list": "[1]",
    "two-objects-on-a-line": '{"a": 1} {"b": 2}',
    "cut-short": '{"text": "a',
    "one-bad-line": '{"text": "a"}\n{"text": }\n',
    "deep": "[" * 5000,
    "not-utf8": b'{"text": "\xff"}',
    "lone-surrogate": '{"text": "\\ud800"}',
    "control-in-a-name": '{"\x01": }',
    "utf16": '{"text": "a"}'.encode("utf-16"),
}.items():
    put("jsonl", "refused", name, text)

put("csv", "accepted", "plain", "text,label\na,1\nb,2\n")
put("csv", "accepted", "quotes-and-breaks", 'text,label\r\n"a, ""b""\nc",1\r\n')
put("csv", "accepted", "no-break-at-the-end", "text\na")
for name, text in {
    "nothing": "",
    "header-alone": "text,label\n",
    "same-columns": "a,a\n1,2\n",
    "no-name": "a,\n1,2\n",
    "field-missing": "a,b\n1\n",
    "field-too-many": "a,b\n1,2,3\n",
    "open-quote": 'a,b\n"1,2\n',
    "quote-inside": 'a,b\n1"2,3\n',
    "text-behind-quotes": 'a,b\n"1"2,3\n',
    "not-utf8": b"a,b\n\xff,1\n",
    "nul-in-a-header": "a\x00,a\x00\n1,2\n",
}.items():
    put("csv", "refused", name, text)

words = {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "a": 1}}
put("tokenizer", "accepted", "words", json.dumps({"model": words, "pre_tokenizer": {"type": "WhitespaceSplit"}}))
put("tokenizer", "accepted", "byte-level", json.dumps({
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
    "model": {"type": "BPE", "vocab": {"a": 0, "aa": 1}, "merges": ["a a"]}}))
for name, value in {
    "unknown-model": {"model": {"type": "Magic"}},
    "no-model": {},
    "ids-are-texts": {"model": {**words, "vocab": {"a": "b"}}},
    "unknown-normalizer": {"model": words, "normalizer": {"type": "\x1b[2J"}},
    "bad-pattern": {
        "model": words,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated", "invert": False},
    },
    "merge-of-nothing": {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}},
    "huge-id": {"model": words, "added_tokens": [{"id": 1 << 40, "content": "a"}]},
    "huge-special-id": {
        "model": words,
        "post_processor": {"type": "BertProcessing", "sep": ["x", 1 << 40], "cls": ["y", 0]},
    },
    "doubling-steps": {
        "model": words,
        "normalizer": {
            "type": "Sequence",
            "normalizers": [{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}] * 40,
        },
    },
    "doubling-decoder": {
        "model": words,
        "decoder": {
            "type": "Sequence",
            "decoders": [{"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}] * 40,
        },
    },
    "classes-that-intersect": {
        "model": words,
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"Regex": "[a-z&&[^aeiou]]+"},
            "behavior": "Isolated",
            "invert": False,
        },
    },
    "replacement-of-two": {
        "model": words,
        "pre_tokenizer": {"type": "Metaspace", "replacement": "ab", "prepend_scheme": "always"},
    },
}.items():
    put("tokenizer", "refused", name, json.dumps(value))
put(
    "tokenizer",
    "accepted",
    "classes-in-classes",
    json.dumps(
        {
            "model": words,
            "pre_tokenizer": {
                "type": "Split",
                "pattern": {"Regex": "[^(\\s|[.,])]+|^\\h|(?i:'s)|\\b"},
                "behavior": "MergedWithNext",
                "invert": True,
            },
        }
    ),
)
put("tokenizer", "accepted", "spaces-around-tokens", json.dumps({"model": words, "added_tokens": [
    {"id": 2, "content": "<s>", "lstrip": True, "rstrip": True, "normalized": False}]}))
put("tokenizer", "refused", "nothing", "")
put("tokenizer", "refused", "deep", '{"model":' + "[" * 5000)

put(
    "template",
    "accepted",
    "turns",
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m['content'] | trim }}{% endfor %}",
)
put("template", "accepted", "text", "nothing to do")
put(
    "template",
    "accepted",
    "namespace",
    "{% set n = namespace(a=0) %}{% for m in messages %}{% set n.a = n.a + 1 %}{% endfor %}{{ n.a }}",
)
put(
    "template",
    "accepted",
    "slices",
    "{{ 'abc'[5:-9223372036854775807:-9223372036854775807] }}{{ [1][9223372036854775807] is defined }}",
)
for name, text in {
    "open-tag": "{% if",
    "open-string": "{{ 'a",
    "unknown-tag": "{% import 'os' %}",
    "attribute-of-nothing": "{{ a.b.c }}",
    "endless": "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}",
    "calls-itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "deep-parentheses": "{{ " + "(" * 5000,
    "long-chain": "{{ a" + ".b" * 5000 + " }}",
    "doubling": "{% set n = namespace(a='aaaa') %}{% for i in range(99) %}{% set n.a = n.a + n.a %}{% endfor %}",
    "nested-lists": "{% set n = namespace(a=[]) %}{% for i in range(9999) %}{% set n.a = [n.a] %}{% endfor %}",
    "kept-methods": "{% set n = namespace(a={}) %}{% for i in range(9999) %}{% set n.a = {'a': n.a}.get %}{% endfor %}",
    "overflow": "{{ 9223372036854775807 + 1 }}",
    "smallest-by-minus-one": "{{ (0 - 9223372036854775807 - 1) // (0 - 1) }}",
    "range-of-extremes": "{{ range(0 - 9223372036854775807 - 1, 9223372036854775807, 0 - 1) | length / 0 }}",
    "division-by-zero": "{{ 1 % 0 }}",
    "raises": "{{ raise_exception('\x1b[2Jno') }}",
    "big-number": "{{ 99999999999999999999 }}",
    "not-utf8": b"{{ '\xff' }}",
    "class-of-a-string": "{{ ''.__class__.__mro__ }}",
    "item-of-a-class": "{{ messages['__class__'] }}",
    "list-in-itself-twice": "{% set n = namespace(a=[1]) %}{% for i in range(31) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a | length }}",
    "long-text-again": "{% set s = ('a' * 999) * 999 %}{% for i in range(9999) %}{{ s | upper | length }}{% endfor %}",
    "chain-of-comparisons": "{{ 3 > 2 > 1 }}",
    "named-argument": "{{ 'a,b'.split(sep=',') }}",
    "half-an-escape": "{{ '\\x4",
}.items():
    put("template", "refused", name, text)


def png(width, height, depth, kind, rows, extra=b"", interlaced=0, end=True):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    extra = b"".join(chunk(name, data) for name, data in extra) if extra else b""
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows))
    return file + chunk(b"IEND", b"") if end else file


plain_png = png(2, 2, 8, 2, b"\0abcdef\2ghijkl")
turned = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
put("png", "accepted", "rgb", plain_png)
put("png", "accepted", "deep-grey", png(2, 1, 16, 0, b"\0\0\x12\x34\x56"))
put("png", "accepted", "palette-with-alpha", png(4, 1, 4, 3, b"\0\x01\x21", [(b"PLTE", bytes(9)), (b"tRNS", b"\1\2")]))
put("png", "accepted", "interlaced-bit", png(3, 3, 1, 0, bytes(18), interlaced=1))
put("png", "accepted", "turned", png(2, 1, 8, 4, b"\1abcd", [(b"eXIf", turned)]))
put(
    "png",
    "accepted",
    "bomb-in-profile",
    png(1, 1, 8, 0, b"\0\7", [(b"iCCP", b"p\0\0" + zlib.compress(bytes(4 << 20), 9))]),
)
put("png", "accepted", "index-beyond-palette", png(3, 1, 8, 3, b"\0\0\1\3", [(b"PLTE", bytes(6))]))
put("png", "accepted", "animated", png(1, 1, 8, 0, b"\0\7", [(b"acTL", bytes(8)), (b"fcTL", bytes(26))]))
for name, content in {
    "nothing": b"",
    "signature": plain_png[:8],
    "no-end": png(2, 2, 8, 2, b"\0abcdef\0ghijkl", end=False),
    "cut": plain_png[:50],
    "wrong-checksum": plain_png[:40] + b"\0" + plain_png[41:],
    "too-few-rows": png(2, 9, 8, 2, b"\0abcdef"),
    "no-pixels": png(0, 1, 8, 2, b"\0"),
    "bomb": png(60000, 60000, 1, 0, bytes(9)),
    "widest": png(0x7FFFFFFF, 0x7FFFFFFF, 16, 6, b"\0"),
    "no-palette": png(1, 1, 8, 3, b"\0\0"),
    "depth-of-three": png(1, 1, 3, 0, b"\0\0"),
    "filter-of-nine": png(1, 1, 8, 0, b"\x09\0"),
    "a-gif": b"GIF89a\1\0\1\0\0\0\0;",
    "critical-chunk": png(1, 1, 8, 0, b"\0\7", [(b"ABCD", b"x")]),
    "two-headers": png(1, 1, 8, 0, b"\0\7", [(b"IHDR", bytes(13))]),
    "interlaced-and-short": png(9, 9, 8, 0, b"\0\7", interlaced=1),
}.items():
    put("png", "refused", name, content)

JPEGS = {
    "grey": (
        "/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKF"
        "E6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5moq6T/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAf/EABwQ"
        "AAICAgMAAAAAAAAAAAAAAAERAyFBUQACYf/aAAgBAQAAPwBAjjHYSUqFL3DsF51rn//Z"
    ),
    "progressive": (
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71////m8H///"
        "/6/+b9//j/2wBDASstLTw1PHZBQXb4pYyl+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj/wgARCAAI"
        "AAgDASIAAhEBAxEB/8QAFAABAAAAAAAAAAAAAAAAAAAAAP/EABQBAQAAAAAAAAAAAAAAAAAAAAH/2gAMAwEAAhADEAAAAQX/xAAUEAEAAAAAAA"
        "AAAAAAAAAAAAAA/9oACAEBAAEFAn//xAAVEQEBAAAAAAAAAAAAAAAAAAABAP/aAAgBAwEBPwEL/8QAFhEBAQEAAAAAAAAAAAAAAAAAAQAR/9oA"
        "CAECAQE/AQ2//8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQAGPwJ//8QAFxAAAwEAAAAAAAAAAAAAAAAAAAEhMf/aAAgBAQABPyGLT//aAA"
        "wDAQACAAMAAAAQ8//EABURAQEAAAAAAAAAAAAAAAAAAAEA/9oACAEDAQE/EAb/xAAWEQEBAQAAAAAAAAAAAAAAAAARAAH/2gAIAQIBAT8QI7f/"
        "xAAZEAADAAMAAAAAAAAAAAAAAAABESEAMfD/2gAIAQEAAT8QAaIU11Bef//Z"
    ),
    "cmyk": (
        "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwBQNzxGPDJQRkFGWlVQX3jIgnhubnj1r7mRyP////////////////////////////////////////////"
        "///////8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAABBP/EACEQAQAABQMFAAAAAAAAAAAAAAEAAhEhcRJB8DFR"
        "kaHx/9oADgRDAE0AWQBLAAA/AE0pUJleY7vCKaZBrbbp9uZgVZqAFtxx6pjxG2P/2Q=="
    ),
}
JPEGS["arithmetic"] = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5"
    "PTgyPC4zNDL/yQALCAAIAAgBAREA/8wABgAQEAX/2gAIAQEAAD8A/s2/R86pf9Zg/9k="
)
for name, text in JPEGS.items():
    put("jpeg", "accepted", name, base64.b64decode(text))
grey = base64.b64decode(JPEGS["grey"])
size = grey.index(b"\xff\xc0") + 5
for name, content in {
    "nothing": b"",
    "start": grey[:3],
    "cut": grey[:-9],
    "header-alone": grey[:size],
    "bomb": grey[:size] + b"\xff\xdc\xff\xdc" + grey[size + 4 :],
    "no-height": grey[:size] + b"\0\0" + grey[size + 2 :],
    "two-components": grey[: size + 4] + b"\2" + grey[size + 5 :],
    "twelve-bits": grey[: size - 1] + b"\x0c" + grey[size:],
    "lossless": grey[: size - 4] + b"\xc3" + grey[size - 3 :],
    "a-web-page": b"<!DOCTYPE html><title>404</title>",
}.items():
    put("jpeg", "refused", name, content)
