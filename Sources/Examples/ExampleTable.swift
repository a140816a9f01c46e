package import Files
internal import WorkerProtocol

/// Examples as a person writes them: one row per example, its values by the names of their columns.
package struct ExampleTable: Hashable, Sendable {
    package struct Row: Hashable, Sendable {
        /// Line of the file on which the row begins, from 1.
        package var line: Int
        package var values: [String: JSONValue]

        package init(line: Int, values: [String: JSONValue]) {
            self.line = line
            self.values = values
        }
    }

    /// Name of the file, for messages.
    package var file: String
    package var rows: [Row]

    package init(file: String, rows: [Row]) {
        self.file = file
        self.rows = rows
    }

    /// Reads JSON Lines or CSV, by the ending of the name.
    package init(file: String, bytes: [UInt8]) throws(ExamplesError) {
        let rows = file.hasSuffix(".csv") ? try Self.csv(file, bytes) : try Self.jsonLines(file, bytes)
        guard !rows.isEmpty else { throw .set("\(file) has no examples: expected one per line") }
        self.init(file: file, rows: rows)
    }

    /// The images of folders of classes, in the order of their paths. `names`: the classes that the task knows.
    init(classesOf images: [String], names: [String]) throws(ExamplesError) {
        let classes = images.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.compactMap { path in
            ExampleFiles.imageClass(path).map { (path: path, name: $0) }
        }
        if let stranger = classes.first(where: { each in !names.contains { $0.utf8.elementsEqual(each.name.utf8) } }) {
            let known = names.isEmpty ? "id2label, with the names of the classes" : "a class named so"
            throw .set(
                "\(shown(stranger.path)): the task's config.json has no \(known); its folder is named "
                    + "\"\(shown(stranger.name))\", expected one of \(names.prefix(12).joined(separator: ", "))")
        }
        let rows = classes.enumerated().map { place, image in
            Row(line: place + 1, values: ["file": .string(image.path), "label": .string(image.name)])
        }
        self.init(file: ExampleFiles.classFolders, rows: rows)
    }

    /// One JSON object a line; empty lines are left out.
    private static func jsonLines(_ file: String, _ bytes: [UInt8]) throws(ExamplesError) -> [Row] {
        var rows: [Row] = []
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
            // A byte-order mark, as some editors write it.
            let text = index == 0 && line.starts(with: [0xEF, 0xBB, 0xBF]) ? line.dropFirst(3) : line
            do {
                rows.append(Row(line: index + 1, values: try JSONValue.members(parsing: text, .strict)))
            } catch {
                throw .malformed(
                    file: file, line: index + 1, column: error.offset + 1,
                    reason: "\(error.reason); expected one JSON object per line")
            }
        }
        return rows
    }
}
