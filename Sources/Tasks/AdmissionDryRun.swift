import Adapters
package import ExportedGraph
package import Files
import WorkerProtocol

/// Admission of a folder that need not lie in a registry, by the registry's rules and the default settings of a merge.
///
/// Reads the whole folder, and of a task's base what it is compared with, a chunk at a time.
package struct AdmissionDryRun {
    private let place: UploadLocation
    /// Where the base lies that it would be a task of; nil where that is not known.
    private let base: UploadLocation?
    private let readGraph: @Sendable (ReadableFile) throws -> GraphSignature
    private let encoder: ExampleEncoder?
    private let isCopied: Bool

    /// `isCopied`: whether what the folder's files are links to is what will be copied, so that links may lead anywhere
    /// and permissions do not count.
    ///
    /// `base`: the folder of the base that it would be a task of; default: the base of the registry that it lies in.
    /// `encoder` makes tensors of tables, `readGraph` gives the signature of an archive.
    ///
    /// Throws `AdmissionFault` where one of them is no folder.
    package init(
        _ directory: String, base: String? = nil, encoder: ExampleEncoder? = nil, isCopied: Bool = false,
        readGraph: @escaping @Sendable (ReadableFile) throws -> GraphSignature = {
            try ExportedGraph(archive: $0).signature
        }
    ) throws(AdmissionFault) {
        self.readGraph = readGraph
        self.encoder = encoder
        self.isCopied = isCopied
        let place = isCopied ? try UploadLocation(named: directory) : try Self.place(directory)
        let registered = place.relative.hasPrefix("tasks/") ? UploadLocation(root: place.root, relative: "base") : nil
        self.place = place
        self.base = try base.map(Self.place) ?? registered
    }

    /// In `tasks` beside a `base` a folder lies in a registry, out of which no link may lead; any other lies in the
    /// folder above.
    private static func place(_ directory: String) throws(AdmissionFault) -> UploadLocation {
        guard let path = UploadLocation.realPath(directory), isFolder(path), path != "/" else {
            throw .unreadable("\(directory): there is no such folder; check the path")
        }
        let parts = path.pathNames
        let (name, above, root) = (parts[parts.count - 1], parts.dropLast(), parts.dropLast(2))
        if above.last == "tasks", isFolder(path + "/../../base") {
            return UploadLocation(root: "/" + root.joined(separator: "/"), relative: "tasks/" + name)
        }
        return UploadLocation(root: "/" + above.joined(separator: "/"), relative: name)
    }

    private static func isFolder(_ path: String) -> Bool {
        (try? FileStatus(path: path, followingLinks: true))?.kind == .directory
    }

    /// As a task where the base is known or it holds what only tasks hold, else as a base.
    package func verdict() -> AdmissionDryRunResult {
        var verdict = AdmissionDryRunResult(role: .base, outcome: .unknown)
        do throws(AdmissionFault) {
            let listing = try place.listing(inBase: false)
            verdict.warning = isCopied ? nil : Self.warning(listing)
            var notes: [String] = []
            var admitted: TaskSource?
            var digest: String?
            defer {
                (verdict.task, verdict.digest) = (admitted, digest)
                verdict.warning = ([verdict.warning].compactMap(\.self) + notes).joined(separator: "; ").nonEmpty
            }
            let ofTasks = ExampleFiles.listed + [TaskLayout.settings] + Adapter.fileNames
            guard base != nil || ofTasks.contains(where: { listing.files[$0] != nil }) else {
                try judge(place.listing(inBase: true), &verdict) { isLearned, reader throws(AdmissionFault) in
                    let base = try admission(isLearned).admit(&reader).base.source
                    (notes, digest) = (base.warnings, base.digest)
                    return nil
                }
                return verdict
            }
            verdict.role = .task
            guard let base else {
                verdict.message = "its base is not known; name the base's folder with --base"
                return verdict
            }
            verdict.base = base.path
            let name = place.relative.splitPath.name
            try judge(listing, &verdict) { isLearned, reader throws(AdmissionFault) in
                let task = try admission(of: base, isLearned).admit(name, &reader)
                (notes, digest, admitted) = (task.source.warnings, task.source.digest, task.source)
                return task.examples == 0
                    ? "no examples" : "\(task.examples) examples\(task.isLabelled ? "" : " without labels")"
            }
        } catch {
            (verdict.outcome, verdict.message) = (.unknown, "\(error)")
        }
        return verdict
    }

    /// Some libraries write files that their owner alone may read.
    private static func warning(_ listing: UploadListing) -> String? {
        let place = listing.place.path
        var own = listing.files.keys.sorted().filter { isPrivate("\(place)/\($0)", for: 0o4) }.map(shown)
        if isPrivate(place, for: 0o5) { own.insert("the folder", at: 0) }
        guard let first = own.first else { return nil }
        let others = own.count > 1 ? " and \(own.count - 1) more" : ""
        return
            "\(first)\(others) can be read by the owner alone, not by the service: chmod -R g+rX what is copied"
    }

    /// Whether neither its group nor others may do all this with it: 4, read; 1, enter.
    private static func isPrivate(_ path: String, for permissions: UInt16) -> Bool {
        guard let status = try? FileStatus(path: path, followingLinks: true) else { return false }
        return ![status.mode >> 3, status.mode].contains { $0 & permissions == permissions }
    }

    /// Tries for the default method, then for one that learns nothing.
    private func judge(
        _ listing: UploadListing, _ verdict: inout AdmissionDryRunResult,
        _ admit: (_ isLearned: Bool, _ reader: inout UploadReader) throws(AdmissionFault) -> String?
    ) throws(AdmissionFault) {
        var reader = UploadReader(listing: listing, memory: FileMemory())
        do throws(AdmissionFault) { try reader.checkListing() } catch { return try refuse(error, &verdict) }
        do throws(AdmissionFault) {
            verdict.message = try admit(true, &reader)
            verdict.outcome = .admitted
        } catch {
            try refuse(error, &verdict)
            do throws(AdmissionFault) {
                _ = try admit(false, &reader)
            } catch {
                return putFirst(error, &verdict)
            }
            (verdict.outcome, verdict.code) = (.admittedForStaticMethods, nil)
        }
    }

    /// What a method that learns nothing refuses, too, would remain with the graph or the examples that the others
    /// miss.
    private func putFirst(_ fault: AdmissionFault, _ verdict: inout AdmissionDryRunResult) {
        guard case .refused(let code, let message) = fault, message != verdict.message else { return }
        let rest = verdict.message.map { "; and for methods that learn: \($0)" } ?? ""
        (verdict.code, verdict.message) = (code, message + rest)
    }

    private func refuse(_ fault: AdmissionFault, _ verdict: inout AdmissionDryRunResult) throws(AdmissionFault) {
        guard case .refused(let code, let message) = fault else { throw fault }
        (verdict.outcome, verdict.code, verdict.message) = (.refused, code, message)
    }

    private func admission(_ isLearned: Bool, head: String? = nil) -> BaseAdmission {
        BaseAdmission(requiresGraph: isLearned, head: head, readGraph: readGraph)
    }

    /// The head of the folder and of the tasks that lie in the base's registry.
    private func head(of base: UploadLocation) -> String? {
        let registered = UploadLocation(root: base.root, relative: "tasks").path
        let names = base.relative == "base" ? (try? Durable.list(registered)) ?? [] : []
        let others = names.filter { !UploadRules.isIgnored($0) }.map { "\(registered)/\($0)" }
        return HeadChoice.head(base: base.path, tasks: [place.path] + others.filter { $0 != place.path })
    }

    private func admission(of base: UploadLocation, _ isLearned: Bool) throws(AdmissionFault) -> TaskAdmission {
        let source = BaseSource(directory: base.path, files: [], digest: "", head: head(of: base))
        let accepted = AcceptedBase(source: source, headParameters: [], hasGraph: isLearned)
        let listing = try base.listing(inBase: true)
        if let objection = listing.objection { throw .waiting("its base would be refused: \(objection)") }
        let model: BaseModel
        do throws(AdmissionFault) {
            model = try admission(isLearned).open(accepted, listing)
        } catch .refused(let code, let message) where !message.contains("the base") {
            throw .refused(code: code, message: "its base: \(message)")
        }
        let settings = MergeSettings()
        return TaskAdmission(
            base: model, requiresExamples: isLearned,
            labelled: isLearned ? settings.labelled : [],
            needsAdapters: false, encoder: encoder)
    }
}

extension String {
    /// Nil where there is nothing in it.
    fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}
