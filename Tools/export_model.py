#!/usr/bin/env python3
"""Exports a Hugging Face model as graph.pt2, the graph that supermerged runs; once per base model.

The archive holds the graph and the names of its parameters, no weights: those come from model.safetensors, and where
transformers 5 renames on loading, the names are those of the file. Batch and token axes are free. Tested with PyTorch
2.13, and transformers 5.24 and 4.57.6 (Tools/check_export.py); other versions are not. Mixtures of experts, and
classifiers with a decoder (BART, T5), need transformers 5.

    export_model.py MODEL_DIRECTORY                  writes MODEL_DIRECTORY/graph.pt2
    export_model.py MODEL_DIRECTORY -o graph.pt2 --task causal-lm
"""

import argparse
import inspect
import io
import json
import os
import sys
import zipfile
from dataclasses import dataclass

import torch
import transformers

WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")


# Values of `model_type` whose texts go through a scan, which an export fixes to one number of tokens.
SCANS = {
    "bamba",
    "falcon_h1",
    "falcon_mamba",
    "granitemoehybrid",
    "jamba",
    "kimi_linear",
    "lfm2_moe",
    "mamba",
    "mamba2",
    "minimax",
    "nemotron_h",
    "olmo_hybrid",
    "qwen3_5",
    "qwen3_5_moe",
    "qwen3_5_moe_text",
    "qwen3_5_text",
    "qwen3_next",
    "recurrent_gemma",
    "rwkv",
    "rwkv5",
    "rwkv6",
    "rwkv7",
    "rwkv_hybrid",
    "xlstm",
    "zamba",
    "zamba2",
}
SPEECH = {
    "hubert",
    "seamless_m4t",
    "sew",
    "speech_to_text",
    "unispeech",
    "wav2vec2",
    "wav2vec2-bert",
    "wav2vec2-conformer",
    "wavlm",
    "whisper",
}
# The largest relative difference of a program that computes the model's logits.
TOLERANCE = 1e-4
STATIC = "merge it with --method average, task-arithmetic, ties or dare, which need no graph"


class ExportError(Exception):
    """Why a model can't be exported, in a line that says what to do."""


@dataclass(frozen=True)
class Task:
    """How one kind of model is loaded and called."""

    auto: type
    architectures: tuple
    inputs: tuple


TASKS = {
    "sequence-classification": Task(
        transformers.AutoModelForSequenceClassification, ("ForSequenceClassification",), ("input_ids", "attention_mask")
    ),
    "token-classification": Task(
        transformers.AutoModelForTokenClassification, ("ForTokenClassification",), ("input_ids", "attention_mask")
    ),
    "image-classification": Task(
        transformers.AutoModelForImageClassification, ("ForImageClassification",), ("pixel_values",)
    ),
    "seq2seq-lm": Task(
        transformers.AutoModelForSeq2SeqLM,
        ("ForConditionalGeneration", "ForSeq2SeqLM"),
        ("input_ids", "attention_mask", "decoder_input_ids"),
    ),
    "causal-lm": Task(
        transformers.AutoModelForCausalLM, ("ForCausalLM", "LMHeadModel"), ("input_ids", "attention_mask")
    ),
}


def task_of(config):
    """The task that config.json's architectures name."""
    for architecture in config.architectures or ():
        for name, task in TASKS.items():
            if architecture.endswith(task.architectures):
                return name
    raise ExportError(
        f"config.json names no known kind of architecture ({config.architectures}): give one of {', '.join(TASKS)} "
        f"with --task; no other kind exports, so otherwise {STATIC}"
    )


def is_4():
    return transformers.__version__.startswith("4.")


def use_plain_masks():
    """Masks of transformers 4 by its way for PyTorch before 2.6: a graph with the other is not serialised."""
    masks = getattr(transformers, "masking_utils", None)
    if is_4() and hasattr(masks, "sdpa_mask_older_torch"):
        masks.ALL_MASK_ATTENTION_FUNCTIONS.register("sdpa", masks.sdpa_mask_older_torch)


