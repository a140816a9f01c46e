import Files
import Ledger
import Releases
import Signing
import WorkerProtocol

/// What `verify` checked, and what came of it.
struct VerificationReport: Encodable {
    /// The furthest that somebody noted of the ledger.
    struct Checkpoint: Encodable {
        var entries: Int
        var source: String
        /// Whether the given key's signature over it holds.
        var isSigned: Bool
    }

    /// What a link, `current` or `candidate`, points at.
    struct Link: Encodable {
        /// Number of the release.
        var version: Int?
        /// What is wrong with the link, or with `CURRENT.json` beside `current`.
        var fault: String?
    }

    /// What is said of a signature that holds.
    private static let valid = "valid"

    /// Entries of the ledger.
    var entries: Int
    var checkpoint: Checkpoint?
    private(set) var current = Link()
    /// The candidate; nil where there is none and the ledger knows of none.
    private(set) var candidate: Link?
    /// Release number → what the ledger says otherwise of it.
    private(set) var disagreements: [String: String] = [:]
    /// Release number → names of files that differ, are missing or are extra.
    var releases: [String: [String]] = [:]
    /// Release number → `valid`, or why not; without a key `unchecked` or `none`.
    var signatures: [String: String] = [:]
    /// Entries of the ledger that were stamped → the time that is proven, or why it is not; `unchecked` without the
    /// authority's certificate.
    var timestamps: [String: String] = [:]
    private var brokenTimestamps: Set<String> = []
    private let isKeyGiven: Bool

    private enum CodingKeys: String, CodingKey {
        case entries, checkpoint, current, candidate, disagreements, releases, signatures, timestamps
    }

    /// Throws `LedgerError` where the chain or a checkpoint does not hold, `SigningError` where the signed checkpoint
    /// does not.
    init(store: ReleaseStore, ledger: String, release: Int?, key: VerificationKey?) throws {
        isKeyGiven = key != nil
        // Checkpoints first: a daemon that runs meanwhile only adds to the ledger.
        var checkpoints: [LedgerCheckpoint] = []
        for release in try store.releases() {
            guard let head = release.record.ledger else { continue }
            checkpoints.append(.init(entries: head.entries, digest: head.digest, source: "release \(release.version)"))
        }
        for version in try release.map({ [$0] }) ?? store.standing().sorted() {
            do {
                let faults = try store.verify(version)
                let signature = try Self.signature(of: version, store, key)
                // A daemon that runs meanwhile may have deleted it.
                guard try faults.isEmpty || release != nil || store.standing().contains(version) else { continue }
                releases[String(version)] = faults
                signatures[String(version)] = signature
            } catch ReleasesError.unknownRelease where release == nil {
                // Gone meanwhile, or no folder.
                continue
            } catch {
                guard try release != nil || store.standing().contains(version) else { continue }
                throw error
            }
        }
        for stamped in try LedgerStatement.stamped(ledger: ledger) {
            guard let statement = try LedgerStatement.read(entries: stamped, ledger: ledger) else { continue }
            checkpoints.append(
                .init(
                    entries: statement.entries, digest: statement.digest,
                    source: "\(LedgerStatement.folder)/\(stamped)\(LedgerStatement.replySuffix)"))
        }
        let head = try Self.signedHead(store, key)
        if let head { checkpoints.append(head) }
        entries = try Ledger.verify(path: ledger, checkpoints: checkpoints)
        try look(store, ledger: ledger, release: release)
        checkpoint = checkpoints.max { $0.entries < $1.entries }.map { last in
            let version = last.source.split(separator: " ").last.map(String.init) ?? ""
            return Checkpoint(
                entries: last.entries, source: last.source,
                isSigned: last == head || signatures[version] == Self.valid && releases[version] == [])
        }
    }

    /// Holds what stands against what the ledger says of it; `release`: that one alone, and `current`. To be done once
    /// more where something is wrong: while a release is published or deleted, it is for a moment.
    mutating func look(_ store: ReleaseStore, ledger: String, release: Int?) throws {
        let recorded = try RecordedReleases(ledger: ledger)
        current = try Self.current(store, recorded)
        candidate = Self.candidate(store, recorded)
        disagreements = try Self.disagreements(store, recorded, release)
    }

    /// Has the time stamps checked; nil `check`: only that they are there with what they are about.
    mutating func check(_ check: TimestampCheck?, ledger: String) throws {
        for entries in try LedgerStatement.stamped(ledger: ledger) {
            let name = String(entries)
            guard try LedgerStatement.read(entries: entries, ledger: ledger)?.entries == entries else {
                timestamps[name] = "the statement beside it is missing or about something else"
                brokenTimestamps.insert(name)
                continue
            }
            guard let check else {
                timestamps[name] = "unchecked"
                continue
            }
            let outcome = try check.outcome(entries: entries, ledger: ledger)
            timestamps[name] = outcome.text
            if !outcome.isValid { brokenTimestamps.insert(name) }
        }
    }

    /// Whether a second look may find less.
    var isDisputed: Bool { current.fault != nil || candidate?.fault != nil || !disagreements.isEmpty }

