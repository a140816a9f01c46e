import Foundation

/// The programs under test: those that `swift build` put beside this test's own executable.
enum Programs {
    static let daemon = path("supermerged")
    static let merge = path("supermerge")
    static let control = path("supermergectl")
    static let drill = path("store-drill")

    /// The package's folder.
    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// A fixture of the graph tests: `graph.pt2` and `model.safetensors` of a tiny vision transformer.
    static let tinyModel = package.appending(path: "Tests/ExportedModelTests/Fixtures/vit").path

    private static func path(_ name: String) -> String {
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let own = URL(filePath: link ?? CommandLine.arguments[0])
        let beside = own.deletingLastPathComponent().appending(path: name).path
        if FileManager.default.isExecutableFile(atPath: beside) { return beside }
        return package.appending(path: ".build/debug/\(name)").path
    }
}
