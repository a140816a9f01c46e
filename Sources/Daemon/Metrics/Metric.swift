/// One metric with its samples, as Prometheus' text format 0.0.4 writes it.
struct Metric {
    enum Kind: String { case counter, gauge }

    var name: String
    var kind: Kind
    var help: String
    var samples: [(labels: [(name: String, value: String)], value: Double)]

    /// A metric with one value; none where that is not known.
    init(_ name: String, _ help: String, _ value: Double?) {
        self.init(name, help, samples: value.map { [([], $0)] } ?? [])
    }

    init(
        _ name: String, _ help: String, kind: Kind = .gauge,
        samples: [(labels: [(name: String, value: String)], value: Double)]
    ) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }

    /// One value for each of `cases`: 1 for the one that is, 0 for the others.
    init(_ name: String, _ help: String, label: String, cases: [String], is present: String) {
        self.init(name, help, samples: cases.map { ([(label, $0)], $0 == present ? 1 : 0) })
    }

    /// Empty where there is no sample. `common`: labels of every sample.
    func text(_ common: [(name: String, value: String)]) -> String {
        guard !samples.isEmpty else { return "" }
        var text = "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            let labels = (common + sample.labels).map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
            let list = labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}"
            text += "\(name)\(list) \(Self.text(sample.value))\n"
        }
        return text
    }

    static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        if quotes { result = result.replacing("\"", with: "\\\"") }
        return result
    }
}
