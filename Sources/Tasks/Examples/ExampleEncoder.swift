package import Files
import Safetensors
package import WorkerProtocol

/// Turns tables of examples into tensors, once for each content.
///
/// The way of the data: the scanner lists and hashes the table, and the images that it names, like any file of a task,
/// and the task's digest, by which the planner and the task store go, is over them. Admission then asks for the
/// tensors. They lie in `directory` under a key over the table, its images, the base's tokenizer or image processor,
/// and the settings (`ExampleRequest.key`): a change of any of them is another key, and what is there already is not
/// made again. Behind that everything is as with tensors: admission checks them by the same rules, and the merge,
/// `evaluate` and the gate read the file that `TaskSource.examples` names. The directory is a cache: a worker makes
/// anew what is missing in it, from the files in the registry or in the task store. To reproduce a release takes
/// neither table nor tensors.
///
/// The daemon parses no table and no image: its `run` starts a worker with limits on time and memory, and the scan
/// goes on while that works. The commands
/// encode in their own process, by the same code.
package struct ExampleEncoder: Sendable {
    /// Where the tensors lie: `<key>.safetensors`.
    let directory: String
    /// Carries a request out; nil where it is being carried out, for which nobody waits.
    let run: @Sendable (ExampleRequest) -> ExampleReply?
    /// Ends what is being carried out.
    package let stop: @Sendable () async -> Void

    package init(
        directory: String, run: @escaping @Sendable (ExampleRequest) -> ExampleReply?,
        stop: @escaping @Sendable () async -> Void = {}
    ) {
        self.directory = directory
        self.run = run
        self.stop = stop
    }

    /// The table among the files of a task; nil where there is none. Throws where the task has examples in two forms,
    /// one of which would be ignored.
    static func table(in listing: UploadListing) throws(AdmissionFault) -> String? {
        let found = ExampleFiles.listed.filter { listing.files[$0] != nil }
        guard found.count > 1 else { return found.first == ExampleFiles.tensors ? nil : found.first }
        throw .refused(
            code: "ambiguous-examples",
            message: "\(found.joined(separator: " and ")) are there, and a task has its examples in one file; remove "
                + "what does not count")
    }

    /// The tensors of a table, from the cache or newly made. `images`: those beside it, where the model takes images.
    func encode(
        _ table: SourceFile, _ images: [SourceFile], of task: UploadLocation, base: UploadLocation,
        tokenizer: [SourceFile], _ encoding: ExampleEncoding
    ) throws(AdmissionFault) -> (examples: EncodedExamples, file: SafetensorsFile) {
        guard table.bytes <= ExampleLimits.tableBytes else {
            throw .refused(
                code: "too-large",
                message:
                    "\(table.name) has \(table.bytes >> 20) MiB, and at most \(ExampleLimits.tableBytes >> 20) are "
                    + "read; upload a few hundred examples")
        }
        try check(images)
        let plain = tokenizer.map(\.plain)
        var request = ExampleRequest(
            task: .init(path: task.path, root: task.root), base: .init(path: base.path, root: base.root),
            examples: table.plain, images: images.map(\.plain), tokenizer: plain, encoding: encoding, output: "")
        request.output = "\(directory)/\(request.key).safetensors"
        do {
            if try FileStatus.ifPresent(request.output) == nil {
                try Durable.createDirectories(directory)
                try fulfil(request)
            }
            let file = try ReadableFile(path: request.output)
            let encoded = EncodedExamples(
                source: table.name, file: request.output, bytes: file.size, sha256: try file.sha256(),
                encoding: encoding, tokenizer: plain)
            return (encoded, try SafetensorsFile(file: file))
        } catch {
            throw AdmissionFault(any: error)
        }
    }

    private func check(_ images: [SourceFile]) throws(AdmissionFault) {
        if let image = images.first(where: { $0.bytes > ExampleLimits.imageBytes }) {
            throw .refused(
                code: "too-large",
                message:
                    "\(shown(image.name)) has \(image.bytes >> 20) MiB, and at most "
                    + "\(ExampleLimits.imageBytes >> 20) are read; scale it down, as the model takes far less")
        }
        let bytes = images.reduce(0) { $0 + $1.bytes }
        guard bytes <= ExampleLimits.allImageBytes else {
            throw .refused(
                code: "too-large",
                message:
                    "its images have \(bytes >> 20) MiB, and at most \(ExampleLimits.allImageBytes >> 20) are read; "
                    + "upload a few hundred, or scale them down")
        }
    }

    private func fulfil(_ request: ExampleRequest) throws(AdmissionFault) {
        switch run(request) {
        case .encoded: break
        case nil: throw .encoding("its examples are being checked and encoded")
        case .refused(let code, let message): throw .refused(code: code, message: message)
        case .changed(let message): throw .changed(message)
        case .failed(let message): throw .unreadable(message)
        case .cancelled: throw .cancelled
        }
    }

    /// Makes the tensors that a task of a plan is judged by where they are missing. Throws why they can't be made.
    package func restore(_ task: TaskSource, base: BaseSource) throws(AdmissionFault) {
        guard let examples = task.examples,
            ((try? FileStatus.ifPresent(examples.file)) ?? nil) == nil,
            let table = examples.source == ExampleFiles.classFolders
                ? .classFolders : task.files.first(where: { $0.name == examples.source })
        else { return }
        let images = examples.encoding.image == nil ? [] : task.files.filter { ExampleFiles.isImage($0.name) }
        let request = ExampleRequest(
            task: .init(path: task.directory, root: "/"), base: .init(path: base.directory, root: "/"),
            examples: table.plain, images: images.map(\.plain), tokenizer: examples.tokenizer,
            encoding: examples.encoding, output: examples.file)
        do { try Durable.createDirectories(examples.file.splitPath.directory) } catch {
            throw AdmissionFault(any: error)
        }
        try fulfil(request)
    }

    /// Removes every set in a directory but those at these paths.
    package static func retain(_ paths: Set<String>, in directory: String) throws(FilesError) {
        guard try FileStatus.ifPresent(directory) != nil else { return }
        for name in try Durable.list(directory) where !paths.contains("\(directory)/\(name)") {
            try Durable.remove("\(directory)/\(name)")
        }
    }
}

extension SourceFile {
    /// In place of a table where images lie in folders of their classes.
    static let classFolders = SourceFile(name: ExampleFiles.classFolders, bytes: 0, sha256: Digest.sha256([]))

    /// Name, length and digest alone: what decides the content.
    fileprivate var plain: SourceFile { SourceFile(name: name, bytes: bytes, sha256: sha256) }
}
