package import ExportedGraph
import Files
import Glibc

/// Looks at the registry directory and says what may be merged. Reads every file once per content: hash, header, shapes and
/// the search for NaN and Inf in the same pass; what was read is remembered by file identity in `cache`, across restarts.
package actor RegistryScanner {
    /// How a scan ended: the snapshot, and when to look again because something is still settling.
    package struct Scan: Sendable {
        package var snapshot: RegistrySnapshot
        package var lookAgainAfter: Duration?
    }

    /// Called before a drop is read: its name (`base` or the task's) and the bytes of its files.
    package typealias AdmissionObserver = @Sendable (_ drop: String, _ bytes: Int64) -> Void
    /// Called with the bytes of each chunk that was read, a MiB at most: evidence that a long reading goes on.
    package typealias ProgressObserver = @Sendable (_ bytes: Int64) -> Void

    let root: String
    let settle: Duration
    let requiresValidation: Bool
    let now: @Sendable () -> ContinuousClock.Instant
    let wallClock: @Sendable () -> Int64
    let readGraph: @Sendable (String) throws -> GraphSignature
    var memory: FileMemory
    /// Since when each drop has looked as it does.
    var stillness: [String: Stillness] = [:]
    private var base: Verdict<AcceptedBase>?
    private var tasks: [String: Verdict<AcceptedTask>] = [:]
    /// Since when folders that were looked into are gone.
    private var gone: [String: ContinuousClock.Instant] = [:]

    private let executor = BlockingExecutor(label: "registry")
    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// `requiresValidation`: whether the configured method learns and so refuses tasks without a validation set and bases
    /// without a graph. `now` is the clock that settling is judged by, `wallClock` the time since 1970 in nanoseconds, with
    /// which the files' own times are compared. `readGraph` gives the signature of an archive.
    package init(
        registry: String, cache: String, settle: Duration, requiresValidation: Bool,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now },
        wallClock: @escaping @Sendable () -> Int64 = { RegistryScanner.systemTime() },
        readGraph: @escaping @Sendable (String) throws -> GraphSignature = { try ExportedGraph(archive: $0).signature }
    ) {
        root = registry.count > 1 && registry.hasSuffix("/") ? String(registry.dropLast()) : registry
        memory = FileMemory(path: cache)
        self.settle = settle
        self.requiresValidation = requiresValidation
        self.now = now
        self.wallClock = wallClock
        self.readGraph = readGraph
    }

    /// One look. Throws `RegistryError` where the registry can't be listed and `CancellationError`; whatever is wrong with a
    /// drop is in the snapshot.
    package func scan(
        onAdmission: AdmissionObserver = { _, _ in }, onProgress: @escaping ProgressObserver = { _ in }
    ) async throws -> Scan {
        let names = try taskNames()
        let admission = BaseAdmission(readGraph: readGraph, requiresValidation: requiresValidation)
        let baseLook = try look("base", inBase: true, verdict: base, key: "") { reader throws(AdmissionFault) in
            onAdmission("base", reader.listing.bytes)
            reader.onProgress = onProgress
            return try admission.admit(&reader)
        }
        base = baseLook.verdict
        var snapshot = RegistrySnapshot(base: baseLook.drop)
        var wait = baseLook.wait
        var model: BaseModel?
        var seen: Set = ["base"]
        for name in names where !DropRules.isIgnored(name) {
            await Task.yield()
            try Task.checkCancellation()
            let relative = "tasks/\(name)"
            if let reason = Self.objection(toTask: name, path: "\(root)/\(relative)") {
                snapshot.strays[name] = reason
                continue
            }
            seen.insert(relative)
            let look = try lookAtTask(name, baseLook, &model, admission, onAdmission, onProgress)
            tasks[name] = look.verdict
            if look.drop != .missing { snapshot.tasks[name] = look.drop }
            if let more = look.wait { wait = min(wait ?? more, more) }
        }
        if let left = awaitReplacement(in: &snapshot) { wait = min(wait ?? left, left) }
        stillness = stillness.filter { seen.contains($0.key) }
        tasks = tasks.filter { snapshot.tasks[$0.key] != nil }
        memory.save(forgettingRest: true)
        return Scan(snapshot: snapshot, lookAgainAfter: wait)
    }

    /// A folder that is gone may be about to be replaced (moved away, then the new one moved in): it counts as removed when it
    /// has been gone for `settle`, as arriving until then. Gives the time left.
    private func awaitReplacement(in snapshot: inout RegistrySnapshot) -> Duration? {
        let instant = now()
        var wait: Duration?
        var stillGone: [String: ContinuousClock.Instant] = [:]
        for name in tasks.keys where snapshot.tasks[name] == nil && snapshot.strays[name] == nil {
            let since = gone[name] ?? instant
            let left = settle - since.duration(to: instant)
            guard left > .zero else { continue }
            stillGone[name] = since
            snapshot.tasks[name] = .arriving("its folder has just gone")
            wait = min(wait ?? left, left)
        }
        gone = stillGone
        return wait
    }

    private func lookAtTask(
        _ name: String, _ base: Look<AcceptedBase>, _ model: inout BaseModel?, _ admission: BaseAdmission,
        _ onAdmission: AdmissionObserver, _ onProgress: @escaping ProgressObserver
    ) throws -> Look<AcceptedTask> {
        var key = ""
        if case .accepted(let accepted) = base.drop { key = accepted.source.digest }
        let requiresValidation = requiresValidation
        return try look("tasks/\(name)", inBase: false, verdict: tasks[name], key: key) {
            reader throws(AdmissionFault) in
            if let objection = reader.listing.objection { throw objection }
            guard case .accepted(let accepted) = base.drop, let baseListing = base.listing else {
                throw AdmissionFault.waiting("waiting for a base model that is accepted")
            }
            onAdmission(name, reader.listing.bytes)
            reader.onProgress = onProgress
            let opened: BaseModel
            if let model { opened = model } else { opened = try admission.open(accepted, baseListing) }
            model = opened
            return try TaskAdmission(base: opened, requiresValidation: requiresValidation).admit(name, &reader)
        }
    }

    /// The system's wall clock in nanoseconds since 1970.
    package static func systemTime() -> Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
