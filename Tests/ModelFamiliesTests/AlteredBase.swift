import Foundation

/// A copy of a fixture's base whose configuration is changed; removed with its last reference.
final class AlteredBase {
    let directory: String

    /// Sets keys of `config.json`; a value of `NSNull` is written as null, and `nil` takes the key away.
    init(_ name: String, _ keys: [String: Any?] = [:]) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "sm-base-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let source = FamilyFixture.path(name)
        try FileManager.default.copyItem(
            atPath: source + "/model.safetensors", toPath: directory + "/model.safetensors")
        let data = try Data(contentsOf: URL(filePath: source + "/config.json"))
        var values = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        for (key, value) in keys { values[key] = value }
        try write(JSONSerialization.data(withJSONObject: values))
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func write(_ configuration: Data) throws {
        try configuration.write(to: URL(filePath: directory + "/config.json"))
    }
}
