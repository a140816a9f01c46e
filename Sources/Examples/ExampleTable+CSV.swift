internal import Files

extension ExampleTable {
    /// RFC 4180 with a header: commas, quotes doubled inside quotes, line breaks inside quotes; `\n` or `\r\n`.
    static func csv(_ file: String, _ bytes: [UInt8]) throws(ExamplesError) -> [Row] {
        var scanner = CSVScanner(file: file, bytes: bytes)
        guard let header = try scanner.record() else { return [] }
        guard Set(header.fields).count == header.fields.count, !header.fields.contains("") else {
            throw .malformed(
                file: file, line: 1, column: 1, reason: "expected a header of different column names in the first line")
        }
        var rows: [Row] = []
        while let record = try scanner.record() {
            if record.fields == [""] { continue }
            guard record.fields.count == header.fields.count else {
                throw .malformed(
                    file: file, line: record.line, column: 1,
                    reason: "\(record.fields.count) fields where the header has \(header.fields.count)")
            }
            let values = zip(header.fields, record.fields).map { ($0, JSONValue.string($1)) }
            rows.append(Row(line: record.line, values: Dictionary(uniqueKeysWithValues: values)))
        }
        return rows
    }
}

/// Reads CSV record by record.
private struct CSVScanner {
    let file: String
    let bytes: [UInt8]
    private var position: Int
    private var line = 1
    private var lineStart: Int

    init(file: String, bytes: [UInt8]) {
        self.file = file
        self.bytes = bytes
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        lineStart = position
    }

    private func fault(_ reason: String) -> ExamplesError {
        .malformed(file: file, line: line, column: position - lineStart + 1, reason: reason)
    }

    /// The next record; nil at the end.
    mutating func record() throws(ExamplesError) -> (line: Int, fields: [String])? {
        guard position < bytes.count else { return nil }
        let start = line
        var fields: [String] = []
        while true {
            fields.append(try field())
            guard position < bytes.count else { break }
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: ",") { continue }
            if byte == 0x0D, position < bytes.count, bytes[position] == 0x0A { position += 1 }
            (line, lineStart) = (line + 1, position)
            break
        }
        return (start, fields)
    }

    /// One field; the position is then at the comma, the line's end or the end.
    private mutating func field() throws(ExamplesError) -> String {
        var content: [UInt8] = []
        if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
            position += 1
            while true {
                guard position < bytes.count else { throw fault("the file ends inside quotes") }
                let byte = bytes[position]
                position += 1
                if byte == UInt8(ascii: "\"") {
                    guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { break }
                    position += 1
                }
                content.append(byte)
                if byte == 0x0A { (line, lineStart) = (line + 1, position) }
            }
            guard position == bytes.count || [UInt8(ascii: ","), 0x0A, 0x0D].contains(bytes[position]) else {
                throw fault("expected a comma or the end of the line after the closing quote")
            }
        } else {
            while position < bytes.count, ![UInt8(ascii: ","), 0x0A, 0x0D].contains(bytes[position]) {
                guard bytes[position] != UInt8(ascii: "\"") else {
                    throw fault("a quote inside a field that does not begin with one: double it and quote the field")
                }
                content.append(bytes[position])
                position += 1
            }
        }
        guard let text = String(validating: content, as: UTF8.self) else { throw fault("the field is not UTF-8") }
        return text
    }
}
