/// Wakes the reconciler when something moves below the registry (inotify). It decides nothing: every wake-up says only "look".
package final class RegistryWatcher: Sendable {
    /// Watches `registry`, `base`, `tasks` and each task folder; new folders are added and looked into at once; an overflow
    /// of the queue, a removed root and a failed watch are wake-ups too.
    package init(registry: String) throws { fatalError() }

    /// Coalesced wake-ups, until the task is cancelled or `stop` is called.
    package var wakeUps: AsyncStream<Void> { fatalError() }
    /// Returns when every existing folder is watched (what tests await).
    package func ready() async {}
    package func stop() {}
}
