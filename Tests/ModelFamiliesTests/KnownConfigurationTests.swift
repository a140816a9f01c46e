import ExportedGraph
import Foundation
import ModelFamilies
import Testing

/// Configurations of checkpoints that everybody has, as several versions of transformers and other tools wrote them.
/// They were written down from memory: which keys they hold is what matters.
@Suite struct KnownConfigurationTests {
    private static let folder = FamilyFixture.path("configurations")
    private static let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()

    private func graph(_ configuration: [String: Any]) throws -> ExportedGraph {
        let data = try JSONSerialization.data(withJSONObject: configuration)
        return try BaseGraph.build(configuration: Array(data), path: "config.json", weights: nil)
    }

    private func read(_ name: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(filePath: Self.folder + "/" + name))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func theyAreThere() { #expect(Self.names.count == 27) }

    @Test(arguments: names) func aGraphIsBuilt(name: String) throws {
        let signature = try graph(read(name)).signature
        #expect(!signature.parameters.isEmpty && !signature.inputs.isEmpty)
    }

    /// Without these the graph is the same, so that nothing that they say is lost.
    @Test(arguments: names) func whatIsPassedOverChangesNothing(name: String) throws {
        let configuration = try read(name)
        let whole = try graph(configuration)
        let without = try graph(
            configuration.filter { key, _ in
                !key.hasPrefix("_") && !key.hasPrefix("unsloth_") && !key.contains("sequence_length")
                    && !["vocab_size_or_config_json_file", "eos_token_ids", "sentence_transformers"].contains(key)
            })
        #expect(without.body == whole.body && without.signature == whole.signature)
    }

    @Test(arguments: names) func aKeyThatNobodyKnowsIsStillRefused(name: String) throws {
        for key in ["an_option_of_tomorrow", "quantization_config", "auto_map", "compression_config"] {
            var configuration = try read(name)
            configuration[key] = ["bits": 4]
            let error = #expect(throws: ModelFamilyError.self) { try graph(configuration) }
            #expect(error?.description.contains("`\(key)`") == true, "\(error?.description ?? "")")
        }
    }
}
