import Testing

@testable import Examples

/// tokenizer_config.json, config.json and preprocessor_config.json that are made to break what reads them.
@Suite struct BaseFileAttackTests {
    private static let tokenizer =
        #"{"model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "a": 1, "[PAD]": 2}}}"#

    private func folder(_ contents: [String: String]) throws(ExamplesError) -> ExampleFolder {
        try ExampleFolder(contents.merging(["tokenizer.json": Self.tokenizer]) { $1 }.mapValues { Array($0.utf8) })
    }

    private func fault(_ contents: [String: String]) -> String {
        do {
            let folder = try folder(contents)
            _ = try folder.chatTemplate()
            return "read"
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        (#"{"pad_token_id": 99999999999}"#, "invalid `pad_token_id`: 99999999999; expected the id of a token"),
        (#"{"eos_token_id": 9223372036854775807}"#, "invalid `eos_token_id`: 9223372036854775807"),
        (#"{"pad_token_id": 1e17}"#, "invalid `pad_token_id`: 100000000000000000"),
    ]) func refusesIDsThatNoVocabularyHas(configuration: String, reason: String) {
        let found = fault(["config.json": configuration])
        #expect(found.contains(reason), "\(found)")
    }

    @Test(arguments: [
        ("", 1024), (#""model_max_length": 0"#, 1024), (#""model_max_length": -9223372036854775808"#, 1024),
        (#""model_max_length": 1e30"#, 1024), (#""model_max_length": 1000000000000000019884624838656"#, 1024),
        (#""model_max_length": NaN"#, 1024), (#""model_max_length": "8""#, 1024), (#""model_max_length": 7.6"#, 8),
    ]) func readsLimitsOfAnySize(setting: String, longest: Int) throws {
        #expect(try folder(["tokenizer_config.json": "{\(setting)}"]).maximum(nil) == longest)
    }

    @Test func readsPositionsOfAnySize() throws {
        for (positions, longest) in [("-9223372036854775808", 1024), ("0", 1024), ("514", 511), ("1", 1024)] {
            let configuration =
                #"{"model_type": "roberta", "pad_token_id": 2, "max_position_embeddings": \#(positions)}"#
            #expect(try folder(["config.json": configuration]).maximum(nil) == longest, "\(positions)")
        }
        #expect(try folder(["config.json": #"{"pad_token_id": -1}"#]).padding == 0)
        #expect(try folder(["tokenizer_config.json": #"{"pad_token": {"content": "[PAD]"}}"#]).padding == 2)
    }

    @Test(arguments: [
        ("tokenizer_config.json", "", "the base's tokenizer_config.json"),
        ("tokenizer_config.json", "[]", "the base's"),
        ("tokenizer_config.json", "{\"a\":\(String(repeating: "[", count: 5000))", "nested more than 64 deep"),
        ("tokenizer_config.json", "version https://git-lfs.github.com/spec/v1", "the base's tokenizer_config.json"),
        ("special_tokens_map.json", "null", "the base's special_tokens_map.json"),
        ("tokenizer_config.json", #"{"chat_template": 7}"#, "the base has no chat template"),
        (
            "tokenizer_config.json", #"{"chat_template": [{"name": "rag", "template": "x"}]}"#,
            "the base has no chat template"
        ),
        ("tokenizer_config.json", #"{"chat_template": [[["default"]]]}"#, "the base has no chat template"),
        ("tokenizer_config.json", #"{"chat_template": "{% raw %}"}"#, "chat template: line 1: unsupported tag 'raw'"),
        ("tokenizer_config.json", #"{"chat_template": "\ud800"}"#, "the base's tokenizer_config.json"),
    ]) func refusesSettingsOfTokenizer(file: String, content: String, reason: String) {
        let found = fault([file: content])
        #expect(found.contains(reason), "\(content.prefix(40)): \(found)")
    }

    private func processor(_ settings: String) -> String {
        let text = #"{"image_processor_type": "ViTImageProcessor"\#(settings.isEmpty ? "" : ", ")\#(settings)}"#
        do {
            _ = try ImageProcessor(["preprocessor_config.json": Array(text.utf8)])
            return "read"
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        (#""size": 0"#, "invalid `size`: 0"), (#""size": {"height": 1000000, "width": 1000000}"#, "invalid `size`"),
        (#""size": {"height": -1, "width": 4}"#, "invalid `size`"),
        (#""size": {"shortest_edge": 9223372036854775807}"#, "`size`"),
        (#""size": 1e999"#, "the base's preprocessor_config.json"),
        (#""size": {"height": 4, "width": 4, "depth": 4}"#, "invalid `size`"),
        (#""do_center_crop": true, "crop_size": 99999"#, "invalid `crop_size`"),
        (#""resample": 99"#, "invalid `resample`: 99"),
        (#""resample": -1"#, "invalid `resample`: -1"), (#""image_std": [0, 1, 1]"#, "invalid `image_std`"),
        (#""image_mean": [0.5]"#, "invalid `image_mean`"), (#""image_mean": [NaN, 0, 0]"#, "invalid `image_mean`"),
        (#""rescale_factor": Infinity"#, "invalid `rescale_factor`"), (#""do_resize": "yes""#, "invalid `do_resize`"),
        (#""do_pad": true"#, "the key `do_pad`"), (#""do_convert_to_hsv": true"#, "the key `do_convert_to_hsv`"),
        (#""image_processor_type": "\u001b[2JImageProcessor""#, "an image processor of class"),
        (#""size": \#(String(repeating: "[", count: 5000))"#, "nested more than 64 deep"),
    ]) func refusesSettingsOfImageProcessor(settings: String, reason: String) {
        let found = processor(settings)
        #expect(found.contains(reason), "\(settings.prefix(60)): \(found)")
        #expect(!found.unicodeScalars.contains { $0.properties.generalCategory == .control })
    }

    @Test func readsLastOfRepeatedKeysAsPythonDoes() {
        #expect(processor(#""resample": 99, "resample": 2"#) == "read")
        #expect(processor(#""resample": 2, "resample": 99"#).contains("invalid `resample`: 99"))
    }
}
