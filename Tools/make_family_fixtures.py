#!/usr/bin/env python3
"""Makes Tests/ModelFamiliesTests/Fixtures: tiny bases as save_pretrained writes them, and what PyTorch computes with them.

Each folder gets config.json and model.safetensors of the base alone, and reference.safetensors: `head.NAME` for what a task brings,
and for each case (two batches of different lengths) the inputs `CASE.input.NAME`, `CASE.labels`, `CASE.logits` and every
`CASE.gradient.NAME` of the cross-entropy, computed in float64 throughout, under the names of the saved files. Run it again only to
change the models; the numbers depend on the PyTorch version in their last digits.
"""

import copy
import os
import shutil
import sys
import tempfile

import torch
import torch.nn.functional as F
import transformers as tr
from safetensors.torch import load_file, save_file
from torch.overrides import TorchFunctionMode

import make_fixtures

FIXTURES = os.path.join(os.path.dirname(__file__), "..", "Tests", "ModelFamiliesTests", "Fixtures")
CASES = {"same": (3, 7, 5), "other": (5, 4, 3)}
PADDING = 1
# The tests allow 1e-5.
NOISE = 5e-6

TEXT = {"vocab_size": 24, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2}
VISION = {
    "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 8, "patch_size": 4,
}
CLIP_TEXT = {
    "num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2, "vocab_size": 16, "max_position_embeddings": 8, "intermediate_size": 8,
}
T5 = {
    "vocab_size": 24, "d_model": 8, "d_kv": 3, "d_ff": 12, "num_layers": 2, "num_heads": 2, "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 6, "decoder_start_token_id": 0,
}


class InDouble(TorchFunctionMode):
    """Keeps float64 where a model's code asks for float32: in norms, angles and softmax. A masked score of the lowest float64 would
    be -inf in float32, and the softmax of a row that sees nothing NaN."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        wide = bool(args) and isinstance(args[0], torch.Tensor) and args[0].dtype == torch.float64
        if wide and function is torch.Tensor.float:
            return args[0]
        if wide and function is torch.Tensor.to:
            args = tuple(torch.float64 if value is torch.float32 else value for value in args)
        if wide and kwargs.get("dtype") is torch.float32:
            kwargs["dtype"] = torch.float64
        return function(*args, **kwargs)


class MeanPooled(torch.nn.Module):
    """A tower without a pooler under a linear classifier, as encoders of sentences are used."""

    def __init__(self, tower, classes):
        super().__init__()
        self.bert = tower
        self.classifier = torch.nn.Linear(tower.config.hidden_size, classes)

    def forward(self, input_ids, attention_mask):
        hidden = self.bert(input_ids, attention_mask=attention_mask).last_hidden_state
        seen = attention_mask.unsqueeze(-1).to(hidden.dtype)
        return self.classifier((hidden * seen).sum(1) / seen.sum(1).clamp(min=1e-9))


def bert(**options):
    return tr.BertForSequenceClassification(tr.BertConfig(max_position_embeddings=12, num_labels=3, **TEXT, **options))


def bert_masked():
    """A base with the head of its pretraining and no pooler."""
    model = bert()
    base = tr.BertForMaskedLM(model.config)
    base.bert = model.bert
    return model, base


def without_pooler(model):
    model.bert.pooler = None
    return MeanPooled(model.bert, 3), model.bert


def roberta():
    options = {"max_position_embeddings": 14, "type_vocab_size": 1, "num_labels": 3, "layer_norm_eps": 1e-5}
    return tr.RobertaForSequenceClassification(tr.RobertaConfig(**TEXT, **options))


def distilbert():
    return tr.DistilBertForSequenceClassification(
        tr.DistilBertConfig(
            vocab_size=24, dim=8, hidden_dim=12, n_layers=2, n_heads=2, max_position_embeddings=12, num_labels=3, activation="relu"
        )
    )


def vit(**options):
    return tr.ViTForImageClassification(tr.ViTConfig(num_labels=3, **{**VISION, **options}))


def vit_tower():
    model = vit()
    base = tr.ViTModel(model.config)
    base.embeddings, base.layers, base.layernorm = model.vit.embeddings, model.vit.layers, model.vit.layernorm
    return model, base


def clip():
    return tr.CLIPForImageClassification(tr.CLIPConfig(text_config=CLIP_TEXT, vision_config=VISION, num_labels=3, projection_dim=4))


def clip_whole():
    """Both sides, as CLIP is published."""
    model = clip()
    base = tr.CLIPModel(model.config)
    base.vision_model = model.vision_model
    return model, base


def clip_vision():
    model = clip()
    model.config.vision_config.architectures = ["CLIPVisionModel"]
    return model, model.vision_model


class Captions(torch.nn.Module):
    """CLIP or SigLIP as a task for which each image has texts of its own."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.config = model.config

    def forward(self, pixel_values, input_ids, attention_mask=None):
        images, texts, _ = input_ids.shape
        mask = None if attention_mask is None else attention_mask.flatten(0, 1)
        result = self.model(pixel_values=pixel_values, input_ids=input_ids.flatten(0, 1), attention_mask=mask)
        rows = torch.arange(images)
        return result.logits_per_image.view(images, images, texts)[rows, rows]


