#!/usr/bin/env python3
"""Writes Sources/Tasks/Configuration/defaults.json: what transformers takes for keys that a `config.json` does not state.

By `model_type`: `names` gives the model's own name of keys that it knows by another one, `keys` the default of every key but those that
`ModelConfiguration.inert` lists; null where there is none. A key that is not there is one that transformers ignores.
"""

import json
import math
import os
import warnings

from transformers.models.auto.configuration_auto import CONFIG_MAPPING

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
OUT = f"{HERE}/../Sources/Tasks/Configuration/defaults.json"
with open(f"{HERE}/../Sources/ModelFamilies/ModelConfiguration+Keys.swift") as source:
    INERT = set(source.read().split('"')[1::2])

# What teams fine-tune: language models, encoders, sequence to sequence, vision, speech, and models for images and text.
TYPES = """
albert aria aya_vision bart beit bert bigbird_pegasus big_bird blenderbot bloom camembert clip clip_text_model clip_vision_model codegen
cohere cohere2 convnext convnextv2 data2vec-audio data2vec-text data2vec-vision deberta deberta-v2 deepseek_v2 deepseek_v3 deit
dinov2 dinov3_vit distilbert electra ernie esm eurobert exaone4 falcon falcon_mamba fnet gemma gemma2 gemma3 gemma3_text gemma3n
gemma3n_text glm glm4 glm4_moe gpt2 gpt_bigcode gpt_neo gpt_neox gpt_oss gptj granite granitemoe hubert hunyuan_v1_dense
idefics3 internlm3 internvl jamba layoutlm layoutlmv3 led llama llama4 llama4_text llava llava_next longformer longt5 m2m_100
mamba mamba2 marian mbart mimi ministral mistral mistral3 mixtral mllama mobilebert modernbert mpnet mpt mt5 nemotron nllb-moe
nomic_bert olmo olmo2 olmo3 olmoe opt paligemma pegasus persimmon phi phi3 phimoe pixtral plbart prophetnet qwen2 qwen2_5_vl
qwen2_5_vl_text qwen2_audio qwen2_moe qwen2_vl qwen2_vl_text qwen3 qwen3_5 qwen3_5_moe qwen3_5_text qwen3_moe qwen3_next qwen3_vl
qwen3_vl_text recurrent_gemma rembert resnet roberta roberta-prelayernorm roformer seed_oss siglip siglip2 siglip_text_model
siglip_vision_model smollm3 smolvlm smolvlm_vision speech_to_text squeezebert stablelm starcoder2 swin swinv2 switch_transformers t5
t5gemma umt5 unispeech unispeech-sat vit vit_mae vit_msn wav2vec2 wav2vec2-bert wav2vec2-conformer wavlm whisper xglm xlm xlm-roberta
xlm-roberta-xl xlnet xmod yoso zamba zamba2
""".split()


def finite(value):
    """The value where JSON has it: no infinities, which Python writes and other readers refuse."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def described(kind):
    """The defaults of one kind; what is derived from other keys, and kinds that need arguments, are left to who reads both sides."""
    configuration = CONFIG_MAPPING[kind]()
    values = configuration.to_dict()
    keys = {}
    for key, value in values.items():
        if key in INERT or key.startswith("_") and key != "_sliding_window_pattern":
            continue
        keys[key] = None if isinstance(value, dict) and "model_type" in value else finite(value)
    names = {other: own for other, own in (configuration.attribute_map or {}).items() if other not in INERT}
    return {"keys": keys, **({"names": names} if names else {})}


def main():
    table = {}
    for kind in TYPES:
        if kind not in CONFIG_MAPPING:
            print(f"transformers has no {kind}")
            continue
        table[kind] = described(kind)
    lines = [f"{json.dumps(kind)}:{json.dumps(table[kind], separators=(',', ':'), sort_keys=True)}" for kind in sorted(table)]
    with open(OUT, "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