    private static func current(_ store: ReleaseStore, _ recorded: RecordedReleases) throws -> Link {
        if let fault = store.faultOfCurrent() { return Link(version: try? store.currentNumber(), fault: fault) }
        let version = try store.currentNumber()
        guard version != recorded.deployed else { return Link(version: version) }
        return link("current", version, though: recorded.word)
    }

    private static func candidate(_ store: ReleaseStore, _ recorded: RecordedReleases) -> Link? {
        do {
            let version = try store.candidateNumber()
            guard version == recorded.candidate else {
                return link("candidate", version, though: recorded.candidateWord)
            }
            // Its record must be readable; its files are compared with all others'.
            return try store.candidate().map { Link(version: $0.version) }
        } catch {
            return Link(version: try? store.candidateNumber(), fault: "\(error)")
        }
    }

    /// A link that points elsewhere than the ledger has it.
    private static func link(_ name: String, _ version: Int?, though word: String?) -> Link {
        let found = version.map { "`\(name)` points at release \($0)" } ?? "there is no `\(name)`"
        return Link(version: version, fault: "\(found), though the ledger says: \(word ?? "nothing of a release")")
    }

    private static func disagreements(
        _ store: ReleaseStore, _ recorded: RecordedReleases, _ release: Int?
    ) throws -> [String: String] {
        var found: [String: String] = [:]
        for standing in try store.releases() where release == nil || release == standing.version {
            guard let digest = recorded.digests[standing.version], digest != standing.digest else { continue }
            found[String(standing.version)] = "its files are not those that the ledger has the digest of"
        }
        let gone = try release == nil ? recorded.standing.subtracting(store.standing()) : []
        for version in gone { found[String(version)] = "it is gone, and the ledger does not say that it was deleted" }
        return found
    }

    private static func signature(of version: Int, _ store: ReleaseStore, _ key: VerificationKey?) throws -> String {
        guard let key else { return try store.isSigned(version) ? "unchecked" : "none" }
        do {
            let faults = try store.verifySignature(version, key: key)
            return faults.isEmpty ? valid : "these files are not as they were signed: \(faults.joined(separator: ", "))"
        } catch let error as SigningError {
            return "\(error)"
        } catch let error as ReleasesError {
            return "\(error)"
        }
    }

    /// The signed checkpoint in the deploy directory; nil where no key was given. Where there is none, somebody took it
    /// away.
    private static func signedHead(_ store: ReleaseStore, _ key: VerificationKey?) throws -> LedgerCheckpoint? {
        let path = "\(store.deploy)/\(SignedHead.fileName)"
        guard let key else { return nil }
        guard try FileStatus.ifPresent(path) != nil else {
            throw SigningError.badSignature(
                path: path,
                reason:
                    "the checkpoint of the ledger is not there; put it back from a copy (a daemon that has the key "
                    + "writes one at its start only where nothing was signed before)")
        }
        let head = try SignedHead.open(Durable.contents(path, limit: SignedHead.longest), key: key, path: path)
        return LedgerCheckpoint(entries: head.entries, digest: head.digest, source: SignedHead.fileName)
    }

    /// Whether nothing is wrong with what was checked.
    var isFaultless: Bool {
        !isDisputed && brokenTimestamps.isEmpty && releases.values.allSatisfy(\.isEmpty)
            && (!isKeyGiven || signatures.values.allSatisfy { $0 == Self.valid })
    }

    /// The report for people.
    var lines: [String] {
        let proof = checkpoint.map {
            "; the first \($0.entries) are those that \($0.source) noted\($0.isSigned ? ", signed" : "")"
        }
        let releases = releases.sorted { Int($0.key) ?? 0 < Int($1.key) ?? 0 }.map { version, faults in
            let signature =
                switch signatures[version] {
                case Self.valid: "; the signature holds"
                case "unchecked": "; signed (--public-key FILE checks it)"
                case let fault? where isKeyGiven: "; \(fault)"
                default: ""
                }
            return "release \(version): \(faults.isEmpty ? "as published" : faults.joined(separator: ", "))\(signature)"
        }
        let disputes = disagreements.sorted { Int($0.key) ?? 0 < Int($1.key) ?? 0 }.map { version, what in
            "release \(version): \(what)"
        }
        let unchecked = timestamps.count { $0.value == "unchecked" }
        let stamps =
            (unchecked > 0 ? ["time stamps: \(unchecked), unchecked (--timestamp-ca FILE checks them)"] : [])
            + timestamps.filter { $0.value != "unchecked" }.sorted { Int($0.key) ?? 0 < Int($1.key) ?? 0 }.map {
                "time stamp of the first \($0.key) entries: \($0.value)"
            }
        let deployed = current.fault ?? current.version.map { "release \($0)" } ?? "nothing yet"
        let trial = candidate.map { "candidate: \($0.fault ?? $0.version.map { "release \($0)" } ?? "none")" }
        return ["ledger: \(entries) entries, the chain holds\(proof ?? "")", "current: \(deployed)"]
            + [trial].compactMap(\.self) + releases + disputes + stamps
    }
}
