package import Files

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

    /// Largest file in bytes.
    package static let limit = 256 << 20
    /// Files that hold examples, in the order in which they are looked for.
    package static let names = ["validation.jsonl", "validation.csv"]

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

    /// One JSON object a line; empty lines are left out.
    private static func jsonLines(_ file: String, _ bytes: [UInt8]) throws(ExamplesError) -> [Row] {
        var rows: [Row] = []
        for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
            // A byte-order mark, as some editors write it.
            let text = index == 0 && line.starts(with: [0xEF, 0xBB, 0xBF]) ? line.dropFirst(3) : line
            do {
                rows.append(Row(line: index + 1, values: try JSONValue.members(parsing: text, .python)))
            } catch {
                throw .malformed(
                    file: file, line: index + 1, column: error.offset + 1,
                    reason: "\(error.reason); expected one JSON object per line")
            }
        }
        return rows
    }
}
