import Files
import Foundation
import Ledger
import WorkerProtocol

extension Site {
    /// A site whose merges learn nothing, so that each takes a fraction of a second, with a registry that is looked at
    /// regularly only once in `rescan`.
    static func quick(rescan: String = "1h", settle: String = "100ms") throws -> Site {
        let base = try TemporaryFolder()
        try NoisyTask.writeBase(base.path + "/base")
        let site = try Site(merge: ["method": "average"], base: base.path + "/base")
        site.merge = ["method": "average", "threads": "1"]
        site.keys = ["settle": settle, "rescan": rescan]
        try site.writeConfiguration()
        return site
    }

    /// Puts a checkpoint of `seed` into the registry by a rename; gives the digest of its file.
    @discardableResult
    func dropNoisy(_ task: String, seed: UInt64) throws -> String {
        let bytes = try NoisyTask.bytes(seed: seed)
        let incoming = "\(folder.path)/incoming-\(task)"
        try Durable.remove(incoming)
        try Durable.createDirectories(incoming)
        try Data(bytes).write(to: URL(filePath: incoming + "/model.safetensors"))
        let outgoing = "\(folder.path)/outgoing-\(task)"
        try Durable.remove(outgoing)
        if FileManager.default.fileExists(atPath: path(task)) { try Durable.rename(path(task), to: outgoing) }
        try Durable.rename(incoming, to: path(task))
        return Digest.sha256(bytes)
    }

    /// As `dropNoisy`, from another file system: written under a hidden name first.
    func dropOnto(_ task: String, seed: UInt64) throws -> String {
        let bytes = try NoisyTask.bytes(seed: seed)
        try Durable.createDirectories(path("." + task))
        try Data(bytes).write(to: URL(filePath: path("." + task, "model.safetensors")))
        try Durable.remove(path(task))
        try Durable.rename(path("." + task), to: path(task))
        return Digest.sha256(bytes)
    }

    /// Task → digest of its checkpoint, of what is deployed.
    func deployedContent() throws -> [String: String] {
        var content: [String: String] = [:]
        for task in try release()?.record.tasks ?? [] {
            content[task.name] = task.files.first { $0.name == "model.safetensors" }?.sha256
        }
        return content
    }

    /// Digests of the checkpoints that went into a release; none where it was deleted meanwhile.
    func content(of version: Int) throws -> Set<String> {
        let path = "\(deploy)/versions/\(version)/release.json"
        guard let bytes = try? Durable.contents(path) else { return [] }
        let record = try JSON.decode(ReleaseRecord.self, from: Data(bytes))
        return Set(record.tasks.compactMap { $0.files.first { $0.name == "model.safetensors" }?.sha256 })
    }

    /// Whether the daemon comes by itself, nobody asking it to look, to a release of just this content.
    func converges(to content: [String: String]) throws -> Bool {
        do {
            try ledgerWatch().wait(for: "\(content.keys.sorted())") {
                try deployedContent() == content
                    && ledger().last { $0.event == .published }?.version == release()?.version
            }
            return true
        } catch is ChangeWatch.TooLate {
            return false
        }
    }
}
