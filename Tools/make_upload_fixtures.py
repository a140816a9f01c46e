#!/usr/bin/env python3
"""Makes Tests/MergingTests/Fixtures/uploads with transformers, PEFT and torch: uploads whose tensors have other names, rows or
buffers than the base's.

`uploads/CASE` holds `base` and `task`, folders as they are uploaded, and `expected.safetensors`: what the task's model is under the
names in the base's file, as transformers or PEFT itself has it. Of an adapter that is the folded model; where PEFT folds a product into
two tied modules it adds it twice to the one tensor that they share, so there the product that its forward pass adds is taken once.
"""

import copy
import json
import os
import shutil
import tempfile

import peft
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch.nn.utils import spectral_norm, weight_norm

OUT = os.path.join(os.path.dirname(__file__), "..", "Tests", "MergingTests", "Fixtures", "uploads")
META = {"format": "pt"}


def llama(**settings):
    torch.manual_seed(0)
    sizes = dict(
        vocab_size=64, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, intermediate_size=8,
        max_position_embeddings=16, tie_word_embeddings=False)
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**(sizes | settings)))


def moved(model, seed=1, size=0.2):
    """A copy of a model whose parameters have moved by a share of their spread, as those of a fine-tune do."""
    model = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            spread = parameter.std().nan_to_num(0) + 0.01
            parameter.add_(torch.randn(parameter.shape, generator=generator) * spread * size)
    return model


