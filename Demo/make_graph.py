#!/usr/bin/env python3
"""Writes Demo/graph.pt2, the small image classifier of the demo; for maintainers, needs PyTorch 2.9 or later.

The archive holds the graph and the names of its parameters, no weights: `supermerge finetune` makes those.
"""

import importlib.util
import pathlib

import torch
from torch import nn
from torch.nn import functional

HERE = pathlib.Path(__file__).resolve().parent
WIDTH, HEADS, BLOCKS = 64, 4, 2


class Block(nn.Module):
    """A transformer block, norms first."""

    def __init__(self):
        super().__init__()
        self.attention_norm = nn.LayerNorm(WIDTH)
        self.query = nn.Linear(WIDTH, WIDTH)
        self.key = nn.Linear(WIDTH, WIDTH)
        self.value = nn.Linear(WIDTH, WIDTH)
        self.output = nn.Linear(WIDTH, WIDTH)
        self.mlp_norm = nn.LayerNorm(WIDTH)
        self.up = nn.Linear(WIDTH, 2 * WIDTH)
        self.down = nn.Linear(2 * WIDTH, WIDTH)

    def forward(self, x):
        y = self.attention_norm(x)
        query, key, value = (
            project(y).unflatten(-1, (HEADS, WIDTH // HEADS)).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        mixed = functional.scaled_dot_product_attention(query, key, value)
        x = x + self.output(mixed.transpose(1, 2).flatten(2))
        return x + self.down(functional.gelu(self.up(self.mlp_norm(x))))


class Trunk(nn.Module):
    """28 × 28 pixels to one vector: three convolutions, 16 tokens, attention, the mean."""

    def __init__(self):
        super().__init__()
        self.convolution1 = nn.Conv2d(1, 16, 3, stride=2, padding=1)
        self.convolution2 = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.convolution3 = nn.Conv2d(32, WIDTH, 3, stride=2, padding=1)
        self.position = nn.Parameter(torch.zeros(1, 16, WIDTH))
        self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, x):
        for convolution in (self.convolution1, self.convolution2, self.convolution3):
            x = functional.gelu(convolution(x))
        x = x.flatten(2).transpose(1, 2) + self.position
        for block in self.blocks:
            x = block(x)
        return self.norm(x.mean(1))


class Classifier(nn.Module):
    """The trunk that all tasks share, and a head that each task has for itself."""

    def __init__(self):
        super().__init__()
        self.trunk = Trunk()
        self.classifier = nn.Linear(WIDTH, 10)

    def forward(self, pixel_values):
        return self.classifier(self.trunk(pixel_values))


def exporter():
    """Tools/export_model.py as a module."""
    spec = importlib.util.spec_from_file_location("export_model", HERE.parent / "Tools" / "export_model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    batch = torch.export.Dim("batch", min=1, max=4096)
    model = Classifier().eval()
    with torch.no_grad():
        program = torch.export.export(model, (torch.zeros(3, 1, 28, 28),), dynamic_shapes=({0: batch},), strict=False)
    _, size = exporter().write_graph(program, HERE / "graph.pt2")
    print(f"wrote {HERE / 'graph.pt2'}: {size:,} bytes, {sum(p.numel() for p in model.parameters()):,} numbers")


if __name__ == "__main__":
    main()
