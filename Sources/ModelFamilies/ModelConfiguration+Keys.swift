extension ModelConfiguration {
    /// Keys of every model that name it, tell how it was trained, how it is run, what is made of its logits, or how
    /// text is generated with it: the logits do not depend on them. Rates of dropout are among them, because a graph is
    /// run in evaluation mode. What changes the weights when they are loaded, such as `quantization_config`, is not.
    static let inert: Set = [
        "_attn_implementation", "_attn_implementation_autoset", "_attn_implementation_internal", "_commit_hash",
        "_flash_attn_2_enabled", "_model_name_or_path", "_name_or_path", "_num_labels", "architectures",
        "attn_implementation",
        "bad_words_ids", "begin_suppress_tokens", "bos_token", "bos_token_id", "chunk_size_feed_forward",
        "classifier_dropout",
        "cls_token_id", "decoder_start_token_id", "diversity_penalty", "do_sample", "dtype", "early_stopping",
        "encoder_no_repeat_ngram_size", "eos_token", "eos_token_id", "eos_token_ids",
        "exponential_decay_length_penalty",
        "finetuning_task", "forced_bos_token_id", "forced_eos_token_id", "gradient_checkpointing", "id2label",
        "initializer_factor", "initializer_range", "keys_to_ignore_at_inference", "label2id", "language",
        "length_penalty", "mask_token", "mask_token_id", "max_length", "max_seq_length", "min_length",
        "model_max_length",
        "model_type", "name", "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_labels",
        "num_return_sequences", "output_attentions", "output_hidden_states", "output_past", "output_scores",
        "pad_token", "pad_token_id", "prefix", "problem_type", "repetition_penalty", "return_dict",
        "return_dict_in_generate",
        "sbert_ce_default_activation_function", "sentence_transformers", "sep_token_id", "suppress_tokens",
        "task_specific_params", "temperature", "tf_legacy_loss", "tokenizer_class", "top_k", "top_p", "torch_dtype",
        "torchscript", "transformers.js_config", "transformers_version", "typical_p", "unk_token_id", "unsloth_fixed",
        "unsloth_version", "use_bfloat16", "use_cache", "vocab_size_or_config_json_file", "xla_device",
    ]
}