def clip_captions():
    text = {**CLIP_TEXT, "eos_token_id": 15, "bos_token_id": 0, "pad_token_id": 1}
    base = tr.CLIPModel(tr.CLIPConfig(text_config=text, vision_config=VISION, projection_dim=4))
    return Captions(base), base


def siglip_pairs():
    text = {**CLIP_TEXT, "model_type": "siglip_text_model"}
    base = tr.SiglipModel(tr.SiglipConfig(text_config=text, vision_config=VISION))
    return Captions(base), base


def t5_untied():
    """As version 1.1: a gated feed-forward layer, and an output layer of its own that is not scaled."""
    model = tr.T5ForConditionalGeneration(
        tr.T5Config(feed_forward_proj="gated-gelu", tie_word_embeddings=False, num_decoder_layers=1, **T5)
    )
    model.lm_head.weight = torch.nn.Parameter(torch.empty(24, 8))
    return model


def llama(**options):
    return tr.LlamaForCausalLM(tr.LlamaConfig(**{**TEXT, "max_position_embeddings": 16, "num_attention_heads": 4, **options}))


def gpt2(**options):
    return tr.GPT2LMHeadModel(tr.GPT2Config(vocab_size=24, n_embd=8, n_layer=2, n_head=2, n_positions=16, **options))


def bert_tokens():
    return tr.BertForTokenClassification(tr.BertConfig(max_position_embeddings=12, num_labels=3, **TEXT))


def roberta_tokens():
    options = {"max_position_embeddings": 14, "type_vocab_size": 1, "num_labels": 3, "layer_norm_eps": 1e-5}
    return tr.RobertaForTokenClassification(tr.RobertaConfig(**TEXT, **options))


def distilbert_tokens():
    return tr.DistilBertForTokenClassification(
        tr.DistilBertConfig(vocab_size=24, dim=8, hidden_dim=12, n_layers=1, n_heads=2, max_position_embeddings=12, num_labels=3)
    )


def llama_classes():
    """A classifier whose class is read at the last token that is no padding."""
    config = tr.LlamaConfig(
        num_labels=3, pad_token_id=PADDING, max_position_embeddings=16, **{**TEXT, "num_hidden_layers": 1}
    )
    return tr.LlamaForSequenceClassification(config)


def gpt2_classes():
    config = tr.GPT2Config(
        vocab_size=24, n_embd=8, n_layer=1, n_head=2, n_positions=16, num_labels=3, pad_token_id=PADDING
    )
    return tr.GPT2ForSequenceClassification(config)


def causal(name, without=(), **options):
    """A decoder of some family, of the usual size; `without`: keys of the usual configuration that the family has not."""
    shape = {**TEXT, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 16, "pad_token_id": PADDING}
    shape = {key: value for key, value in shape.items() if key not in without}
    config = getattr(tr, f"{name}Config")(**{**shape, "bos_token_id": 2, "eos_token_id": 3, **options})
    model = getattr(tr, name.removesuffix("Text") + "ForCausalLM")(config)
    if hasattr(model, "set_experts_implementation"):
        model.set_experts_implementation("eager")
    return model


