package import Files
package import Tasks

/// The registry as one scan saw it. Equal snapshots mean that nothing has to be decided.
package struct RegistrySnapshot: Hashable, Sendable {
    package var base: Upload<AcceptedBase>
    /// By task name.
    package var tasks: [String: Upload<AcceptedTask>]
    /// Names in `tasks/` that are not tasks and why (wrong characters, a stray file); ignored temporaries are not
    /// listed.
    package var strays: [String: String]
    /// Whose the files of a drop are, or the stray is, by its place: `base`, `tasks/NAME`. As the file system says it,
    /// which a copy by root, or over a network, may not keep.
    package var owners: [String: [User]]

    package init(
        base: Upload<AcceptedBase>, tasks: [String: Upload<AcceptedTask>] = [:], strays: [String: String] = [:],
        owners: [String: [User]] = [:]
    ) {
        self.base = base
        self.tasks = tasks
        self.strays = strays
        self.owners = owners
    }
}

/// What a folder of the registry is at the moment.
package enum Upload<Content: Hashable & Sendable>: Hashable, Sendable {
    /// Still arriving: incomplete, or not yet still for `settle`. With the reason.
    case arriving(String)
    case accepted(Content)
    /// Can't be merged until its content changes.
    case refused(Refusal)
    /// Not there.
    case missing
}

/// Why a drop is refused. The fingerprint tells the same bad content from new content.
package struct Refusal: Hashable, Sendable {
    /// Short and stable, for programs: `truncated`, `pickle`, `not-finite`, `wrong-shape`, `missing-parameter`, …
    package var code: String
    /// What happened and what to do, one line.
    package var message: String
    /// Over names, sizes and times of the files.
    package var fingerprint: String
    /// Over the contents that were read of this folder, be it before it was refused: an accepted task's, where nothing
    /// of it has changed since. Nil where nothing was read.
    package var digest: String?

    package init(code: String, message: String, fingerprint: String, digest: String? = nil) {
        self.code = code
        self.message = message
        self.fingerprint = fingerprint
        self.digest = digest
    }
}
