internal import Files
internal import Foundation

/// What a task's own `config.json` says of its head: the class of the whole model, and what its outputs mean. A
/// release's `config.json` is the base's and says nothing of it.
package struct HeadConfiguration: Codable, Hashable, Sendable {
    package static let fileName = "config.json"
    /// Bytes of a `config.json` that is read; the labels of ImageNet-21k take one megabyte.
    package static let longest = 4 << 20

    private static let mostArchitectures = 16
    private static let mostLabels = 65_536
    private static let longestLabel = 1024
    private static let problems: Set = [
        "regression", "single_label_classification", "multi_label_classification",
    ]

    package private(set) var architectures: [String]?
    package private(set) var labelCount: Int?
    /// Class → label.
    package private(set) var labels: [String: String]?
    /// Label → class.
    package private(set) var classes: [String: Int]?
    package private(set) var problem: String?

    private enum CodingKeys: String, CodingKey {
        case architectures
        case labelCount = "num_labels"
        case labels = "id2label"
        case classes = "label2id"
        case problem = "problem_type"
    }

    private init() {}

    /// What a file's content says; nil where it is no JSON object, or says nothing of a head.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.longest, let found = try? JSONValue.decode(Self.self, parsing: bytes, .python),
            found != Self()
        else { return nil }
        self = found
    }

    /// A value that is not as transformers writes it, or longer than any model needs, is left out: somebody else wrote
    /// the file.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        if let names = try? values.decode([String].self, forKey: .architectures),
            (1...Self.mostArchitectures).contains(names.count), names.allSatisfy(Self.isClassName)
        {
            architectures = names
        }
        if let count = try? values.decode(Int.self, forKey: .labelCount), (1...Self.mostLabels).contains(count) {
            labelCount = count
        }
        if let found = try? values.decode([String: String].self, forKey: .labels),
            (1...Self.mostLabels).contains(found.count),
            found.allSatisfy({ Self.isClass($0.key) && $0.value.utf8.count <= Self.longestLabel })
        {
            labels = found
            // transformers counts the labels, and complains of another number.
            labelCount = nil
        }
        if labels != nil, let found = try? values.decode([String: Int].self, forKey: .classes),
            (1...Self.mostLabels).contains(found.count),
            found.allSatisfy({ $0.key.utf8.count <= Self.longestLabel && (0..<Self.mostLabels).contains($0.value) })
        {
            classes = found
        }
        if let found = try? values.decode(String.self, forKey: .problem), Self.problems.contains(found) {
            problem = found
        }
    }

    /// Whether its outputs are flags of classes that don't exclude each other.
    package var isMultiLabel: Bool { problem == "multi_label_classification" }

    /// Names of the classes in their order; empty where the labels are not those of 0, 1, ….
    package var classNames: [String] {
        guard let labels else { return [] }
        let names = (0..<labels.count).compactMap { labels[String($0)] }
        return names.count == labels.count ? names : []
    }

    /// As the bytes of a file, the same for the same values.
    package func content() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }

    /// A Python identifier: programs that load the release look it up.
    private static func isClassName(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 128, isLetter(first) else { return false }
        return name.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
    }

    private static func isClass(_ key: String) -> Bool {
        guard let number = Int(key), (0..<mostLabels).contains(number) else { return false }
        return String(number) == key
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
