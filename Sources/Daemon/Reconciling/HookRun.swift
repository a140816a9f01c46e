/// A hook that is under way for one release.
struct HookRun: Sendable {
    var hook: Hook
    var version: Int
    /// Tells it from an earlier run of the same name.
    var id: Int
    var task: Task<Void, Never>
    /// Attempts that have failed, and why the last of them did.
    var failures = 0
    var message = ""
}
