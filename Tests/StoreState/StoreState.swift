import Files
import Ledger
import Releases

/// What the stores of a drill's folder hold, and what is wrong with it.
package struct StoreState: CustomStringConvertible, Sendable {
    /// The deployed release's number.
    package var current: Int?
    /// The candidate's number.
    package var candidate: Int?
    /// Numbers of the releases that stand.
    package var versions: [Int]
    /// The digest of the deployed weights; empty where none are deployed.
    package var weights: String
    /// The messages in the ledger, oldest first.
    package var entries: [String]
    /// Digests of the kept tasks.
    package var kept: [String]
    /// Files that are not what their record says.
    package var faults: [String] = []

    package var isSound: Bool { faults.isEmpty }

    package var description: String {
        "\(current ?? 0) of \(versions), candidate \(candidate ?? 0), \(entries), kept \(kept), \(faults)"
    }

    /// Reads all of it, and changes nothing. Throws where a store or the ledger's chain can't be read.
    package init(_ folder: String) throws {
        let store = ReleaseStore(deploy: folder + "/deploy")
        let release = try store.current()
        current = release?.version
        candidate = try store.candidate()?.version
        versions = try store.releases().map(\.version)
        weights = release?.record.result.outputs.first { $0.name == "model.safetensors" }?.sha256 ?? ""
        for version in versions { faults += try store.verify(version).map { "release \(version): \($0)" } }
        let ledger = folder + "/ledger.jsonl"
        entries = try FileStatus.ifPresent(ledger) == nil ? [] : Ledger.entries(path: ledger).map(\.message)
        let names = (try? Durable.list(folder + "/kept")) ?? []
        kept = names.filter { !$0.hasPrefix(".") }
        for digest in kept {
            let file = try ReadableFile(path: "\(folder)/kept/\(digest)/model.safetensors").sha256()
            if Digest.manifest([("model.safetensors", file)]) != digest { faults.append("kept \(digest)") }
        }
    }

    /// Which of the two it is; retirement may have got part of the way.
    package func outcome(from old: StoreState, to new: StoreState) -> String {
        let isSame = { (other: StoreState) in
            current == other.current && candidate == other.candidate && weights == other.weights
                && entries == other.entries && kept == other.kept
        }
        if isSame(new), versions == new.versions { return "new" }
        if isSame(old), versions == old.versions { return "old" }
        let isBetween =
            Set(versions).isSubset(of: old.versions) && Set(versions).isSuperset(of: new.versions) && isSame(old)
        return isBetween ? "part of the old releases deleted" : "neither"
    }
}
