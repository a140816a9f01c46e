internal import Files
internal import WorkerProtocol

/// A table of examples that are images: the file and the label of each row.
struct ImageTable {
    /// Paths below the task's folder, row by row.
    var paths: [String] = []
    /// Lines of the table, row by row.
    var lines: [Int] = []
    var labels: TextEncoder.Labels
    /// Images that no row names.
    var unused: Int

    /// `images`: paths of the images below the task's folder.
    init(
        _ table: ExampleTable, _ images: Set<String>, _ objective: TaskSettings.Objective, _ classes: ClassNames,
        columns named: [String: String]
    ) throws(ExamplesError) {
        guard objective == .classification || objective == .regression else {
            throw .set(
                "\(table.file): objective \(objective.rawValue) is not encoded from images: provide "
                    + "validation.safetensors")
        }
        guard !images.isEmpty else {
            throw .set(
                "\(table.file): the model takes images, and there are none: put PNG or JPEG files into a folder "
                    + "`validation` beside \(table.file), or provide validation.safetensors")
        }
        let columns = try ExampleColumns.images(table, named: named)
        var (numbers, indices): ([Float], [Int32]) = ([], [])
        for row in table.rows {
            paths.append(try Self.path(table, row, columns.image, images))
            lines.append(row.line)
            guard let column = columns.label, let label = row.values[column] else { continue }
            if objective == .regression {
                numbers.append(try TextEncoder.number(label, table, row))
            } else {
                indices.append(try classes.index(of: label, table, row))
            }
        }
        guard columns.label == nil || numbers.count + indices.count == table.rows.count else {
            throw .set("\(table.file): some examples have a label and some have none; expected all or none")
        }
        labels = !numbers.isEmpty ? .numbers(numbers) : !indices.isEmpty ? .classes(indices) : .none
        unused = images.subtracting(paths).count
    }

    /// The image that a row names: below the table's folder, or below one of the folders of images.
    private static func path(
        _ table: ExampleTable, _ row: ExampleTable.Row, _ column: String, _ images: Set<String>
    ) throws(ExamplesError) -> String {
        func fault(_ reason: String) -> ExamplesError {
            .example(file: table.file, line: row.line, reason: reason)
        }
        let text = try table.text(row, column)
        let named = text.hasPrefix("./") ? String(text.dropFirst(2)) : text
        let parts = named.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { ["", ".", ".."].contains($0) }), !named.contains("\0") else {
            throw fault("invalid \(shown(column)): \"\(shown(text))\"; expected a path below the table's folder")
        }
        let folders = ExampleFiles.imageFolders.map { $0 + "/" }
        let home = folders.first { table.file.hasPrefix($0) }
        let candidates = home.map { [$0 + named, named] } ?? [named] + folders.map { $0 + named }
        guard let path = candidates.first(where: images.contains) else {
            throw fault(
                "there is no image \"\(shown(text))\"; expected a .png, .jpg or .jpeg file in "
                    + (home.map { "\($0.dropLast())" } ?? folders.map { "\($0.dropLast())" }.joined(separator: " or ")))
        }
        return path
    }
}