def saved(model):
    """What save_pretrained writes."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return load_file(f"{folder}/model.safetensors")


def write(tensors, path, config=None):
    os.makedirs(path, exist_ok=True)
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, f"{path}/model.safetensors", metadata=META)
    if config:
        with open(f"{path}/config.json", "w") as file:
            json.dump(config, file, indent=1, sort_keys=True)


def configuration(model):
    config = model.config.to_dict()
    return {key: config[key] for key in ("architectures", "model_type", "tie_word_embeddings") if key in config} | {
        "architectures": [type(model).__name__]}


def case(name, base, task, expected, config=None):
    folder = f"{OUT}/{name}"
    write(base, f"{folder}/base", config)
    if isinstance(task, dict):
        write(task, f"{folder}/task")
    else:
        os.makedirs(f"{folder}/task")
        task(f"{folder}/task")
    save_file({key: value.float().contiguous().clone() for key, value in expected.items()}, f"{folder}/expected.safetensors",
              metadata=META)


def renamed(tensors, change):
    return {change(name): tensor for name, tensor in tensors.items()}


def names():
    base = llama()
    task = saved(moved(base))
    files = saved(base)
    config = configuration(base)

    def wrapped(*parts):
        def change(name):
            for before, wrapper in parts:
                name = name.replace(before, before + wrapper, 1)
            return name

        return renamed(task, change)

    case("fsdp", files, wrapped(("model.", "_fsdp_wrapped_module."), ("layers.0.", "_fsdp_wrapped_module._checkpoint_wrapped_module."),
                                ("layers.1.", "_fsdp_wrapped_module._checkpoint_wrapped_module.")), task, config)
    case("compiled-layers", files, wrapped(("layers.0.", "_orig_mod."), ("layers.1.", "_orig_mod.")), task, config)
    case("wrapped-base", wrapped_names(files), task, wrapped_names(task), config)

    sizes = dict(vocab_size=32, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1,
                 intermediate_size=8)
    qwen = transformers.Qwen2_5_VLForConditionalGeneration(transformers.Qwen2_5_VLConfig(
        text_config=sizes | dict(rope_scaling=dict(type="mrope", mrope_section=[1, 1, 0])),
        vision_config=dict(depth=1, hidden_size=8, num_heads=2, intermediate_size=8, out_hidden_size=8, patch_size=2,
                           fullatt_block_indexes=[0])))
    vision = transformers.CLIPVisionConfig(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2,
                                           image_size=4, patch_size=2, projection_dim=8)
    llava = transformers.LlavaForConditionalGeneration(
        transformers.LlavaConfig(vision_config=vision, text_config=transformers.LlamaConfig(**sizes)))
    for kind, model in ("qwen-vl", qwen), ("llava", llava):
        own = moved(model)
        case(f"{kind}-joined", saved(model), own.state_dict(), saved(own), configuration(model))
        case(f"{kind}-apart", model.state_dict(), saved(own), own.state_dict(), configuration(model))

    speech = transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(
        vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, conv_dim=(4, 4),
        conv_kernel=(3, 3), conv_stride=(2, 2), num_feat_extract_layers=2, num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2))
    old = lambda tensors: renamed(tensors, lambda name: name.replace("parametrizations.weight.original0", "weight_g").replace(
        "parametrizations.weight.original1", "weight_v"))
    own = moved(speech)
    again, report = transformers.Wav2Vec2Model.from_pretrained(
        None, config=speech.config, state_dict=old(saved(own)), output_loading_info=True)
    assert not report["missing_keys"] and not report["unexpected_keys"]
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in own.state_dict().items())
    case("weight-norm-old", saved(speech), old(saved(own)), saved(own), configuration(speech))
    case("weight-norm-new", old(saved(speech)), saved(own), old(saved(own)), configuration(speech))
    spectral()


def wrapped_names(tensors):
    return renamed(tensors, lambda name: name.replace("layers.0.", "layers.0._checkpoint_wrapped_module."))


def spectral():
    """The older and the newer spectral norm, whose tensors torch itself puts to each other."""
    torch.manual_seed(2)
    old = torch.nn.Sequential(spectral_norm(torch.nn.Linear(6, 5)), weight_norm(torch.nn.Linear(5, 4), dim=None))
    own = torch.nn.Sequential(spectral_norm(torch.nn.Linear(6, 5)), weight_norm(torch.nn.Linear(5, 4), dim=None))
    generator = torch.Generator().manual_seed(3)
    own.load_state_dict({name: tensor + 0.02 * torch.randn(tensor.shape, generator=generator)
                         for name, tensor in old.state_dict().items()})
    new = torch.nn.Sequential(
        torch.nn.utils.parametrizations.spectral_norm(torch.nn.Linear(6, 5)),
        torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(5, 4), dim=None))
    tensors = renamed(own.state_dict(), lambda name: {
        "0.weight_orig": "0.parametrizations.weight.original", "0.weight_u": "0.parametrizations.weight.0._u",
        "0.weight_v": "0.parametrizations.weight.0._v", "1.weight_g": "1.parametrizations.weight.original0",
        "1.weight_v": "1.parametrizations.weight.original1"}.get(name, name))
    new.load_state_dict(tensors)
    inputs = torch.randn(3, 6)
    assert torch.allclose(new.eval()(inputs), own.eval()(inputs), atol=1e-6)
    case("spectral-norm", old.state_dict(), new.state_dict(), own.state_dict(), {"model_type": "other"})


def buffers():
    base = llama()
    own = saved(moved(base))
    positions = torch.arange(16)
    mask = torch.full((16, 16), -torch.inf).triu(1)[None, None]
    extra = {
        f"model.layers.{index}.{name}": tensor for index in range(2) for name, tensor in {
            "self_attn.rotary_emb.inv_freq": torch.ones(2), "self_attn.rotary_emb.cos_cached": torch.ones(1, 1, 16, 4),
            "self_attn.masked_bias": torch.tensor(-1e9), "self_attn.bias": mask, "position_ids": positions[None]}.items()}
    mtp = {"mtp.layers.0.mlp.down_proj.weight": torch.randn(8, 8), "mtp.fc.weight": torch.randn(8, 16)}
    nextn = {f"model.layers.2.{name}.weight": torch.randn(8, 8) for name in ("eh_proj", "enorm", "mlp.down_proj")}
    config = configuration(base) | {"model_type": "other"}
    case("buffers-of-the-task", saved(base), own | extra, own, config)
    floats = {name: tensor.nan_to_num(neginf=-1e4) for name, tensor in extra.items()}
    case("buffers-of-the-base", saved(base) | floats, own, own | floats, config)
    case("further-tokens", saved(base) | mtp | nextn, own, own | mtp | nextn, config)


def placeholders():
    """A tied output layer that a save left empty, or that the index names and no shard holds; transformers loads the latter."""
    base = llama(tie_word_embeddings=True)
    own = moved(base)
    own.tie_weights()
    tensors = saved(own)
    config = configuration(base)
    case("tied-placeholder", saved(base), tensors | {"lm_head.weight": torch.zeros(0)}, tensors, config)

    def shards(folder):
        names = sorted(tensors)
        files = [f"model-0000{place + 1}-of-00002.safetensors" for place in range(2)]
        for place, file in enumerate(files):
            save_file(
                {name: tensors[name].contiguous().clone() for name in names[place::2]},
                f"{folder}/{file}",
                metadata=META,
            )
        index = {
            "metadata": {"total_size": 1},
            "weight_map": {name: files[place % 2] for place, name in enumerate(names)} | {"lm_head.weight": files[1]},
        }
        with open(f"{folder}/model.safetensors.index.json", "w") as file:
            json.dump(index, file, indent=1, sort_keys=True)
        with tempfile.TemporaryDirectory() as whole:
            shutil.copytree(folder, whole, dirs_exist_ok=True)
            own.config.save_pretrained(whole)
            again = transformers.LlamaForCausalLM.from_pretrained(whole)
        assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in tensors.items())
        assert torch.equal(again.lm_head.weight, tensors["model.embed_tokens.weight"])

    case("tied-of-no-shard", saved(base), shards, tensors, config)
    parallel = renamed(saved(moved(llama())), lambda name: name.replace("self_attn.", "self_attn.module."))
    case("parallel-parts", saved(llama()), parallel, saved(moved(llama())), configuration(llama()))


def vocabularies():
    base = llama()
    files = saved(base)
    config = configuration(base)
    with torch.no_grad():
        cut = moved(base)
        cut.resize_token_embeddings(61)
        padded = moved(base)
        padded.resize_token_embeddings(64, pad_to_multiple_of=128)
    whole = lambda own, files=files: {
        name: torch.cat([tensor.float(), files[name][tensor.shape[0]:].float()]) if tensor.shape[0] < files[name].shape[0]
        else tensor[: files[name].shape[0]] for name, tensor in own.items()}
    case("vocabulary-cut", files, saved(cut), whole(saved(cut)), config)
    half = {name: tensor.bfloat16() for name, tensor in saved(cut).items()}
    case("vocabulary-cut-half", files, half, whole(half), config)
    case("vocabulary-padded", files, saved(padded), whole(saved(padded)), config)

    with torch.no_grad():
        bound = llama(tie_word_embeddings=True)
        own = moved(bound)
        own.tie_weights()
        own.resize_token_embeddings(61)
    case("vocabulary-cut-tied", saved(bound), saved(own), whole(saved(own), saved(bound)), configuration(bound))

    small = llama()
    small.resize_token_embeddings(61)
    settings = peft.LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "embed_tokens", "lm_head"], task_type="CAUSAL_LM")
    model = trained(peft.get_peft_model(small, settings))

    def save(folder):
        model.save_pretrained(folder, save_embedding_layers=False)

    folded = copy.deepcopy(model).merge_and_unload().state_dict()
    case("vocabulary-cut-lora", files, save, whole(folded), config)
    settings = peft.LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj"], task_type="CAUSAL_LM")
    small = llama()
    small.resize_token_embeddings(61)
    carrying = trained(peft.get_peft_model(small, settings))
    case("vocabulary-cut-copies", files, lambda folder: carrying.save_pretrained(folder, save_embedding_layers=True),
         whole(copy.deepcopy(carrying).merge_and_unload().state_dict()), config)


def trained(model, seed=3):
    generator = torch.Generator().manual_seed(seed)
    done = set()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and parameter.data_ptr() not in done:
                done.add(parameter.data_ptr())
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)
    return model


def lora(base, **settings):
    config = peft.LoraConfig(**(dict(r=2, lora_alpha=4, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM") | settings))
    return trained(peft.get_peft_model(base, config))


def adapters():
    base = llama()
    files, config = saved(base), configuration(base)
    plain = lora(llama())
    folded = copy.deepcopy(plain).merge_and_unload().state_dict()

    def keep(model, tensors, folder):
        model.save_pretrained(folder)
        save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, f"{folder}/adapter_model.safetensors",
                  metadata=META)

    state = plain.state_dict()
    factors = {name: tensor for name, tensor in state.items() if "lora_" in name}
    case("adapter-named", files, lambda folder: keep(plain, factors, folder), folded, config)
    case("adapter-whole-state", files, lambda folder: keep(plain, state, folder), folded, config)
    wrapped = renamed(factors, lambda name: "_fsdp_wrapped_module." + name.replace("layers.0.", "layers.0._checkpoint_wrapped_module."))
    case("adapter-wrapped", files, lambda folder: keep(plain, wrapped, folder), folded, config)
    second = lora(llama(), modules_to_save=["norm"])
    case("adapter-named-with-module", files, lambda folder: keep(
        second, {name: tensor for name, tensor in second.state_dict().items() if "lora_" in name or "norm." in name}, folder),
        copy.deepcopy(second).merge_and_unload().state_dict(), config)
    mica = lora(llama(), init_lora_weights="mica")
    case("mica", files, mica.save_pretrained, copy.deepcopy(mica).merge_and_unload().state_dict(), config)

    tied = lambda: llama(tie_word_embeddings=True)
    files, config = saved(tied()), configuration(tied())
    for name, settings in {
        "tied-saved": dict(modules_to_save=["embed_tokens"]), "tied-saved-by-head": dict(modules_to_save=["lm_head"]),
        "tied-lora": dict(target_modules=["q_proj", "embed_tokens"]),
        "tied-lora-by-head": dict(target_modules=["q_proj", "lm_head"]), "tied-elsewhere": {},
    }.items():
        model = lora(tied(), ensure_weight_tying=True, **settings)
        case(name, files, model.save_pretrained, once(model, files), config)
    carrying = lora(tied())
    case("tied-copies", files, lambda folder: carrying.save_pretrained(folder, save_embedding_layers=True), once(carrying, files),
         config)


def once(model, files):
    """The folded model, with a product that two tied modules share added once; checked against the logits of the adapter."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder, save_embedding_layers=False)
        again = peft.PeftModel.from_pretrained(llama(tie_word_embeddings=True), folder)
    folded = again.merge_and_unload().state_dict()
    expected = {name: folded[name] for name in files}
    state = model.state_dict()
    factor = state.get("base_model.model.model.embed_tokens.lora_embedding_A.default")
    if factor is not None:
        other = state["base_model.model.model.embed_tokens.lora_embedding_B.default"]
        expected["model.embed_tokens.weight"] = files["model.embed_tokens.weight"] + 2 * (other @ factor).T
    plain = llama(tie_word_embeddings=True)
    plain.load_state_dict(expected, strict=False)
    plain.tie_weights()
    tokens = torch.arange(12)[None]
    with torch.no_grad():
        assert torch.allclose(plain.eval()(tokens).logits, model.eval()(tokens).logits, atol=1e-5)
    return expected


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    names()
    buffers()
    placeholders()
    vocabularies()
    adapters()
    for folder, _, files in os.walk(OUT):
        for file in files:
            path = f"{folder}/{file}"
            if file == "README.md":
                os.remove(path)
            if file == "adapter_config.json":
                # PEFT writes its sets in any order.
                with open(path) as source:
                    values = json.load(source)
                for key, value in values.items():
                    values[key] = sorted(value) if isinstance(value, list) else value
                with open(path, "w") as target:
                    json.dump(values, target, indent=1, sort_keys=True)
