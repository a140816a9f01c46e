#!/usr/bin/env python3
"""Makes Tests/ExportedModelTests/Fixtures: tiny models with seeded random weights, and what PyTorch computes with them.

Each folder gets graph.pt2 (by export_model.py), config.json where transformers has one, model.safetensors and
reference.safetensors: for each case (the export's lengths and others) the inputs `CASE.input.NAME`, `CASE.labels`, `CASE.logits`
and every `CASE.gradient.PARAMETER` of the cross-entropy, labels of -100 ignored. Run it again only to change the models; the
numbers depend on the PyTorch version in their last digits.
"""

import os
import shutil
import sys
import tempfile

import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file

import export_model

FIXTURES = os.path.join(os.path.dirname(__file__), "..", "Tests", "ExportedModelTests", "Fixtures")
CASES = {"same": (3, 7, 5), "other": (5, 11, 3)}

MODELS = {
    "bert": transformers.BertForSequenceClassification(
        transformers.BertConfig(
            vocab_size=48, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=16, num_labels=3,
        )
    ),
    "clip": transformers.CLIPForImageClassification(
        transformers.CLIPConfig(
            text_config={"num_hidden_layers": 1, "hidden_size": 16, "num_attention_heads": 2, "vocab_size": 32},
            vision_config={
                "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2,
                "image_size": 12, "patch_size": 4,
            },
            num_labels=4,
        )
    ),
    "vit": transformers.ViTForImageClassification(
        transformers.ViTConfig(
            hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, image_size=12,
            patch_size=4, num_labels=3,
        )
    ),
    "t5": transformers.T5ForConditionalGeneration(
        transformers.T5Config(
            vocab_size=32, d_model=16, d_kv=8, d_ff=24, num_layers=2, num_decoder_layers=1, num_heads=2,
            relative_attention_num_buckets=8, relative_attention_max_distance=16, decoder_start_token_id=0,
        )
    ),
    "roberta": transformers.RobertaForTokenClassification(
        transformers.RobertaConfig(
            vocab_size=24, hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2,
            max_position_embeddings=20, num_labels=3, pad_token_id=1,
        )
    ),
    "distilbert": transformers.DistilBertForSequenceClassification(
        transformers.DistilBertConfig(
            vocab_size=24, dim=8, hidden_dim=12, n_layers=1, n_heads=2, max_position_embeddings=16, num_labels=3
        )
    ),
    "gpt2": transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=24, n_embd=8, n_layer=1, n_head=2, n_positions=16, bos_token_id=0, eos_token_id=0
        )
    ),
    "resnet": transformers.ResNetForImageClassification(
        transformers.ResNetConfig(
            embedding_size=4, hidden_sizes=[4, 6], depths=[1, 1], layer_type="basic", num_labels=3, image_size=16
        )
    ),
    "llama": transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=32, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=32, tie_word_embeddings=True,
        )
    ),
}


class Assorted(torch.nn.Module):
    """What the models above do not use: arithmetic of lengths, attention in every form, buffers, regions."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(8, 8) * 0.3)
        self.key = torch.nn.Parameter(torch.randn(8, 4) * 0.3)
        self.norm = torch.nn.BatchNorm1d(8)
        self.scale = torch.nn.RMSNorm(8)
        self.classifier = torch.nn.Linear(8, 3)
        self.norm.running_mean.normal_()
        self.norm.running_var.uniform_(0.5, 2)

    def forward(self, values, mask):
        batch, tokens = values.shape[0], values.shape[1]
        x = self.scale(values @ self.weight)
        query = x.view(batch, tokens, 4, 2).transpose(1, 2)
        key = (x @ self.key).view(batch, tokens, 2, 2).transpose(1, 2)
        a = F.scaled_dot_product_attention(query, key, key, is_causal=True, enable_gqa=True)
        b = F.scaled_dot_product_attention(query, query, query, attn_mask=mask[:, None, None, :] > 0, scale=0.5)
        bias = torch.zeros_like(mask, dtype=x.dtype).masked_fill(mask == 0, float("-inf"))
        c = F.scaled_dot_product_attention(query, query, query, attn_mask=bias[:, None, None, :])
        x = x + (a + b + c).transpose(1, 2).reshape(batch, tokens, 8)
        with torch.autocast("cpu", enabled=False):
            x = x * torch.sigmoid(x)
        with torch.no_grad():
            factor = x.abs().amax(dim=(1, 2), keepdim=True) + 1
        doubled = torch.cat([x / factor, x.new_ones(batch, tokens, 8)], 1)
        steps = torch.arange(tokens // 2 + tokens * 2, dtype=x.dtype).sum()
        count = torch.sym_max(tokens, 5) + tokens % 3
        pooled = self.norm(doubled.sum(1) / count + steps * torch.full((batch, 1), -tokens / 700))
        return self.classifier(pooled)


class Stem(torch.nn.Module):
    """A convolution whose output goes through gelu and is then transposed into tokens: the gradient of gelu is not contiguous."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.second = torch.nn.Conv2d(8, 12, 3, stride=2, padding=1)
        self.norm = torch.nn.LayerNorm(12)
        self.mixer = torch.nn.Linear(12, 12)
        self.classifier = torch.nn.Linear(12, 4)

    def forward(self, pixels):
        x = F.gelu(self.first(pixels), approximate="tanh")
        x = F.gelu(self.second(x))
        tokens = x.flatten(2).transpose(1, 2)
        tokens = tokens + F.gelu(self.mixer(self.norm(tokens)))
        return self.classifier(tokens.mean(1))


