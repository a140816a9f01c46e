import Foundation

extension InputCase {
    /// The class of transformers', from the fixture's configuration.
    private static func architecture(_ family: String) -> String {
        let path = ObjectiveFixture.model(family) + "/config.json"
        let object = try? JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path)))
        return ((object as? [String: Any])?["architectures"] as? [String])?.first ?? family
    }

    static let families = ArchitectureFixture.families.map { family in
        InputCase(
            "`\(architecture(family))`", .family(family), .accepted(within: 1e-5),
            in: ["ExportedModelTests/ParityTests", "ArchitectureRunTests", "RoundTripTests"])
    }
}
