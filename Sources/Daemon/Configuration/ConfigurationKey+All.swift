import WorkerProtocol

extension ConfigurationKey {
    /// Every scalar key, in the order of `config/supermerged.yaml`. `hooks` and `rollout.check` stand outside.
    package static let all: [ConfigurationKey] = before + MergeSetting.all.map { ConfigurationKey($0) } + after

    private static let before: [ConfigurationKey] = [
        ConfigurationKey("registry", \.registry, .directory),
        ConfigurationKey("deploy", \.deploy, .directory),
        ConfigurationKey("state", \.state, .directory),
        ConfigurationKey("socket", \.socket, .socket),
        ConfigurationKey("worker", \.worker, .pathOrEmpty),
        ConfigurationKey("settle", \.settle, .duration()),
        ConfigurationKey("rescan", \.rescan, .duration(least: .seconds(1))),
        ConfigurationKey("patience", \.patience, .duration(least: .seconds(10))),
    ]

    private static let after: [ConfigurationKey] = [
        ConfigurationKey("gate.maximum-regression", \.gate.maximumRegression, .number("of at least 0") { $0 >= 0 }),
        ConfigurationKey(
            "gate.family-wise-level", \.gate.familyWiseLevel,
            .number("above 0 and below 1") { $0 > 0 && $0 < 1 }),
        ConfigurationKey("gate.merged-share", \.gate.mergedShare, .number("from 0 to 1") { (0...1).contains($0) }),
        ConfigurationKey("gate.require-examples", \.gate.requiresExamples, .flag),
        ConfigurationKey("rollout.strategy", \.rollout.strategy, .choice),
        ConfigurationKey("rollout.window", \.rollout.window, .duration()),
        ConfigurationKey("rollout.interval", \.rollout.interval, .duration(least: .milliseconds(100))),
        ConfigurationKey("rollout.timeout", \.rollout.timeout, .duration(least: .milliseconds(100))),
        ConfigurationKey("rollout.on-failure", \.rollout.onFailure, .choice),
        ConfigurationKey("rollout.on-silence", \.rollout.onSilence, .choice),
        ConfigurationKey("rollout.arrivals", \.rollout.arrivals, .choice),
        ConfigurationKey("retain.versions", \.retain.versions, .integer(least: 1)),
        ConfigurationKey("retain.grace", \.retain.grace, .duration()),
        ConfigurationKey("retain.records", \.retain.records, RecordRetention.kind),
        ConfigurationKey("status.listen", \.status.listen, .loopback),
        ConfigurationKey("status.textfile", \.status.textfile, .pathOrEmpty),
        ConfigurationKey("signing.key", \.signing.key, .keyPlace),
        ConfigurationKey("timestamp.interval", \.timestamp.interval, .duration(least: .seconds(1))),
        ConfigurationKey("timestamp.timeout", \.timestamp.timeout, .duration(least: .seconds(1))),
    ]

    /// Names of the mappings that hold keys.
    static let sections: Set<String> = ["merge", "gate", "rollout", "retain", "status", "signing", "timestamp"]
}