def filled(model):
    """Random weights large enough that every part of the model matters."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.3)
            elif "norm" in name.lower() and name.endswith("weight"):
                parameter.uniform_(0.5, 1.5)
            else:
                parameter.normal_(0, 0.2)
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(0, 0.3)
            elif name.endswith("running_var"):
                buffer.uniform_(0.5, 2)
    return model.eval()


def inputs_of(model, names, batch, tokens, targets):
    values = export_model.example_inputs(model, names, batch, tokens, targets)
    for name, value in values.items():
        if name == "pixel_values":
            values[name] = torch.randn_like(value)
        elif name.endswith("input_ids"):
            values[name] = torch.randint(0, model.config.vocab_size, value.shape)
        elif name == "attention_mask":
            value[0, tokens // 2:] = 0
    return values


def references(model, cases):
    """What PyTorch makes of each case: logits and the gradients of every parameter."""
    tensors = {}
    for case, values in cases.items():
        model.zero_grad(set_to_none=True)
        logits = model(*values.values())
        flat = logits.reshape(-1, logits.shape[-1])
        labels = torch.randint(0, flat.shape[-1], (flat.shape[0],))
        if flat.shape[0] > logits.shape[0]:
            labels[::3] = -100
        F.cross_entropy(flat, labels, ignore_index=-100).backward()
        tensors |= {f"{case}.input.{name}": value for name, value in values.items()}
        tensors |= {f"{case}.labels": labels, f"{case}.logits": logits.detach()}
        tensors |= {f"{case}.gradient.{n}": p.grad for n, p in model.named_parameters() if p.grad is not None}
    return {name: tensor.contiguous().clone() for name, tensor in tensors.items()}


def make_transformer(name, model, folder):
    with tempfile.TemporaryDirectory() as directory:
        filled(model).save_pretrained(directory)
        shutil.copy(os.path.join(directory, "config.json"), folder)
        _, model = export_model.export_directory(directory, os.path.join(folder, "graph.pt2"), max_tokens=64)
    names = export_model.TASKS[export_model.task_of(model.config)].inputs
    return model, {case: inputs_of(model, names, *lengths) for case, lengths in CASES.items()}


def write_configuration(model, folder):
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(folder)


def make_stem(folder):
    model = filled(Stem())
    cases = {case: {"pixels": torch.randn(batch, 3, 12, 12)} for case, (batch, _, _) in CASES.items()}
    axes = ({0: torch.export.Dim("batch", min=2, max=64)},)
    program = torch.export.export(model, tuple(cases["same"].values()), dynamic_shapes=axes, strict=False)
    export_model.write_graph(program, os.path.join(folder, "graph.pt2"))
    return model, cases


def make_assorted(folder):
    model = Assorted().eval()
    cases = {}
    for case, (batch, tokens, _) in CASES.items():
        mask = torch.ones(batch, tokens, dtype=torch.int64)
        mask[0, 2:] = 0
        mask[1] = 0
        cases[case] = {"values": torch.randn(batch, tokens, 8), "mask": mask}
    batch = torch.export.Dim("batch", min=2, max=64)
    tokens = torch.export.Dim("tokens", min=3, max=64)
    axes = ({0: batch, 1: tokens}, {0: batch, 1: tokens})
    program = torch.export.export(model, tuple(cases["same"].values()), dynamic_shapes=axes, strict=False)
    export_model.write_graph(program, os.path.join(folder, "graph.pt2"))
    return model, cases


def main():
    transformers.logging.set_verbosity_error()
    modules = {"assorted": make_assorted, "stem": make_stem}
    for name in sys.argv[1:] or [*MODELS, *modules]:
        torch.manual_seed(sum(name.encode()))
        folder = os.path.join(FIXTURES, name)
        os.makedirs(folder, exist_ok=True)
        print(f"== {name}")
        if name in MODELS:
            write_configuration(MODELS[name], folder)
        model, cases = modules[name](folder) if name in modules else make_transformer(name, MODELS[name], folder)
        weights = {n: p.detach().contiguous().clone() for n, p in model.named_parameters()}
        if name == "resnet":
            weights |= {n: b.contiguous().clone() for n, b in model.named_buffers()}
        save_file(weights, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
        save_file(references(model, cases), os.path.join(folder, "reference.safetensors"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
