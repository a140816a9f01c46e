#!/usr/bin/env python3
"""Writes Tests/RegistryTests/Fixtures/configurations.json: changes of `config.json` and whether the model computes the same after.

`bases` holds tiny models' configurations as save_pretrained writes them, `changes` what is set in one of them; null stands for a key that
is taken out. Both models get the same weights; `differs` says whether their logits do, by transformers.
"""

import copy
import json
import os
import tempfile

import torch
import transformers

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Tests", "RegistryTests", "Fixtures")
SIZES = dict(vocab_size=64, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24, pad_token_id=0,
             bos_token_id=1, eos_token_id=2)
ROPE = SIZES | dict(num_key_value_heads=2, max_position_embeddings=64, head_dim=4)
ENCODER = SIZES | dict(max_position_embeddings=40, hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)
NEUTRAL = [{"use_cache": False}, {"initializer_range": 0.5}, {"id2label": {"0": "a", "1": "b"}}, {"transformers_version": "4.0.0"},
           {"torch_dtype": "bfloat16"}, {"a_key_that_nobody_reads": 3}, {"eos_token_id": [2, 3]}, {"problem_type": "regression"}]
ROTARY = [{"rope_parameters": {"rope_type": "default", "rope_theta": 5e5}},
          {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}},
          {"rope_parameters": None, "rope_theta": 1e4}, {"rope_parameters": None, "rope_theta": 2e4},
          {"rope_parameters": None, "rope_theta": 1e4, "rope_scaling": {"type": "linear", "factor": 2.0}},
          {"rope_parameters": None, "rope_theta": 1e4, "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
           "high_freq_factor": 4.0, "original_max_position_embeddings": 16}},
          {"rms_norm_eps": 0.1}, {"attention_dropout": 0.3}, {"max_position_embeddings": 128}]
FAMILIES = {
    "LlamaForCausalLM": (ROPE, ROTARY + [{"hidden_act": "gelu"}, {"hidden_act": "swish"}, {"pretraining_tp": 2}]),
    "MistralForCausalLM": (ROPE | dict(sliding_window=None), ROTARY + [{"sliding_window": 4}, {"sliding_window": 4096}]),
    "Qwen2ForCausalLM": ({k: v for k, v in ROPE.items() if k != "head_dim"},
                         [{"rms_norm_eps": 0.1}, {"sliding_window": 4}, {"max_window_layers": 1}, {"hidden_act": "relu"},
                          {"use_sliding_window": True, "sliding_window": 4, "max_window_layers": 0, "layer_types": None}]),
    "Gemma2ForCausalLM": (ROPE, [{"attn_logit_softcapping": 0.5}, {"final_logit_softcapping": 0.1}, {"query_pre_attn_scalar": 16},
                                 {"hidden_activation": "gelu"}, {"sliding_window": 4}, {"rms_norm_eps": 0.1}]),
    "GPT2LMHeadModel": (dict(vocab_size=64, n_embd=16, n_layer=2, n_head=4, n_positions=40, bos_token_id=1, eos_token_id=2),
                        [{"activation_function": "relu"}, {"activation_function": "gelu_pytorch_tanh"}, {"resid_pdrop": 0.5},
                         {"scale_attn_by_inverse_layer_idx": True}, {"scale_attn_weights": False}, {"layer_norm_epsilon": 0.1},
                         {"reorder_and_upcast_attn": True}, {"n_head": 2}, {"summary_type": "mean"}]),
    "GPTNeoXForCausalLM": (SIZES | dict(max_position_embeddings=64),
                           [{"use_parallel_residual": False}, {"hidden_act": "relu"}, {"layer_norm_eps": 0.1},
                            {"rope_parameters": None, "rotary_pct": 0.25, "rotary_emb_base": 10000},
                            {"rope_parameters": None, "rotary_pct": 1.0, "rotary_emb_base": 10000}, {"hidden_dropout": 0.5}]),
    "BertForSequenceClassification": (ENCODER, [{"layer_norm_eps": 0.1}, {"hidden_act": "relu"}, {"hidden_dropout_prob": 0.5},
                                                {"num_attention_heads": 2}, {"classifier_dropout": 0.5}]),
    "RobertaForSequenceClassification": (ENCODER | dict(pad_token_id=1), [{"pad_token_id": 0}, {"hidden_act": "relu"},
                                                                          {"layer_norm_eps": 0.1}]),
    "DistilBertForSequenceClassification": (
        dict(vocab_size=64, dim=16, n_layers=2, n_heads=4, hidden_dim=24, max_position_embeddings=40),
        [{"activation": "relu"}, {"n_heads": 2}, {"seq_classif_dropout": 0.9}, {"dropout": 0.5}]),
    "ElectraForSequenceClassification": (ENCODER | dict(embedding_size=16), [{"hidden_act": "relu"}, {"layer_norm_eps": 0.1}]),
}


def logits(model):
    tokens = torch.arange(3, 27)[None] + torch.tensor([[0], [13]])
    with torch.no_grad():
        return model.eval()(tokens).logits


def pair(kind, base, text, change):
    values = json.loads(text)
    for key, value in change.items():
        if value is None:
            values.pop(key, None)
        else:
            values[key] = value
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/config.json", "w") as file:
            json.dump(values, file)
        configuration = type(base.config).from_pretrained(folder)
    configuration.num_labels = base.config.num_labels
    configuration.torch_dtype = torch.float32
    other = kind(configuration).float()
    other.load_state_dict(base.state_dict())
    return not torch.allclose(logits(base), logits(other), rtol=1e-6, atol=1e-6)


def main():
    torch.manual_seed(0)
    bases, changed = {}, []
    for name, (settings, changes) in FAMILIES.items():
        kind = getattr(transformers, name)
        model = kind(kind.config_class(**settings))
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        with tempfile.TemporaryDirectory() as folder:
            model.config.architectures = [name]
            model.config.save_pretrained(folder)
            with open(f"{folder}/config.json") as file:
                text = file.read()
        bases[name] = json.loads(text)
        for change in NEUTRAL + changes:
            changed.append({"base": name, "change": change, "differs": pair(kind, model, text, copy.deepcopy(change))})
    os.makedirs(OUT, exist_ok=True)
    with open(f"{OUT}/configurations.json", "w") as file:
        lines = [json.dumps(item, sort_keys=True, separators=(",", ":")) for item in changed]
        bases = json.dumps(bases, sort_keys=True, separators=(",", ":"))
        file.write('{"bases":' + bases + ',\n"changes":[\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
