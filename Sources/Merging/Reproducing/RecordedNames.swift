internal import Files
internal import Safetensors

/// What the coefficients and heads of a release are called, which shows what was one tensor when it was made.
struct RecordedNames {
    private let directory: String
    private let coefficients: SafetensorsFile

    init(release directory: String) throws {
        self.directory = directory
        coefficients = try SafetensorsFile(file: ReadableFile(path: directory + "/" + Coefficients.path))
    }

    /// Whether the release can have come of these layers and heads.
    func fit(_ context: MergeContext) -> Bool {
        let layers = context.layers
        let names = CoefficientNames.recorded(layers, context.base, in: coefficients)
        let expected = zip(layers, names).flatMap { layer, names in
            layer.weightColumns > 0 ? [names.rows, names.columns] : [names.rows]
        }
        guard Set(expected) == Set(coefficients.entries.map(\.name)) else { return false }
        return context.tasks.allSatisfy { task in
            guard let recorded = head(of: task.name) else { return true }
            return recorded == Set(task.head.map(LegacyNames.modern))
        }
    }

    /// The names of today in a task's head; nil where the file can't be read, which shows nothing.
    private func head(of task: String) -> Set<String>? {
        let path = "\(directory)/heads/\(task).safetensors"
        do {
            guard try FileStatus.ifPresent(path) != nil else { return [] }
            let file = try SafetensorsFile(file: ReadableFile(path: path))
            return Set(file.entries.map { LegacyNames.modern($0.name) })
        } catch {
            return nil
        }
    }
}
