import Foundation

/// A `config.json` as transformers wrote it, to be changed.
struct ModelConfigurationFile {
    private var text: String

    init(_ path: String) throws { text = try String(contentsOfFile: path, encoding: .utf8) }

    /// That of a model without a head, which tells no classes apart.
    func bare(_ architecture: String) -> Self {
        var copy = self
        copy.text.replace(/"architectures": \[[^\]]*\]/, with: #""architectures": ["\#(architecture)"]"#)
        copy.text.replace(/\s*"(id2label|label2id)": \{[^}]*\},/, with: "")
        return copy
    }

    /// That of a model with so many classes.
    func telling(_ classes: Int) -> Self {
        let labels = (0..<classes).map { #""\#($0)": "LABEL_\#($0)""# }.joined(separator: ", ")
        let numbers = (0..<classes).map { #""LABEL_\#($0)": \#($0)"# }.joined(separator: ", ")
        var copy = self
        copy.text.replace(/"id2label": \{[^}]*\}/, with: #""id2label": {\#(labels)}"#)
        copy.text.replace(/"label2id": \{[^}]*\}/, with: #""label2id": {\#(numbers)}"#)
        return copy
    }

    func write(to directory: String) throws {
        try Data(text.utf8).write(to: URL(filePath: directory + "/config.json"))
    }
}
