internal import Files
internal import Safetensors
package import WorkerProtocol

/// Carries out an `ExampleRequest`: reads the table, and the tokenizer or the images, encodes, and writes the tensors.
///
/// The same for the daemon's worker and for the commands, so that all refuse by one code and one text.
package enum ExampleRun {
    private static let largestFile = 128 << 20

    /// Encodes, or says why not. Memory: some 25 times the table (8 MiB of short sentences: 198 MiB).
    package static func reply(to request: ExampleRequest) -> ExampleReply {
        do {
            try run(request)
            return .encoded
        } catch let error as ExamplesError {
            return .refused(code: error.code, message: "\(error)")
        } catch let error as Changed {
            return .changed(message: "\(error.path) changed while it was looked at")
        } catch let error as FilesError {
            if case .tooLarge = error { return .refused(code: "too-large", message: "\(error)") }
            return .failed(message: "\(error)")
        } catch {
            return .failed(message: "\(error)")
        }
    }

    private struct Changed: Error { var path: String }

    private static func run(_ request: ExampleRequest) throws {
        let base = try contents(request.tokenizer, in: request.base)
        if let input = request.encoding.image {
            let encoder = try ImageEncoder(base, request.encoding, input)
            let images = Dictionary(uniqueKeysWithValues: request.images.map { ($0.name, $0) })
            try encoder.write(table(request), Set(images.keys), to: request.output) { name in
                guard let image = images[name] else { throw Changed(path: name) }
                return try contents(image, in: request.task, limit: ExampleLimits.imageBytes)
            }
            return
        }
        let folder = try ExampleFolder(base)
        let table = try table(request)
        let encoder = TextEncoder(folder, request.encoding)
        let encoded = try encoder.encode(
            table, request.encoding.objective, ClassNames(names: request.encoding.classes))
        try encoded.write(to: request.output, maximum: encoder.maximum)
    }

    private static func table(_ request: ExampleRequest) throws -> ExampleTable {
        if request.examples.name == ExampleFiles.classFolders {
            return try ExampleTable(classesOf: request.images.map(\.name), names: request.encoding.classes)
        }
        let bytes = try contents(request.examples, in: request.task, limit: ExampleLimits.tableBytes)
        return try ExampleTable(file: request.examples.name, bytes: bytes)
    }

    /// The files of a base that are there, each as it was hashed.
    package static func contents(
        _ files: [SourceFile], in folder: ExampleRequest.Folder
    ) throws -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        for file in files { contents[file.name] = try Self.contents(file, in: folder, limit: largestFile) }
        return contents
    }

    private static func contents(
        _ file: SourceFile, in folder: ExampleRequest.Folder, limit: Int
    ) throws -> [UInt8] {
        let opened = try ReadableFile(name: file.name, directory: folder.path, root: folder.root)
        let bytes = try opened.contents(limit: limit)
        guard Digest.sha256(bytes) == file.sha256 else { throw Changed(path: opened.path) }
        return bytes
    }
}
