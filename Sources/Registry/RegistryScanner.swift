package import ExportedGraph
package import Files
import Glibc
import Synchronization
package import Tasks
package import WorkerProtocol

/// Looks at the registry directory and says what may be merged. Reads every file once per content: hash, header, shapes
/// and the search for NaN and Inf in the same pass; what was read is remembered by file identity in `cache`, across
/// restarts.
package actor RegistryScanner {
    /// How a scan ended: the snapshot, and when to look again because something is still settling or unread.
    package struct Scan: Sendable {
        package var snapshot: RegistrySnapshot
        package var lookAgainAfter: Duration?
        /// Whether still drops were left for the next scan to read, or their examples are being encoded.
        package var hasUnread: Bool

        package init(snapshot: RegistrySnapshot, lookAgainAfter: Duration? = nil, hasUnread: Bool = false) {
            self.snapshot = snapshot
            self.lookAgainAfter = lookAgainAfter
            self.hasUnread = hasUnread
        }
    }

    /// Called before a drop is read: its name (`base` or the task's) and the bytes of its files.
    package typealias AdmissionObserver = @Sendable (_ drop: String, _ bytes: Int64) -> Void
    /// Called with the bytes of each chunk that was read, a MiB at most: evidence that a long reading goes on.
    package typealias ProgressObserver = @Sendable (_ bytes: Int64) -> Void

    let root: String
    let settle: Duration
    let requiresValidation: Bool
    let labelled: Set<TaskSettings.Objective>
    let needsAdapters: Bool
    let now: @Sendable () -> ContinuousClock.Instant
    let wallClock: @Sendable () -> Int64
    let readGraph: @Sendable (ReadableFile) throws -> GraphSignature
    let encoder: ExampleEncoder?
    /// Bytes that one scan reads before it leaves the other drops to the next.
    let mostRead: Int64
    var memory: FileMemory
    /// Since when each drop has looked as it does.
    var stillness: [String: Stillness] = [:]
    /// When drops changed under a reading.
    var changed: [String: ContinuousClock.Instant] = [:]
    private var base: Verdict<AcceptedBase>?
    /// What the base's files say, by its digest, so that its graph is built once for each content.
    private var descriptions: [String: BaseDescription] = [:]
    private var heads = HeadChoice()
    private var tasks: [String: Verdict<AcceptedTask>] = [:]
    /// Folders about which something was decided since they came.
    var judged: Set<String> = []
    /// Names of the tasks that were there at the last scan.
    private var present: Set<String> = []
    /// Since when folders that were there, or should be, are gone.
    private var gone: [String: ContinuousClock.Instant] = [:]

    private let executor = BlockingExecutor(label: "registry")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// `requiresValidation`: whether the configured method learns and so refuses tasks without a validation set and
    /// bases without a graph. `labelled`: objectives whose examples are of no use to it without labels.
    /// `needsAdapters`: whether tasks with full weights are refused, because releases are written as one adapter. `now`
    /// is the clock that settling is judged by, `wallClock` the time since 1970 in nanoseconds, with which the files'
    /// own times are compared. `mostRead`: bytes that one scan reads, so that a large drop delays the word about the
    /// others no longer than its own reading takes. `encoder` makes tensors of tables of examples; it may block.
    /// `readGraph` gives the signature of an archive.
    package init(
        registry: String, cache: String, settle: Duration, requiresValidation: Bool,
        labelled: Set<TaskSettings.Objective>, needsAdapters: Bool = false,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now },
        wallClock: @escaping @Sendable () -> Int64 = { RegistryScanner.systemTime() }, mostRead: Int64 = 1 << 30,
        encoder: ExampleEncoder? = nil,
        readGraph: @escaping @Sendable (ReadableFile) throws -> GraphSignature = {
            try ExportedGraph(archive: $0).signature
        }
    ) {
        root = registry.count > 1 && registry.hasSuffix("/") ? String(registry.dropLast()) : registry
        memory = FileMemory(path: cache)
        self.settle = settle
        self.requiresValidation = requiresValidation
        self.labelled = labelled
        self.needsAdapters = needsAdapters
        self.mostRead = mostRead
        self.encoder = encoder
        self.now = now
        self.wallClock = wallClock
        self.readGraph = readGraph
    }

    /// One look. Throws `RegistryError` where the registry can't be listed and `CancellationError`; whatever is wrong
    /// with a drop is in the snapshot. Small drops are read first. `expecting`: names of tasks that should be there,
    /// because they are deployed; a missing one counts as arriving until it has been missing for `settle`.
    package func scan(
        expecting: Set<String> = [], onAdmission: AdmissionObserver = { _, _ in },
        onProgress: @escaping ProgressObserver = { _ in }
    ) async throws -> Scan {
        let names = try taskNames()
        let head = head(names, expecting)
        let admission = BaseAdmission(requiresGraph: requiresValidation, head: head, readGraph: readGraph)
        judged.formUnion(expecting.map { "tasks/\($0)" })
        let baseLook = try look("base", inBase: true, verdict: base, key: head ?? "", mayRead: true) {
            reader throws(AdmissionFault) in
            onAdmission("base", reader.listing.bytes)
            reader.onProgress = onProgress
            let (accepted, description) = try admission.admit(&reader)
            descriptions = [accepted.source.digest: description]
            return accepted
        }
        base = baseLook.verdict
        var scan = Scan(snapshot: RegistrySnapshot(base: baseLook.drop), lookAgainAfter: baseLook.wait)
        scan.snapshot.owners["base"] = owners(of: "base", baseLook.listing)
        var model: BaseModel?
        var seen: Set = ["base"]
        var unread: [(name: String, bytes: Int64)] = []
        let read = Mutex<Int64>(0)
        let onRead: ProgressObserver = { bytes in
            read.withLock { $0 += bytes }
            onProgress(bytes)
        }
        for name in names where !UploadRules.isIgnored(name) {
            await Task.yield()
            try Task.checkCancellation()
            let relative = "tasks/\(name)"
            if let reason = Self.objection(toTask: name, path: "\(root)/\(relative)") {
                scan.snapshot.strays[name] = reason
                scan.snapshot.owners[relative] = owners(of: relative, nil)
                continue
            }
            seen.insert(relative)
            let look = try lookAtTask(name, baseLook, &model, admission, mayRead: false, onAdmission, onRead)
            note(look, of: name, in: &scan)
            if look.isUnread { unread.append((name, look.listing.map(unreadBytes) ?? 0)) }
        }
        for (name, _) in unread.sorted(by: { ($0.bytes, $0.name) < ($1.bytes, $1.name) }) {
            await Task.yield()
            try Task.checkCancellation()
            guard read.withLock({ $0 }) < mostRead else {
                scan.hasUnread = true
                scan.lookAgainAfter = .zero
                break
            }
            note(
                try lookAtTask(name, baseLook, &model, admission, mayRead: true, onAdmission, onRead), of: name,
                in: &scan)
        }
        refuseOtherLabels(in: &scan, expecting)
        awaitReplacements(in: &scan, expecting)
        stillness = stillness.filter { seen.contains($0.key) }
        changed = changed.filter { seen.contains($0.key) }
        judged = judged.filter { seen.contains($0) }
        tasks = tasks.filter { scan.snapshot.tasks[$0.key] != nil }
        memory.save(forgettingRest: true)
        return scan
    }

    /// What the tasks' head is, of those that may be read.
    private func head(_ names: [String], _ expecting: Set<String>) -> String? {
        let places = names.filter { !UploadRules.isIgnored($0) }.compactMap { name in
            (try? UploadLocation.find("tasks/\(name)", in: root)).flatMap { $0 }.map { (name: name, place: $0) }
        }
        let base = (try? UploadLocation.find("base", in: root)).flatMap { $0 }
        return heads.head(base: base, tasks: places, deciding: expecting)
    }

    /// Ends what goes on beside the scans.
    package nonisolated func stop() async { await encoder?.stop() }

    private func note(_ look: Look<AcceptedTask>, of name: String, in scan: inout Scan) {
        tasks[name] = look.verdict
        scan.snapshot.tasks[name] = look.drop == .missing ? nil : look.drop
        scan.snapshot.owners["tasks/\(name)"] = owners(of: "tasks/\(name)", look.listing)
        if look.isEncoding { scan.hasUnread = true }
        scan.lookAgainAfter = [scan.lookAgainAfter, look.wait].compactMap(\.self).min()
    }

    /// Bytes of a folder that nobody has read yet, as far as its names tell.
    private func unreadBytes(_ listing: UploadListing) -> Int64 {
        if listing.objection != nil { return 0 }
        return listing.files.values.reduce(0) { $0 &+ (memory.record($1.description) == nil ? $1.size : 0) }
    }

    /// Tasks whose heads would be merged into one must name its classes alike. Those that are deployed decide.
    private func refuseOtherLabels(in scan: inout Scan, _ expecting: Set<String>) {
        let accepted = scan.snapshot.tasks.compactMap { name, upload in
            if case .accepted(let task) = upload { (name: name, labels: task.sharedLabels) } else { nil }
        }
        let ordered = accepted.sorted { first, second in
            let ranks = [first, second].map { expecting.contains($0.name) ? 0 : 1 }
            return (ranks[0], first.name) < (ranks[1], second.name)
        }
        for (name, fault) in LabelNames.strangers(among: ordered) {
            guard case .refused(let code, let message) = fault else { continue }
            scan.snapshot.tasks[name] = .refused(
                Refusal(code: code, message: message, fingerprint: tasks[name]?.fingerprint ?? ""))
        }
    }

    /// A folder that is gone may be about to be replaced (moved away, then the new one moved in): it counts as removed
    /// when it has been gone for `settle`, as arriving until then.
    private func awaitReplacements(in scan: inout Scan, _ expecting: Set<String>) {
        let instant = now()
        let there = Set(scan.snapshot.tasks.keys)
        let missing = present.union(gone.keys).union(expecting).subtracting(there).subtracting(
            scan.snapshot.strays.keys)
        gone = gone.filter { missing.contains($0.key) }
        for name in missing {
            let since = gone[name] ?? instant
            gone[name] = since
            let left = settle - since.duration(to: instant)
            guard left > .zero else { continue }
            scan.snapshot.tasks[name] = .arriving("its folder has just gone")
            scan.lookAgainAfter = min(scan.lookAgainAfter ?? left, left)
        }
        // One that is still expected stays known as gone, or it would arrive again and again.
        gone = gone.filter { scan.snapshot.tasks[$0.key] != nil || expecting.contains($0.key) }
        present = there
    }

    private func lookAtTask(
        _ name: String, _ base: Look<AcceptedBase>, _ model: inout BaseModel?, _ admission: BaseAdmission,
        mayRead: Bool, _ onAdmission: AdmissionObserver, _ onProgress: @escaping ProgressObserver
    ) throws -> Look<AcceptedTask> {
        var key = ""
        if case .accepted(let accepted) = base.drop { key = accepted.source.digest + (accepted.source.head ?? "") }
        let (requiresValidation, labelled, encoder) = (requiresValidation, labelled, encoder)
        return try look("tasks/\(name)", inBase: false, verdict: tasks[name], key: key, mayRead: mayRead) {
            reader throws(AdmissionFault) in
            if let objection = reader.listing.objection { throw objection }
            guard case .accepted(let accepted) = base.drop, let baseListing = base.listing else {
                throw AdmissionFault.waiting("waiting for a base model that is accepted")
            }
            onAdmission(name, reader.listing.bytes)
            reader.onProgress = onProgress
            let opened: BaseModel
            if let model {
                opened = model
            } else {
                opened = try admission.open(accepted, baseListing, descriptions[accepted.source.digest])
                descriptions = [accepted.source.digest: opened.description]
            }
            model = opened
            let admission = TaskAdmission(
                base: opened, requiresExamples: requiresValidation, labelled: labelled, needsAdapters: needsAdapters,
                encoder: encoder)
            return try admission.admit(name, &reader)
        }
    }

    /// The system's wall clock in nanoseconds since 1970.
    package static func systemTime() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
