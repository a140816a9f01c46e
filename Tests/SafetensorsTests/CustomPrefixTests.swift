import Safetensors
import Testing

/// Names of a model that lies in modules of a team's own.
@Suite struct CustomPrefixTests {
    @Test func twoPartsBeforeTheBasesNamesAreDropped() {
        let base = ["bert.embeddings.weight", "bert.layer.0.weight", "bert.layer.1.weight"]
        let names = base.map { "net.backbone.\($0)" } + ["net.head.weight"]
        let renamed = Checkpoint.renamings(from: names, to: base).map { names.map($0) }
        #expect(renamed.contains(base + ["head.weight"]))
    }
}
