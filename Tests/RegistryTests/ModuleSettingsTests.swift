import Files
import Testing

@testable import Tasks

/// Configurations of sentence-transformers' modules that mean the same, as its versions write them.
struct ModuleSettingsTests {
    private func settings(_ text: String) throws -> ModuleSettings {
        ModuleSettings(try JSONValue(parsing: Array(text.utf8), .python))
    }

    @Test(arguments: [
        (
            #"{"word_embedding_dimension": 32, "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#,
            #"{"word_embedding_dimension": 32, "pooling_mode": "cls"}"#
        ),
        (
            #"{"pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": false}"#,
            #"{"pooling_mode_mean_tokens": true, "pooling_mode_lasttoken": false, "include_prompt": true}"#
        ),
        (#"{"pooling_mode_cls_token": false}"#, #"{"pooling_mode": "mean"}"#),
        (
            #"{"in_features": 8, "out_features": 4, "bias": true}"#,
            #"{"in_features": 8.0, "out_features": 4, "module_input_name": "sentence_embedding"}"#
        ),
    ]) func areTheSame(_ first: String, _ second: String) throws {
        #expect(try settings(first) == settings(second))
    }

    @Test(arguments: [
        (#"{"pooling_mode_cls_token": true}"#, #"{"pooling_mode": "cls"}"#),
        (#"{"pooling_mode": "cls"}"#, #"{"pooling_mode": "mean"}"#),
        (#"{"pooling_mode": "cls"}"#, #"{"pooling_mode": "cls", "include_prompt": false}"#),
        (#"{"activation_function": "torch.nn.modules.activation.Tanh"}"#, #"{}"#),
        (#"{"in_features": 8, "bias": false}"#, #"{"in_features": 8}"#),
    ]) func differ(_ first: String, _ second: String) throws {
        #expect(try settings(first) != settings(second))
    }

    @Test func aClassIsTheSameWhereverItIsKept() throws {
        func modules(_ text: String) throws -> ModuleSettings {
            ModuleSettings(modules: try JSONValue(parsing: Array(text.utf8), .python))
        }
        let old = #"[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]"#
        let new = #"[{"idx": 0, "name": "a", "path": "", "type": "sentence_transformers.base.Transformer"}]"#
        #expect(try modules(old) == modules(new))
        let more =
            #", {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"}]"#
        #expect(try modules(old) != modules(old.dropLast() + more))
    }
}
