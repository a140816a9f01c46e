extension ConfigurationKey {
    /// Every scalar key, in the order of `config/supermerged.yaml`. Only `hooks`, a list, stands outside.
    package static let all: [ConfigurationKey] = [
        directory("registry", \.registry),
        directory("deploy", \.deploy),
        directory("state", \.state),
        socket("socket", \.socket),
        optionalPath("worker", \.worker),
        duration("settle", \.settle),
        duration("rescan", \.rescan, least: .seconds(1)),
        duration("patience", \.patience, least: .seconds(10)),
        choice("merge.method", \.merge.method),
        choice("merge.strategy", \.merge.strategy),
        integer("merge.fan-in", \.merge.fanIn, least: 2),
        choice("merge.granularity", \.merge.granularity),
        choice("merge.squash", \.merge.squash),
        choice("merge.loss", \.merge.loss),
        integer("merge.mixup", \.merge.mixup, least: 0),
        integer("merge.steps", \.merge.steps, least: 1),
        number("merge.learning-rate", \.merge.learningRate, "above 0") { $0 > 0 },
        choice("merge.schedule", \.merge.schedule),
        integer("merge.batch", \.merge.batch, least: 1),
        integer("merge.evaluate-every", \.merge.evaluateEvery, least: 1),
        integer("merge.patience", \.merge.patience, least: 1),
        scale("merge.scale"),
        density("merge.density"),
        number("merge.holdout", \.merge.holdout, "above 0 and below 1") { $0 > 0 && $0 < 1 },
        integer("merge.seed", \.merge.seed, least: 0),
        integer("merge.threads", \.merge.threads, least: 0),
        choice("merge.device", \.merge.device),
        choice("merge.precision", \.merge.precision),
        size("merge.memory", \.merge.memory),
        flag("merge.adapter", \.merge.writesAdapter),
        number("gate.maximum-regression", \.gate.maximumRegression, "of at least 0") { $0 >= 0 },
        integer("retain.versions", \.retain.versions, least: 1),
        duration("retain.grace", \.retain.grace),
        loopback("status.listen", \.status.listen),
        optionalPath("status.textfile", \.status.textfile),
        keyPlace("signing.key", \.signing.key),
    ]

    /// Names of the mappings that hold keys.
    static let sections: Set<String> = ["merge", "gate", "retain", "status", "signing"]
}