def load(directory, task, attention):
    """The model in evaluation mode, in float32; without weights in the directory, as its configuration makes it."""
    config = transformers.AutoConfig.from_pretrained(directory, local_files_only=True)
    config.use_cache = False
    use_plain_masks()
    options = {"attn_implementation": attention, "dtype": torch.float32}
    if any(os.path.exists(os.path.join(directory, name)) for name in WEIGHTS):
        model = task.auto.from_pretrained(directory, config=config, local_files_only=True, **options)
    else:
        model = task.auto.from_config(config, **options)
    if hasattr(model, "set_experts_implementation"):
        # The default calls an operator of transformers' own, which no libtorch has.
        model.set_experts_implementation("batched_mm")
    return model.eval()


def image_size(model):
    """Height and width of the pictures: by config.json, by the preprocessor beside it, or 224 as most were trained on."""
    size = getattr(getattr(model.config, "vision_config", model.config), "image_size", None)
    path = os.path.join(model.config._name_or_path or "", "preprocessor_config.json")
    if size is None and os.path.isfile(path):
        with open(path) as file:
            told = json.load(file)
        size = told.get("crop_size") or told.get("size")
    if isinstance(size, dict):
        size = size.get("shortest_edge") or (size.get("height", 224), size.get("width", 224))
    size = size or 224
    return tuple(size) if isinstance(size, (list, tuple)) else (size, size)


def example_inputs(model, names, batch=3, tokens=7, target_tokens=5):
    """Inputs of the right types and shapes; their values say nothing."""
    config = model.config
    end = getattr(config, "eos_token_id", None)
    end = end[0] if isinstance(end, list) else end
    values = {}
    for name in names:
        if name == "pixel_values":
            vision = getattr(config, "vision_config", config)
            values[name] = torch.zeros(batch, getattr(vision, "num_channels", 3), *image_size(model))
        elif name == "decoder_input_ids":
            values[name] = torch.ones(batch, target_tokens, dtype=torch.int64)
        elif name == "token_type_ids":
            values[name] = torch.zeros(batch, tokens, dtype=torch.int64)
        else:
            values[name] = torch.ones(batch, tokens, dtype=torch.int64)
            if name == "input_ids" and reads_end(model):
                values[name][:] = end + 1 if end == 1 else 1
                values[name][:, -1] = end
    return values


def reads_end(model):
    """Whether the model is a classifier with a decoder (BART, T5), which reads the end of a text."""
    return model.config.is_encoder_decoder and type(model).__name__.endswith("ForSequenceClassification")


def free_axes(model, values, max_batch, max_tokens):
    """The batch axis of every input and the token axes, by name."""
    limit = getattr(model.config, "max_position_embeddings", None) or max_tokens
    if "roberta" in model.config.model_type:
        limit -= model.config.pad_token_id + 1
    batch = torch.export.Dim("batch", min=1, max=max_batch)
    tokens = torch.export.Dim("tokens", min=3 if reads_end(model) else 1, max=min(limit, max_tokens))
    targets = torch.export.Dim("target_tokens", min=1, max=min(limit, max_tokens))
    axes = {}
    for name in values:
        axes[name] = {0: batch}
        if name == "decoder_input_ids":
            axes[name][1] = targets
        elif name != "pixel_values":
            axes[name][1] = tokens
    return axes


def with_plain_forward(model, names):
    """Gives the model a forward(names...) -> logits without changing the names of its parameters."""
    original = model.forward
    accepts_cache = "use_cache" in inspect.signature(original).parameters

    def logits(**values):
        if accepts_cache:
            values["use_cache"] = False
        return original(**values).logits

    scope = {"logits": logits}
    arguments = ", ".join(names)
    exec(f"def forward({arguments}): return logits({', '.join(f'{n}={n}' for n in names)})", scope)
    model.forward = scope["forward"]
    return model


