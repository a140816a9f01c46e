/// What the programs are, taken together.
package enum Product {
    /// What `--version` prints, and what releases and the daemon's status say; `Packaging/build` holds
    /// `Packaging/deb/changelog` against it.
    package static let version = "0.1.0"

    /// What this build computes on.
    package static let devices: Set<MergeSettings.Device> = [.cpu]
}
