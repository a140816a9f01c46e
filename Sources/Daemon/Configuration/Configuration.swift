import Files
package import WorkerProtocol

/// Everything an operator can set, decoded once from YAML. `config/supermerged.yaml` documents each key.
package struct Configuration: Hashable, Sendable {
    /// The watched directory; never written to.
    package var registry = "/srv/supermerge/registry"
    /// Where releases are published.
    package var deploy = "/srv/supermerge/deploy"
    /// Ledger, admission cache and the state of interrupted merges.
    package var state = "/var/lib/supermerge"
    /// The control socket.
    package var socket = "/run/supermerge/control.sock"
    /// The program that does the merging; empty: `supermerge` beside the daemon's own executable.
    package var worker = ""
    /// How long a drop must have been still before it is looked into.
    package var settle = Duration.seconds(5)
    /// Time between two scans of the registry when nothing wakes the daemon.
    package var rescan = Duration.seconds(300)
    /// Time without any sign of progress after which a worker is taken for hung and killed.
    package var patience = Duration.seconds(1800)
    package var merge = MergeSettings()
    package var gate = GateSettings()
    package var retain = Retention()
    package var status = StatusSettings()
    package var signing = SigningSettings()
    package var timestamp = TimestampSettings()
    package var rollout = RolloutSettings()
    /// What is done after each publish, side by side.
    package var hooks: [Hook] = []

    package init() {}

    /// What a candidate must not do to be published.
    package struct GateSettings: Hashable, Sendable {
        /// The largest fall of a task's metric below the deployed release, in units of the metric.
        package var maximumRegression = 0.02
        /// The chance that a candidate as good as the deployed release is refused for any of its tasks.
        package var familyWiseLevel = 0.05
        /// The smallest share of a task's parameters that must be merged; the others are shipped as its head.
        package var mergedShare = 0.5
        /// Whether tasks without examples, and bases without a graph, are refused whatever the method: nothing is
        /// published unjudged.
        package var requiresExamples = false
        /// The team's own gate; nil: there is none.
        package var command: GateCommandSettings?

        package init() {}
    }

    /// How monitoring reads the daemon's state. Each is off where it is empty.
    package struct StatusSettings: Hashable, Sendable {
        /// A loopback address and port that may be read over TCP, and hold the dashboard.
        package var listen = ""
        /// A file of metrics for node_exporter.
        package var textfile = ""

        package init() {}
    }

    /// How releases and the ledger's checkpoints are signed.
    package struct SigningSettings: Hashable, Sendable {
        /// Absolute path of the private key, or the name of a systemd credential; empty: nothing is signed.
        package var key = ""

        package init() {}
    }

    /// How the ledger's head is stamped by a time stamping authority (RFC 3161).
    package struct TimestampSettings: Hashable, Sendable {
        /// A program that gets the statement and answers with the authority's response; empty: nothing is stamped.
        package var command: [String] = []
        /// Time between two stamps where nothing is published.
        package var interval = Duration.seconds(24 * 3600)
        package var timeout = Duration.seconds(60)

        package init() {}
    }

    /// Which old releases stay.
    package struct Retention: Hashable, Sendable {
        /// Releases to keep, the current one included.
        package var versions = 5
        /// Age below which no release is deleted: servers may open files late.
        package var grace = Duration.seconds(24 * 3600)
        /// How long what describes a deleted release stays.
        package var records = RecordRetention.tenYears

        package init() {}
    }
}

extension Configuration {
    /// Whether tasks without examples, and bases without a graph, are refused.
    var requiresExamples: Bool { merge.method.needsExamples || gate.requiresExamples }
    package var ledger: String { state + "/ledger.jsonl" }
    var admissionCache: String { state + "/admission" }
    var merges: String { state + "/merges" }
    /// Where the nodes of hierarchical merges are kept.
    var tree: String { state + "/tree" }
    /// Where the files of deployed tasks are kept.
    var keptTasks: String { state + "/tasks" }
    /// Where what describes deleted releases stays.
    var records: String { state + "/records" }
    /// Where the tensors of tables of examples are cached.
    var encodedExamples: String { state + "/examples" }

    /// What would let the daemon write into the registry, or take its own output for a registry.
    func overlaps() -> [ConfigurationFault] {
        var written = [("deploy", deploy), ("state", state), ("socket", socket)]
        if !status.textfile.isEmpty { written.append(("status.textfile", status.textfile)) }
        return written.compactMap { key, path in
            if Self.isInside(path, registry) {
                return ConfigurationFault(
                    key: key, message: "'\(path)' lies in the registry, which is never written to; choose another place"
                )
            }
            guard key == "deploy" || key == "state", Self.isInside(registry, path) else { return nil }
            return ConfigurationFault(
                key: "registry", message: "'\(registry)' lies in `\(key)` (\(path)); choose another place")
        }
    }

    /// Whether a path is a folder or lies in it, by their names.
    private static func isInside(_ path: String, _ folder: String) -> Bool {
        let (path, folder) = (parts(path), parts(folder))
        return path.starts(with: folder)
    }

    private static func parts(_ path: String) -> [String] {
        path.pathNames.reduce(into: []) { parts, part in
            switch part {
            case ".": break
            case "..": _ = parts.popLast()
            default: parts.append(part)
            }
        }
    }

    /// Names of the keys that differ and can't change under a running daemon.
    func fixedKeysChanged(from old: Configuration) -> [String] {
        [
            registry == old.registry ? nil : "registry", deploy == old.deploy ? nil : "deploy",
            state == old.state ? nil : "state", socket == old.socket ? nil : "socket",
            status.listen == old.status.listen ? nil : "status.listen",
            status.textfile == old.status.textfile ? nil : "status.textfile",
        ].compactMap(\.self)
    }
}
