#!/usr/bin/env python3
"""What Tools/export_model.py says of models that it can't export, and that nothing is left where it fails.

    check_export.py

Each refusal is one line that names what is wrong, comes without a trial where the kind of model tells, and leaves
neither graph.pt2 nor a part of it. A classifier that reads the end of a text (BART, T5) exports. Admission names the
same kinds (`UnbuiltFamilies`).
"""

import contextlib
import io
import json
import os
import re
import sys
import tempfile
import time
from unittest import mock

import torch
import transformers

import export_model

SMALL = {"vocab_size": 40, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 12}
BERT = {
    **SMALL,
    "model_type": "bert",
    "architectures": ["BertForSequenceClassification"],
    "max_position_embeddings": 32,
}
BART = {
    "model_type": "bart",
    "architectures": ["BartForSequenceClassification"],
    "vocab_size": 40,
    "d_model": 8,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 8,
    "decoder_ffn_dim": 8,
    "max_position_embeddings": 32,
    "eos_token_id": 2,
}
T5 = {
    "model_type": "t5",
    "architectures": ["T5ForSequenceClassification"],
    "vocab_size": 40,
    "d_model": 8,
    "d_kv": 4,
    "d_ff": 8,
    "num_layers": 1,
    "num_heads": 2,
    "eos_token_id": 1,
    "pad_token_id": 0,
    "decoder_start_token_id": 0,
}
DECODER = {**SMALL, "num_key_value_heads": 1, "head_dim": 4, "max_position_embeddings": 32, "pad_token_id": 0}
PICTURES = {"image_size": 16, "patch_size": 4, "num_channels": 3}
# Kinds that went wrong with some version of transformers: by `use_cache`, by a mask that does not serialise, by experts.
EXPORTED = {
    "BERT": BERT,
    "BART": BART,
    "T5": T5,
    "Qwen3": {**DECODER, "model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]},
    "Gemma 3": {
        **DECODER,
        "model_type": "gemma3_text",
        "architectures": ["Gemma3ForCausalLM"],
        "num_hidden_layers": 2,
        "sliding_window": 4,
        "layer_types": ["sliding_attention", "full_attention"],
        "query_pre_attn_scalar": 4,
    },
    "Pythia": {
        **SMALL,
        "model_type": "gpt_neox",
        "architectures": ["GPTNeoXForCausalLM"],
        "max_position_embeddings": 32,
    },
    "Swin": {
        **PICTURES,
        "model_type": "swin",
        "architectures": ["SwinForImageClassification"],
        "embed_dim": 8,
        "depths": [1, 1],
        "num_heads": [1, 2],
        "window_size": 2,
    },
    "BEiT": {**SMALL, **PICTURES, "model_type": "beit", "architectures": ["BeitForImageClassification"]},
    "Qwen3-MoE": {
        **DECODER,
        "model_type": "qwen3_moe",
        "architectures": ["Qwen3MoeForCausalLM"],
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 8,
        "decoder_sparse_step": 1,
    },
}
# What transformers 4 can't export.
NEWER = ("BART", "T5", "Qwen3-MoE")
# A configuration, and words of the refusal.
REFUSED = {
    "mamba": ({"model_type": "mamba", "architectures": ["MambaForCausalLM"]}, ["mamba", "scan", "--method average"]),
    "qwen3-next": ({"model_type": "qwen3_next", "architectures": ["Qwen3NextForCausalLM"]}, ["qwen3_next", "scan"]),
    "granite-4": (
        {"model_type": "granitemoehybrid", "architectures": ["GraniteMoeHybridForCausalLM"]},
        ["granitemoehybrid"],
    ),
    "whisper": ({"model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"]}, ["whisper", "speech"]),
    "wav2vec2": ({"model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"]}, ["wav2vec2", "speech"]),
    "qwen2.5-vl": (
        {"model_type": "qwen2_5_vl", "architectures": ["Qwen2_5_VLForConditionalGeneration"]},
        ["qwen2_5_vl", "not a text-to-text model"],
    ),
    "detr": ({"model_type": "detr", "architectures": ["DetrForObjectDetection"]}, ["DetrForObjectDetection", "--task"]),
    "unknown": ({"model_type": "of_tomorrow", "architectures": ["OfTomorrowForCausalLM"]}, ["of_tomorrow"]),
}


def exported(config):
    """The exit status of the tool for a model of that configuration, what it said, and the files in its folder."""
    with tempfile.TemporaryDirectory() as folder:
        if config is not None:
            with open(os.path.join(folder, "config.json"), "w") as file:
                json.dump(config, file)
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            with mock.patch.object(sys, "argv", ["export_model.py", folder]):
                status = export_model.main()
        errors = [line for line in said.getvalue().splitlines() if line.startswith("export_model:")]
        return status, errors, sorted(set(os.listdir(folder)) - {"config.json"})


def refused(name, config, words):
    status, errors, left = exported(config)
    assert status == 1 and len(errors) == 1, f"{name}: status {status}, {errors}"
    missing = [word for word in words if word not in errors[0]]
    assert not missing, f"{name}: nothing of {missing} in: {errors[0]}"
    assert len(errors[0]) < 500 and not left, f"{name}: {left}, {errors[0]}"
    print(f"refused  {name}: {errors[0]}")


def main():
    with open(
        os.path.join(os.path.dirname(__file__), "..", "Sources", "ModelFamilies", "UnbuiltFamilies.swift")
    ) as file:
        quoted = set(re.findall(r'"([a-z0-9_-]+)"', file.read()))
    assert quoted == export_model.SCANS | export_model.SPEECH, quoted ^ (export_model.SCANS | export_model.SPEECH)
    transformers.logging.set_verbosity(transformers.logging.CRITICAL)
    torch.set_num_threads(1)
    started = time.monotonic()
    for name, (config, words) in REFUSED.items():
        refused(name, config, words)
    refused("no configuration", None, ["config.json"])
    print(f"{time.monotonic() - started:.0f} s for all of these")
    with mock.patch.object(export_model, "difference", return_value=0.5):
        refused("an export that is wrong", BERT, ["5.0e-01", "BertForSequenceClassification"])
    with mock.patch.object(export_model, "difference", side_effect=RuntimeError("shapes\ndiffer")):
        refused("an export that does not run", BERT, ["does not run", "shapes"])
    with mock.patch.object(export_model, "stripped", side_effect=OSError("no space left")):
        refused("a full disk", BERT, ["no space left"])
    with mock.patch.object(torch.export, "export", side_effect=RuntimeError("guard\n" * 50)):
        refused("a page of guards", BERT, ["BertForSequenceClassification does not export", "guard"])
    for name, config in EXPORTED.items():
        if export_model.is_4() and name in NEWER:
            refused(name, config, ["use transformers 5"])
            continue
        status, errors, left = exported(config)
        assert status == 0 and left == ["graph.pt2"], f"{name}: {errors}, {left}"
        print(f"exported {name}")


if __name__ == "__main__":
    main()
