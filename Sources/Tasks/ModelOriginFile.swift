import Files
import WorkerProtocol
import Yams

/// Reads `base.yaml`: `source` and `licence` of the base. It is recorded with the base and no part of its digest, so
/// that a corrected licence makes no merge.
enum ModelOriginFile {
    /// Longest file in bytes.
    static let limit = 64 << 10
    /// Longest value in characters.
    static let longest = 1024

    /// Whether a value is one line of text.
    static func isUsable(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        return (1...longest).contains(scalars.count)
            && scalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && !(0x2028...0x2029).contains($0.value) }
    }

    /// Nil where the file is empty. Throws `AdmissionFault` with all that is wrong.
    static func parse(_ bytes: [UInt8]) throws(AdmissionFault) -> ModelOrigin? {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw refusal(["it is not UTF-8"]) }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw refusal(["it is not YAML: \("\(error)".split(separator: "\n").first ?? "")"])
        }
        guard let root, root.scalar?.string != "" else { return nil }
        guard let mapping = root.mapping else { throw refusal(["it must be a mapping of keys to values"]) }
        var origin = ModelOrigin()
        var faults: [String] = []
        for (key, value) in mapping {
            let name = key.scalar?.string ?? "?"
            guard ["source", "licence"].contains(name) else {
                faults.append("unknown key `\(name.printable)` (known: source, licence)")
                continue
            }
            guard let text = value.scalar?.string, isUsable(text) else {
                faults.append("`\(name)` must be one line of at most \(longest) characters")
                continue
            }
            if name == "source" { origin.source = text } else { origin.licence = text }
        }
        guard faults.isEmpty else { throw refusal(faults) }
        return origin.isEmpty ? nil : origin
    }

    private static func refusal(_ faults: [String]) -> AdmissionFault {
        .refused(
            code: "base-settings",
            message: "\(TaskLayout.baseSettings): \(faults.joined(separator: "; ").printable(limit: 2000))")
    }
}
