import Files
import WorkerProtocol

/// What a release does not take over from the base's folder.
struct LeftOut {
    private static let documentation: Set = ["md", "gitattributes", "gitignore", "png", "jpg", "jpeg", "gif", "svg"]
    private static let otherWeights: Set = ["safetensors", "gguf", "onnx", "msgpack", "h5", "tflite", "mlmodel"]

    /// Whether nothing loads a file because it is there for people, by its name.
    static func isDocumentation(_ name: String) -> Bool {
        documentation.contains(name.split(separator: ".").last.map { $0.lowercased() } ?? "")
    }

    /// One line, or none where nothing that matters stays behind.
    let warnings: [String]

    /// `weights`: the names of the files of weights, which are merged.
    init(_ listing: UploadListing, weights: [String]) {
        var reasons: [(name: String, reason: String)] = []
        for name in listing.files.keys.sorted()
        where !BaseFiles.isPassedOn(name) && !weights.contains(name) && name != TaskLayout.baseSettings {
            let ending = name.split(separator: ".").last.map { $0.lowercased() } ?? ""
            guard !Self.documentation.contains(ending) else { continue }
            reasons.append((name, Self.otherWeights.contains(ending) ? "other weights" : "nothing known reads it"))
        }
        for folder in listing.folders.sorted() where !BaseFiles.isFolder(folder) {
            reasons.append((folder + "/", "a folder that is not loaded with the model"))
        }
        guard !reasons.isEmpty else {
            warnings = []
            return
        }
        let shownReasons = reasons.prefix(5).map { "`\(shown($0.name))` (\($0.reason))" }.joined(separator: ", ")
        let rest = reasons.count > 5 ? " and \(reasons.count - 5) more" : ""
        warnings = ["releases leave out \(shownReasons)\(rest)"]
    }
}
