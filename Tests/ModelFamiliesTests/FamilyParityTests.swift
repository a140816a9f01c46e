import ExportedModel
import ModelFamilies
import Testing

/// What a graph that was built from a configuration computes, against PyTorch's own logits and gradients.
@Suite struct FamilyParityTests {
    private static let cases = FamilyFixture.names.flatMap { name in ["same", "other"].map { (name, $0) } }

    @Test(arguments: cases) func logitsAndGradientsAreThoseOfPyTorch(name: String, lengths: String) throws {
        let fixture = try FamilyFixture(name)
        let model = try ExportedModel(BaseGraph.open(directory: fixture.directory, head: FamilyFixture.head(name)))
        let computed = try Computed(
            model, fixture.inputs(lengths), fixture.parameters, labels: fixture.tensor(lengths, "labels"))
        try computed.expectEqual(
            to: Computed(logits: fixture.tensor(lengths, "logits"), gradients: fixture.gradients(lengths)))
    }
}
