import WorkerProtocol

extension ConfigurationKey {
    /// A number, or `search`.
    static func scale(_ path: String) -> Self {
        let show = { @Sendable (configuration: Configuration) in
            configuration.merge.searchesScale ? "search" : "\(configuration.merge.scale)"
        }
        return Self(path: path, kind: "number or 'search'", show: show) { text, result throws(Problem) in
            result.merge.searchesScale = text == "search"
            if result.merge.searchesScale { return }
            guard let value = Double(text), value.isFinite else {
                throw Problem(message: "'\(text)' is neither a number nor 'search'")
            }
            result.merge.scale = value
        }
    }

    /// A positive number, or empty for one that is chosen.
    static func ridge(_ path: String) -> Self {
        let show = { @Sendable (configuration: Configuration) in configuration.merge.ridge.map { "\($0)" } ?? "" }
        return Self(path: path, kind: "number or empty", show: show) { text, result throws(Problem) in
            let value = Double(text)
            guard text.isEmpty || value.map({ $0 > 0 && $0.isFinite }) == true else {
                throw Problem(message: "'\(text)' is not a number above 0; write for example 0.01")
            }
            result.merge.ridge = value
        }
    }

    /// A share, or empty for the method's usual one.
    static func density(_ path: String) -> Self {
        let show = { @Sendable (configuration: Configuration) in
            configuration.merge.density.map { "\($0)" } ?? ""
        }
        return Self(path: path, kind: "number or empty", show: show) { text, result throws(Problem) in
            if text.isEmpty {
                result.merge.density = nil
                return
            }
            guard let value = Double(text), value > 0, value <= 1 else {
                throw Problem(message: "'\(text)' is not a number above 0 and at most 1")
            }
            result.merge.density = value
        }
    }
}

extension Configuration {
    /// Gives keys that were not written what is usual for the chosen method.
    mutating func complete(written paths: Set<String>) {
        if !paths.contains("merge.scale") || merge.searchesScale { merge.scale = merge.method.usualScale }
        if !paths.contains("merge.granularity") { merge.granularity = merge.method.usualGranularity }
        guard !paths.contains("merge.learning-rate") else { return }
        merge.learningRate = merge.method.usualLearningRate(merge.granularity)
    }

    /// Values that don't go together.
    func contradictions() -> [ConfigurationFault] {
        var faults: [ConfigurationFault] = []
        if let needed = merge.scaleFault {
            let message = "must be \(needed) for \(merge.method.rawValue)"
            faults.append(ConfigurationFault(key: "merge.scale", message: message))
        }
        if merge.method == .adamerging, merge.granularity == .rowColumn {
            faults.append(
                ConfigurationFault(key: "merge.granularity", message: "must be tensor, row or element for adamerging"))
        }
        if let fault = merge.deviceFault {
            faults.append(ConfigurationFault(key: "merge.device", message: fault))
        }
        if let fault = merge.adapterFault {
            faults.append(ConfigurationFault(key: "merge.adapter", message: fault))
        }
        return faults
    }
}