def export(model, names, max_batch=4096, max_tokens=4096):
    """The torch.export program of forward(names...) -> logits."""
    values = example_inputs(model, names)
    axes = free_axes(model, values, max_batch, max_tokens)
    model = with_plain_forward(model, names)
    with torch.no_grad():
        return torch.export.export(
            model, tuple(values.values()), dynamic_shapes=tuple(axes.values()), strict=False
        )


def file_names(model):
    """Names of the module's parameters that save_pretrained gives others (transformers 5), each with the file's name."""
    try:
        from transformers.core_model_loading import revert_weight_conversion
    except ImportError:
        return {}
    state = model.state_dict()
    names = {}
    for name, tensor in revert_weight_conversion(model, dict(state)).items():
        names.setdefault((tensor.data_ptr(), tuple(tensor.shape)), name)
    found = {name: names.get((tensor.data_ptr(), tuple(tensor.shape))) for name, tensor in state.items()}
    if None in found.values():
        return {}  # Tensors are cut or joined on loading, not only renamed.
    renamed = {name: other for name, other in found.items() if name != other and other not in state}
    return renamed if len(set(renamed.values())) == len(renamed) else {}


def write_graph(program, path, names=None):
    """Writes the archive without weights, example inputs, stack traces or any path of this machine; gives both sizes.

    Buffers and constants stay. The index of the weights stays too, for it tells which parameters are tied. `names`: other
    names for some parameters.
    """
    names = names or {}
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    source = zipfile.ZipFile(buffer)
    root = source.namelist()[0].split("/")[0]
    listing = f"{root}/data/weights/model_weights_config.json"
    index = json.loads(source.read(listing))["config"]
    weights = {f"{root}/data/weights/{entry['path_name']}" for entry in index.values() if entry["is_param"]}
    temporary = f"{path}.tmp"
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as target:
            for name in source.namelist():
                if name in weights or "/sample_inputs/" in name:
                    continue
                content = source.read(name)
                if "/models/" in name and name.endswith(".json"):
                    content = stripped(content, names)
                elif name == listing and names:
                    renamed = {names.get(key, key): entry for key, entry in index.items()}
                    content = json.dumps({"config": renamed}, separators=(",", ":")).encode()
                target.writestr(zipfile.ZipInfo("graph" + name[len(root):]), content)
        os.replace(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
    return buffer.getbuffer().nbytes, os.path.getsize(path)


def stripped(content, names):
    """The graph's JSON without metadata that only debuggers read, its parameters under other names where there are some."""

    def strip(graph):
        for node in graph["nodes"]:
            node["metadata"] = {}
            for given in node["inputs"]:
                if "as_graph" in given["arg"]:
                    strip(given["arg"]["as_graph"]["graph"])

    model = json.loads(content)
    module = model["graph_module"]
    strip(module["graph"])
    module["module_call_graph"] = module["module_call_graph"][:1]
    module["metadata"] = {}
    for given in module["signature"]["input_specs"]:
        for kind, key in (("parameter", "parameter_name"), ("buffer", "buffer_name")):
            if kind in given:
                given[kind][key] = names.get(given[kind][key], given[kind][key])
    model["guards_code"] = []
    return json.dumps(model, separators=(",", ":")).encode()


def difference(program, model, names):
    """The largest relative difference of the program's logits from the model's, at other lengths than the export's."""
    torch.manual_seed(0)
    values = example_inputs(model, names, batch=2, tokens=11, target_tokens=4)
    if "pixel_values" in values:
        values["pixel_values"] = torch.randn_like(values["pixel_values"])
    with torch.no_grad():
        expected = model(**values)
        got = program.module()(*values.values())
    return float((got - expected).abs().max() / expected.abs().max().clamp_min(1e-30))


def checked(program, model, names, log):
    """Refuses a program that does not compute the model's logits."""
    try:
        found = difference(program, model, names)
    except RuntimeError as error:
        raise ExportError(
            f"the exported {type(model).__name__} does not run at other lengths than the export's: {one_line(error)}; {STATIC}"
        ) from error
    log(f"check       relative difference {found:.1e} at other lengths than the export's")
    if not found < TOLERANCE:
        raise ExportError(
            f"the exported {type(model).__name__} is {found:.1e} off at other lengths than the export's, not within {TOLERANCE}; "
            f"{STATIC}"
        )


def one_line(error):
    """The first line of a message, which may be a page of guards."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300].rstrip(". ")


def export_directory(directory, path, task=None, inputs=None, max_batch=4096, max_tokens=4096, log=print):
    """Exports the model in `directory` to `path`; tries PyTorch's fused attention first, then the plain one."""
    if not os.path.isfile(os.path.join(directory, "config.json")):
        raise ExportError(f"{directory} has no config.json: give the directory of a Hugging Face model")
    config = transformers.AutoConfig.from_pretrained(directory, local_files_only=True)
    if config.model_type in SCANS:
        raise ExportError(f"{config.model_type} models read texts by a scan, which does not export; {STATIC}")
    if config.model_type in SPEECH:
        raise ExportError(f"{config.model_type} is a speech model, which does not export; {STATIC}")
    name = task or task_of(config)
    if name == "seq2seq-lm" and type(config) not in TASKS[name].auto._model_mapping:
        raise ExportError(f"{config.model_type} is not a text-to-text model, and no other kind of generation exports; {STATIC}")
    names = tuple(inputs) if inputs else TASKS[name].inputs
    failure = None
    for attention in ("sdpa", "eager"):
        try:
            model = load(directory, TASKS[name], attention)
            program = export(model, names, max_batch, max_tokens)
            break
        except (ValueError, RuntimeError, torch._dynamo.exc.TorchDynamoException) as error:
            failure = error
            log(f"{attention} attention: {one_line(error)}")
    else:
        kind = type(model).__name__ if "model" in locals() else name
        newer = "use transformers 5, or " if is_4() else ""
        raise ExportError(f"{kind} does not export: {one_line(failure)}; {newer}{STATIC}")
    parameters = dict(model.named_parameters())
    log(f"model       {type(model).__name__}, {name}, {attention} attention")
    log(f"inputs      {', '.join(names)} (batch{' and token' if names != ('pixel_values',) else ''} axes free)")
    log(f"parameters  {len(parameters)} tensors, {sum(p.numel() for p in parameters.values()):,} numbers")
    operators = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
    log(f"graph       {len(program.graph.nodes)} nodes, {len(operators)} operators")
    checked(program, model, names, log)
    renamed = file_names(model)
    if renamed:
        log(f"names       {len(renamed)} as the file has them")
    try:
        whole, small = write_graph(program, path, renamed)
    except torch._export.serde.serialize.SerializeError as error:
        raise ExportError(
            f"this PyTorch can't save the graph of {type(model).__name__}: {one_line(error)}; use transformers 5 or another PyTorch"
        ) from error
    log(f"size        {small:,} bytes without weights ({whole:,} with)")
    return program, model


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="\n".join(__doc__.splitlines()[1:]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("directory", help="a Hugging Face model directory (config.json, weights where it has them)")
    parser.add_argument("-o", "--output", help="the archive to write (default: graph.pt2 in the directory)")
    parser.add_argument("--task", choices=sorted(TASKS), help="default: by the architectures in config.json")
    parser.add_argument(
        "--inputs", help="comma-separated names, where the usual ones will not do: input_ids,attention_mask,token_type_ids"
    )
    parser.add_argument("--max-batch", type=int, default=4096, help="default: %(default)s")
    parser.add_argument(
        "--max-tokens", type=int, default=4096, help="default: %(default)s, or fewer positions where the model has fewer"
    )
    arguments = parser.parse_args()
    path = arguments.output or os.path.join(arguments.directory, "graph.pt2")
    inputs = arguments.inputs.split(",") if arguments.inputs else None
    try:
        export_directory(
            arguments.directory, path, arguments.task, inputs, arguments.max_batch, arguments.max_tokens
        )
    except ExportError as error:
        print(f"export_model: {error}", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"export_model: {one_line(error)}", file=sys.stderr)
        return 1
    print(f"written     {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
