import Files
import Merging

/// Where a merge by hand writes, so that the named folder is there whole or not at all, however the merge ends.
struct OutputPlace {
    /// The folder that was named.
    private let output: String
    /// Where the release is written: beside the state of its fit, and in the named folder itself where that is there,
    /// because it may be a mount, which nothing can be renamed to.
    let staging: String
    /// For the state of the fit, with which the same command goes on, and for encoded examples.
    let scratch: String

    /// Makes both folders. Throws where the named one is there and not empty.
    init(_ path: String) throws {
        var output = path
        while output.count > 1, output.hasSuffix("/") { output.removeLast() }
        self.output = output
        scratch = output + ".scratch"
        let own = scratch + "/release"
        if try FileStatus.ifPresent(output, followingLinks: true) == nil {
            staging = own
        } else {
            guard try Durable.list(output).isEmpty else {
                throw MergeError(kind: .environment, message: "\(output) is not empty; name a new folder with --output")
            }
            staging = output
        }
        try Durable.createDirectories(scratch)
        // What a merge left that was killed.
        try Durable.remove(own)
        try Durable.createDirectories(staging, mode: 0o755)
    }

    /// Gives the release its name.
    func publish() throws {
        if staging != output { try Durable.rename(staging, to: output) }
        try Durable.remove(scratch)
    }

    /// Leaves nothing of a merge that failed, but where the machine was to blame the state of its fit: the same command
    /// goes on from there.
    func discard(keepingFit: Bool) {
        for name in (try? Durable.list(staging)) ?? [] { try? Durable.remove("\(staging)/\(name)") }
        if staging != output { try? Durable.remove(staging) }
        try? Durable.remove(scratch + "/examples")
        if !keepingFit || (try? Durable.list(scratch))?.isEmpty ?? true { try? Durable.remove(scratch) }
    }
}
