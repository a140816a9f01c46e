extension Configuration {
    /// Gives keys that were not written what is usual for the chosen method.
    mutating func complete(written paths: Set<String>) {
        merge.complete(written: Set(paths.filter { $0.hasPrefix("merge.") }.map { String($0.dropFirst(6)) }))
    }

    /// Values that don't go together.
    func contradictions() -> [ConfigurationFault] {
        var faults = merge.contradictions.map { ConfigurationFault(key: "merge.\($0.name)", message: $0.message) }
        if rollout.strategy == .canary, rollout.check == nil {
            faults.append(
                ConfigurationFault(
                    key: "rollout.check",
                    message:
                        "strategy canary has no check: write command, http or prometheus, or none for promotion by hand"
                ))
        }
        return faults
    }
}
