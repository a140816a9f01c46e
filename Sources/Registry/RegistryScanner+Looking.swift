import Files
import Tasks

extension RegistryScanner {
    /// What a drop looked like, and since when.
    struct Stillness {
        var fingerprint: String
        var since: ContinuousClock.Instant
    }

    /// What was decided about a drop that looked like this, held against this base.
    struct Verdict<Content: Hashable & Sendable> {
        var fingerprint: String
        /// Digest of the base.
        var key: String
        var drop: Upload<Content>
    }

    /// How one look at a drop ended.
    struct Look<Content: Hashable & Sendable> {
        var drop: Upload<Content>
        var listing: UploadListing?
        /// To be kept for the next look; nil where that has to decide anew.
        var verdict: Verdict<Content>?
        /// When to look again.
        var wait: Duration?
        /// Whether it is still, and only has to be read.
        var isUnread = false
        /// Whether its examples are being encoded.
        var isEncoding = false
    }

    /// Nanoseconds without a change after which a download that has not ended is no longer awaited.
    private static let longestPause: Int64 = 3600 * 1_000_000_000
    /// Time after which a drop whose examples are being encoded is looked at again.
    private static let encodingWait = Duration.seconds(1)
    /// Least time between two readings of a drop that changes all the time.
    private static let leastWait = Duration.milliseconds(200)

    /// Looks at one drop: the verdict that stands, or a wait until it is still, or, if `mayRead`, a new verdict by
    /// `admit`.
    func look<Content>(
        _ relative: String, inBase: Bool, verdict: Verdict<Content>?, key: String, mayRead: Bool,
        admit: (inout UploadReader) throws(AdmissionFault) -> Content
    ) throws(CancellationError) -> Look<Content> {
        var seen: UploadListing?
        do throws(AdmissionFault) {
            guard let place = try UploadLocation.find(relative, in: root), let listing = try list(place, inBase: inBase)
            else {
                return Look(drop: .missing)
            }
            seen = listing
            memory.keep(listing.files.values.lazy.map(\.description))
            if let verdict, verdict.fingerprint == listing.fingerprint, verdict.key == key {
                return Look(drop: verdict.drop, listing: listing, verdict: verdict)
            }
            let left = timeLeft(relative, listing)
            if left > .zero {
                return Look(drop: .arriving("not yet still for \(settle)"), listing: listing, wait: left)
            }
            if listing.objection == nil, let name = listing.unfinished {
                let fault = UnfinishedDownload.fault(name)
                let (age, _) = wallClock().subtractingReportingOverflow(listing.newestChange)
                if age > Self.longestPause { throw fault }
                return Look(drop: .arriving("\(fault)"), listing: listing)
            }
            if listing.files.isEmpty && listing.objection == nil {
                if let nested = MissingWeights.nestedFault(place.path) { throw nested }
                guard judged.contains(relative) else {
                    let (age, _) = wallClock().subtractingReportingOverflow(listing.newestChange)
                    let found = listing.contentWithoutFiles
                    if age > Self.longestPause, let found {
                        throw AdmissionFault.refused(
                            code: "missing-weights",
                            message: "\(found); put the checkpoint's files into the folder itself")
                    }
                    return Look(drop: .arriving(found ?? "the folder is empty"), listing: listing)
                }
                throw AdmissionFault.refused(
                    code: "empty", message: "its folder was emptied; put the files back, or remove the folder")
            }
            guard mayRead else {
                return Look(drop: .arriving("not read yet"), listing: listing, isUnread: true)
            }
            var reader = UploadReader(listing: listing, memory: memory)
            defer {
                memory = reader.memory
                memory.save(forgettingRest: false)
            }
            let content = try admit(&reader)
            guard try list(place, inBase: inBase)?.fingerprint == listing.fingerprint else {
                throw AdmissionFault.changed("it changed while it was read")
            }
            let verdict = Verdict(fingerprint: listing.fingerprint, key: key, drop: Upload.accepted(content))
            judged.insert(relative)
            return Look(drop: verdict.drop, listing: listing, verdict: verdict)
        } catch {
            return try look(after: error, relative, seen, key: key)
        }
    }

    private func look<Content>(
        after fault: AdmissionFault, _ relative: String, _ listing: UploadListing?, key: String
    ) throws(CancellationError) -> Look<Content> {
        let fingerprint = listing?.fingerprint ?? ""
        switch fault {
        case .cancelled: throw CancellationError()
        case .waiting(let reason): return Look(drop: .arriving(reason), listing: listing)
        case .encoding(let reason):
            return Look(drop: .arriving(reason), listing: listing, wait: Self.encodingWait, isEncoding: true)
        case .changed(let reason):
            stillness[relative] = nil
            changed[relative] = now()
            return Look(drop: .arriving(reason), listing: listing, wait: max(settle, Self.leastWait))
        case .unreadable(let reason):
            let refusal = Refusal(code: "unreadable", message: reason, fingerprint: fingerprint)
            return Look(drop: .refused(refusal), listing: listing)
        case .refused(let code, let message):
            let digest = listing.flatMap { memory.digest($0.files) }
            let drop = Upload<Content>.refused(
                Refusal(code: code, message: message, fingerprint: fingerprint, digest: digest))
            guard let listing else { return Look(drop: drop) }
            judged.insert(relative)
            return Look(
                drop: drop, listing: listing,
                verdict: Verdict(fingerprint: listing.fingerprint, key: key, drop: drop))
        }
    }

    /// The folder's listing; nil where it has just gone.
    private func list(_ place: UploadLocation, inBase: Bool) throws(AdmissionFault) -> UploadListing? {
        do throws(FilesError) {
            return try UploadListing(place, inBase: inBase)
        } catch {
            if error.errno == Self.noEntry { return nil }
            throw AdmissionFault(error)
        }
    }

    /// How long until the drop counts as still: `settle` after the first look at which it looked like this, or after
    /// the latest of its files' own times, whichever comes first.
    private func timeLeft(_ relative: String, _ listing: UploadListing) -> Duration {
        let instant = now()
        let since: ContinuousClock.Instant
        if let known = stillness[relative], known.fingerprint == listing.fingerprint {
            since = known.since
        } else {
            since = instant
            stillness[relative] = Stillness(fingerprint: listing.fingerprint, since: instant)
        }
        if let last = changed[relative] {
            let left = Self.leastWait - last.duration(to: instant)
            if left > .zero { return max(left, settle - since.duration(to: instant)) }
            changed[relative] = nil
        }
        let (age, overflow) = wallClock().subtractingReportingOverflow(listing.newestChange)
        return settle - max(since.duration(to: instant), overflow ? .zero : .nanoseconds(age))
    }
}