def encoder(name, head="SequenceClassification", **options):
    shape = {**TEXT, "max_position_embeddings": 16, "num_labels": 3, "pad_token_id": PADDING}
    config = getattr(tr, f"{name}Config")(**{**shape, "bos_token_id": 2, "eos_token_id": 3, **options})
    return getattr(tr, f"{name}For{head}")(config)


def same(model):
    return model, model


def tower(model):
    return model, model.base_model


def pairs(values):
    """The second half of each text is the second sentence."""
    tokens = values["input_ids"].shape[1]
    types = (torch.arange(tokens) >= tokens // 2).long().expand_as(values["input_ids"]).clone()
    return values | {"token_type_ids": types}


def padded_before(values):
    """The padding before the text."""
    return {name: tensor.flip(1) for name, tensor in values.items()}


# What is changed in the inputs.
CHANGED = {"bert-pairs": pairs, "llama-left": padded_before}

# Each makes the model that is run, and the one that is saved as the base.
MODELS = {
    "bert": lambda: same(bert(hidden_act="gelu_new")),
    "bert-pairs": lambda: same(bert()),
    "bert-tower": lambda: tower(bert()),
    "bert-mean": lambda: without_pooler(bert()),
    "bert-masked": bert_masked,
    "roberta": lambda: same(roberta()),
    "roberta-tower": lambda: tower(roberta()),
    "distilbert": lambda: same(distilbert()),
    "bert-tokens": lambda: same(bert_tokens()),
    "roberta-tokens": lambda: same(roberta_tokens()),
    "distilbert-tokens": lambda: same(distilbert_tokens()),
    "llama-classes": lambda: same(llama_classes()),
    "gpt2-classes": lambda: same(gpt2_classes()),
    "vit": lambda: same(vit()),
    "vit-wide": lambda: same(
        vit(image_size=[8, 12], patch_size=[4, 3], qkv_bias=False, num_channels=1, hidden_act="relu")
    ),
    "vit-tower": vit_tower,
    "clip": lambda: same(clip()),
    "clip-whole": clip_whole,
    "clip-vision": clip_vision,
    "clip-captions": clip_captions,
    "siglip-pairs": siglip_pairs,
    "t5": lambda: same(tr.T5ForConditionalGeneration(tr.T5Config(**T5))),
    "t5-untied": lambda: same(t5_untied()),
    "llama": lambda: same(llama(num_key_value_heads=2, tie_word_embeddings=True)),
    "llama-untied": lambda: same(
        llama(
            num_key_value_heads=1,
            head_dim=6,
            attention_bias=True,
            mlp_bias=True,
            pad_token_id=3,
            hidden_act="gelu",
            rope_parameters={"rope_type": "default", "rope_theta": 500.0},
        )
    ),
    "llama-left": lambda: same(llama(num_key_value_heads=2)),
    # Four frequencies: one that stays, one between, two that are lowered in full.
    "llama-banded": lambda: same(
        llama(
            num_key_value_heads=2,
            num_attention_heads=2,
            head_dim=8,
            max_position_embeddings=320,
            tie_word_embeddings=True,
            rope_parameters={
                "rope_type": "llama3",
                "rope_theta": 100.0,
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 40,
            },
        )
    ),
    "llama-linear": lambda: same(
        llama(
            num_attention_heads=2,
            max_position_embeddings=64,
            tie_word_embeddings=True,
            rope_parameters={"rope_type": "linear", "rope_theta": 100.0, "factor": 4.0},
        )
    ),
    # One for each kind of block that the families before them lack. Heads that are normed have at least four entries: the layer norm
    # of two is ±1, and its gradient nothing but rounding.
    "gemma2": lambda: same(
        causal(
            "Gemma2",
            hidden_size=16,
            head_dim=4,
            sliding_window=3,
            query_pre_attn_scalar=5,
            attn_logit_softcapping=2.0,
            final_logit_softcapping=1.5,
            vocab_size=24,
        )
    ),
    "gemma": lambda: same(causal("Gemma", head_dim=4)),
    "gemma3": lambda: same(
        causal(
            "Gemma3Text",
            hidden_size=16,
            head_dim=4,
            sliding_window=3,
            query_pre_attn_scalar=5,
            layer_types=["sliding_attention", "full_attention"],
            rope_parameters={
                "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
                "full_attention": {"rope_type": "linear", "rope_theta": 1000.0, "factor": 4.0},
            },
        )
    ),
    "olmo3": lambda: same(
        causal(
            "Olmo3",
            hidden_size=16,
            sliding_window=3,
            layer_types=["sliding_attention", "full_attention"],
            rope_parameters={
                "sliding_attention": {"rope_type": "default", "rope_theta": 100.0},
                "full_attention": {
                    "rope_type": "yarn",
                    "rope_theta": 100.0,
                    "factor": 4.0,
                    "original_max_position_embeddings": 4,
                },
            },
        )
    ),
    "phi3": lambda: same(
        causal(
            "Phi3",
            hidden_size=16,
            original_max_position_embeddings=6,
            partial_rotary_factor=0.5,
            rope_parameters={
                "rope_type": "longrope",
                "rope_theta": 100.0,
                "partial_rotary_factor": 0.5,
                "short_factor": [1.1],
                "long_factor": [2.5],
            },
        )
    ),
    "gpt-neox": lambda: same(causal("GPTNeoX", ["num_key_value_heads"], hidden_size=16, rotary_pct=0.5)),
    "cohere": lambda: same(causal("Cohere", hidden_size=16, use_qk_norm=True, logit_scale=0.5)),
    "bloom": lambda: same(causal("Bloom", ["intermediate_size", "num_key_value_heads"], n_head=4, n_layer=2)),
    "opt-narrow": lambda: same(
        causal(
            "OPT",
            ["intermediate_size", "num_key_value_heads"],
            ffn_dim=12,
            do_layer_norm_before=False,
            word_embed_proj_dim=4,
        )
    ),
    "gpt-oss": lambda: same(
        causal(
            "GptOss",
            head_dim=4,
            num_local_experts=3,
            num_experts_per_tok=2,
            sliding_window=3,
            rope_parameters={
                "rope_type": "yarn",
                "rope_theta": 100.0,
                "factor": 4.0,
                "original_max_position_embeddings": 4,
                "truncate": False,
            },
        )
    ),
    "apertus": lambda: same(causal("Apertus")),
    "deberta": lambda: same(
        encoder(
            "DebertaV2",
            relative_attention=True,
            position_buckets=4,
            share_att_key=True,
            norm_rel_ebd="layer_norm",
            pos_att_type=["p2c", "c2p"],
            position_biased_input=False,
            conv_kernel_size=3,
            conv_act="gelu",
        )
    ),
    "modernbert": lambda: same(
        encoder("ModernBert", "TokenClassification", local_attention=4, cls_token_id=2, sep_token_id=3)
    ),
    "mpnet": lambda: same(encoder("MPNet")),
    "albert": lambda: same(encoder("Albert", embedding_size=6)),
    "bart-classes": lambda: same(
        tr.BartForSequenceClassification(
            tr.BartConfig(
                vocab_size=24,
                d_model=8,
                encoder_layers=1,
                decoder_layers=1,
                encoder_ffn_dim=12,
                decoder_ffn_dim=12,
                encoder_attention_heads=2,
                decoder_attention_heads=2,
                max_position_embeddings=16,
                num_labels=3,
            )
        )
    ),
    "m2m100": lambda: same(
        tr.M2M100ForConditionalGeneration(
            tr.M2M100Config(
                vocab_size=24,
                d_model=8,
                encoder_layers=1,
                decoder_layers=1,
                encoder_ffn_dim=12,
                decoder_ffn_dim=12,
                encoder_attention_heads=2,
                decoder_attention_heads=2,
                max_position_embeddings=16,
            )
        )
    ),
    "umt5": lambda: same(tr.UMT5ForConditionalGeneration(tr.UMT5Config(**T5))),
    "dinov2": lambda: tower(
        tr.Dinov2WithRegistersForImageClassification(
            tr.Dinov2WithRegistersConfig(
                hidden_size=8,
                num_hidden_layers=1,
                num_attention_heads=2,
                mlp_ratio=2,
                image_size=8,
                patch_size=4,
                num_labels=3,
            )
        )
    ),
    "convnext": lambda: same(
        tr.ConvNextV2ForImageClassification(
            tr.ConvNextV2Config(hidden_sizes=[4, 6], depths=[1, 1], num_stages=2, image_size=16, num_labels=3)
        )
    ),
    # Windows that the grid of 5 × 5 does not fill, shifted in the second layer.
    "swin": lambda: same(
        tr.SwinForImageClassification(
            tr.SwinConfig(
                image_size=20,
                patch_size=4,
                embed_dim=4,
                depths=[2, 1],
                num_heads=[2, 1],
                window_size=3,
                mlp_ratio=2.0,
                num_labels=3,
            )
        )
    ),
    # Windows that shrink to the grid of the second stage, and of another side than in the pretraining.
    "swinv2": lambda: same(
        tr.Swinv2ForImageClassification(
            tr.Swinv2Config(
                image_size=20,
                patch_size=4,
                embed_dim=6,
                depths=[2, 1],
                num_heads=[1, 2],
                window_size=3,
                mlp_ratio=2.0,
                pretrained_window_sizes=[4, 0],
                num_labels=3,
            )
        )
    ),
    "beit": lambda: same(
        tr.BeitForImageClassification(
            tr.BeitConfig(use_relative_position_bias=True, layer_scale_init_value=0.5, num_labels=3, **VISION)
        )
    ),
    "resnet": lambda: same(
        tr.ResNetForImageClassification(
            tr.ResNetConfig(
                embedding_size=4, hidden_sizes=[8, 12], depths=[1, 2], num_labels=3, layer_type="bottleneck"
            )
        )
    ),
    "segformer": lambda: same(
        tr.SegformerForSemanticSegmentation(
            tr.SegformerConfig(
                num_encoder_blocks=2,
                depths=[1, 1],
                sr_ratios=[2, 1],
                hidden_sizes=[4, 8],
                patch_sizes=[5, 3],
                strides=[2, 2],
                num_attention_heads=[1, 2],
                mlp_ratios=[2, 2],
                decoder_hidden_size=4,
                num_labels=3,
            )
        )
    ),
    "gpt2": lambda: same(gpt2()),
    "gpt2-scaled": lambda: same(gpt2(scale_attn_by_inverse_layer_idx=True, n_inner=10, tie_word_embeddings=False)),
}


def inputs_of(model, batch, tokens, targets):
    config = model.config if hasattr(model, "config") else model.bert.config
    if isinstance(model, Captions):
        ids = torch.randint(2, 15, (batch, 3, tokens))
        mask = torch.arange(tokens) < torch.randint(2, tokens + 1, (batch, 3, 1))
        ends = mask & ~mask.roll(-1, 2) | (mask & (torch.arange(tokens) == tokens - 1))
        ids = ids.masked_fill(ends, 15).masked_fill(~mask, PADDING)
        side = config.vision_config.image_size
        pixels = torch.randn(batch, config.vision_config.num_channels, side, side).double()
        values = {"pixel_values": pixels, "input_ids": ids, "attention_mask": mask.long()}
        if config.model_type == "siglip":  # every token sees all others, padding too
            del values["attention_mask"]
        return values
    if getattr(model, "main_input_name", "") == "pixel_values":
        vision = getattr(config, "vision_config", config)
        side = getattr(vision, "image_size", 16)
        side = side if isinstance(side, (list, tuple)) else (side, side)
        return {"pixel_values": torch.randn(batch, vision.num_channels, *side).double()}
    mask = torch.ones(batch, tokens, dtype=torch.int64)
    mask[0, tokens // 2:] = 0
    ids = torch.randint(2, config.vocab_size, (batch, tokens))
    ids[mask == 0] = PADDING
    if config.is_encoder_decoder and type(model).__name__.endswith("ForSequenceClassification"):
        ids[ids == config.eos_token_id] = 5
        ids[torch.arange(batch), mask.sum(1) - 1] = config.eos_token_id
        return {"input_ids": ids, "attention_mask": mask}
    values = {"input_ids": ids, "attention_mask": mask}
    if config.is_encoder_decoder:
        values["decoder_input_ids"] = torch.randint(0, config.vocab_size, (batch, targets))
        if config.model_type == "m2m_100":
            values["decoder_input_ids"][1, -2:] = config.pad_token_id
    return values


def logits_of(model, values):
    result = model(**values)
    logits = result if isinstance(result, torch.Tensor) else result.logits
    if logits.dim() == 4:  # classes of pixels, at the image's size
        logits = F.interpolate(logits, values["pixel_values"].shape[2:], mode="bilinear").permute(0, 2, 3, 1)
    return logits


def computed(model, values, labels):
    """Logits, and the gradients of the cross-entropy by the model's names."""
    model.zero_grad(set_to_none=True)
    logits = logits_of(model, values)
    F.cross_entropy(logits.flatten(0, -2), labels).backward()
    return logits.detach(), {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


def rounding(model, values, labels, logits, gradients):
    """What float32 differs by, as a share of each tensor's largest entry; tensors that are 0 but for rounding are left out."""
    narrow = {n: t.float() if t.is_floating_point() else t for n, t in values.items()}
    other, found = computed(model, narrow, labels)
    largest = max(gradient.abs().max() for gradient in gradients.values())
    pairs = [(other, logits)] + [
        (found[n], gradient) for n, gradient in gradients.items() if gradient.abs().max() > 2e-6 * largest
    ]
    return max(((a.double() - b).abs().max() / b.abs().max()).item() for a, b in pairs)


def saved_names(saved, model):
    """The name in the files for each parameter of the model; those that the base lacks keep their own."""
    names = {}
    for name, parameter in model.named_parameters():
        same = [n for n, t in saved.items() if t.shape == parameter.shape and torch.equal(t, parameter)]
        assert len(same) < 2, (name, same)
        names[name] = same[0] if same else name
    return names


def make(name, folder):
    model, base = MODELS[name]()
    make_fixtures.filled(base)
    torch.manual_seed(sum(name.encode()) + 1)
    own = {id(parameter) for parameter in base.parameters()}
    with torch.no_grad():
        for parameter in model.parameters():
            if id(parameter) not in own:
                parameter.normal_(0, 0.3)
        for own_name, parameter in model.named_parameters():
            if own_name.endswith(("Attention.q.weight", "Attention.k.weight")):
                parameter *= 0.5  # T5 does not scale its scores, and starts smaller.
        for buffer_name, buffer in model.named_buffers():
            if buffer_name.endswith("running_var"):
                buffer.uniform_(0.5, 1.5)
            elif buffer_name.endswith("running_mean"):
                buffer.normal_(0, 0.1)
    model.eval()
    with tempfile.TemporaryDirectory() as directory:
        base.save_pretrained(directory)
        saved = load_file(os.path.join(directory, "model.safetensors"))
        for file in ("config.json", "model.safetensors"):
            shutil.copy(os.path.join(directory, file), folder)
    names = saved_names(saved, model)
    tensors = {f"head.{n}": p.detach() for n, p in model.named_parameters() if names[n] not in saved}
    wide = copy.deepcopy(model).double()
    for case, lengths in CASES.items():
        values = CHANGED.get(name, dict)(inputs_of(model, *lengths))
        with torch.no_grad():
            count = logits_of(wide, values).flatten(0, -2).shape
        labels = torch.randint(0, count[1], (count[0],))
        with InDouble():
            logits, gradients = computed(wide, values, labels)
        noise = rounding(model, values, labels, logits, gradients)
        assert noise < NOISE, f"{name}, {case}: rounding alone is {noise:.1e}; take another size or seed"
        tensors |= {f"{case}.input.{n}": value for n, value in values.items()}
        tensors |= {f"{case}.labels": labels, f"{case}.logits": logits}
        tensors |= {f"{case}.gradient.{names[n]}": gradient for n, gradient in gradients.items()}
    tensors = {n: (t.float() if t.is_floating_point() else t).contiguous().clone() for n, t in tensors.items()}
    save_file(tensors, os.path.join(folder, "reference.safetensors"))


def main():
    tr.logging.set_verbosity_error()
    for name in sys.argv[1:] or MODELS:
        torch.manual_seed(sum(name.encode()))
        folder = os.path.join(FIXTURES, name)
        os.makedirs(folder, exist_ok=True)
        make(name, folder)
        print(f"{name:14} {sum(entry.stat().st_size for entry in os.scandir(folder)):7,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
